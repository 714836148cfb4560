"""Why a query is refused."""

from __future__ import annotations


class SuiteQLRefused(Exception):
    """The query is wrong; the text is what NetSuite writes after "Invalid search query. ..."."""

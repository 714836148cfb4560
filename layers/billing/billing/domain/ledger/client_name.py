"""Whether two names are one client's: compared without case, legal form and punctuation."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LEGAL_FORMS: Final = frozenset(
    "ab ag aps as asa bv bvba co company corp corporation cv doo eeig eg ehf eirl ek eood eu ev gbr gesmbh gmbh hf inc "
    "incorporated jsc kft kg kgaa kk lc limited llc llp lp ltd ltda mbh nv nyrt oao og ohg ood oy oyj plc pllc private "
    "proprietary psc pt pte pty pvt sa sab sapi sarl sas sasu sca scs se sl slu sp spa spzoo srl sro ug wll zao zoo "
    "zrt oo 株式会社 有限会社 合同会社 有限公司 股份有限公司".split()
)
_JOINTS: Final = frozenset(("and", "und", "et", "y", "e", "z", "o", "de"))
_SILENT: Final = re.compile(r"[.'’`´]")
_JAPANESE: Final = re.compile(r"^(株式会社|有限会社|合同会社)|(株式会社|有限会社|合同会社|股份有限公司|有限公司)$")


def same_client_name(one: str | None, other: str | None) -> bool:
    """Whether the names are the same but for case, legal form (Inc, LLC, Ltd, GmbH, Pty Ltd, ...) and punctuation.

    Unicode is compared in its compatibility form, so that full-width letters and composed accents are no difference.
    An accent itself is one, and so is any other word: this decides who is billed. A name of which nothing is left is
    equal to none.
    """
    words = _words(one or "")
    return bool(words) and words == _words(other or "")


def _words(name: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    plain = _SILENT.sub("", plain.strip()).replace("&", " and ").replace("+", " and ")
    plain = _JAPANESE.sub("", plain)
    words = "".join(sign if sign.isalnum() or unicodedata.category(sign) == "Mn" else " " for sign in plain).split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
        # "GmbH & Co. KG", "Sp. z o.o.": what joins two legal forms goes with them.
        while len(words) > 1 and words[-1] in _JOINTS:
            words.pop()
    return tuple(words)

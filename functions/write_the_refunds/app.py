"""State "Write the refunds" of a settlement.

In:  {"pass": ..., "execution": its ARN, "executionName"}
Out: the pass, with what is left to do
"""

from __future__ import annotations

from typing import Any

from billing.domain.settlement.passes import Step
from billing.runtime.entry import state
from billing.runtime.record_writing import write


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Write the refunds that NetSuite lacks, each once."""
    return write(event, Step.REFUNDS)

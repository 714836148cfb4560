"""Started by hand, outside the state machine, and by `make doctor`: is everything set up as the product needs it?

In:  {}; or {"secret": "stripe", "version": id}: would this version of a secret do, which is not the current one?
Out: {"ok": true, "counts": {"fine": 24, ...}, "findings": [{"check", "verdict", "text"}], "lines": ["fine ..."]}
"""

from __future__ import annotations

from typing import Any

from billing.adapters.aws.aws_faults import aws_faults_named
from billing.adapters.aws.secrets import forget
from billing.runtime.entry import state
from billing.runtime.examination import checks, checks_of_a_secret, forget_connections
from billing.workflows.operations.examine_the_setup import examine_the_setup


@state
def handler(event: dict[str, Any], context: Any) -> Any:
    """Look at everything, write nothing, and say one line for each."""
    forget()
    forget_connections()
    named = str(event.get("secret") or "")
    wanted = checks_of_a_secret(named, str(event.get("version") or "")) if named else checks()
    return examine_the_setup(wanted, aws_faults_named, lambda: context.get_remaining_time_in_millis() / 1000)

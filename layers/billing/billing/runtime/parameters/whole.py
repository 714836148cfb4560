"""Every parameter that people write sentences into, read as the states will."""

from __future__ import annotations

from billing.domain.approval.approvers import parse_people
from billing.domain.batch.upper_bounds import parse_upper_bounds
from billing.domain.runs.period import parse_bill_from
from billing.runtime.parameters.policy import billing_policy
from billing.runtime.parameters.run_settings import run_settings
from billing.runtime.parameters.settlement import check_settlement
from billing.runtime.settings import Environment
from billing.workflows.monthly_billing.open_the_run import check_who_signs


def check_parameters(env: Environment) -> None:
    """InputInvalid names the first that cannot be followed."""
    check_who_and_when(env)
    parse_people(env.optional("CONTROLLERS"), "The parameter Controllers")
    parse_upper_bounds(env.optional("UPPER_BOUNDS"))
    billing_policy(env, "2026-01", ("email",))
    check_settlement(env)


def check_who_and_when(env: Environment) -> None:
    """Those of who signs, in which zone and how long it is waited for them. InputInvalid as above."""
    settings = run_settings(env)
    parse_bill_from(settings.bill_from)
    check_who_signs(settings, settings.cycle, "")

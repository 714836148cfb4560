"""What every run is opened with, as the stack's parameters say."""

from __future__ import annotations

from billing.domain.approval.waiting import WaitingRules
from billing.runtime.settings import Environment
from billing.workflows.monthly_billing.open_the_run import RunSettings


def run_settings(env: Environment) -> RunSettings:
    """Return the settings; times are in seconds. InputInvalid names a variable that cannot be read."""
    return RunSettings(
        zone=env.zone("FIRM_TIME_ZONE"),
        cycle=env.text("CYCLE_NAME"),
        bill_from=env.optional("BILL_FROM"),
        approvers=env.text("APPROVERS"),
        deputies=env.optional("DEPUTIES"),
        delegate_domains=env.optional("DELEGATE_DOMAINS"),
        requester_may_sign=env.flag("REQUESTER_MAY_SIGN"),
        waiting=WaitingRules(
            env.number("APPROVAL_TIMEOUT_SECONDS"),
            env.number("REMINDER_INTERVAL_SECONDS"),
            env.number("ESCALATION_AFTER_SECONDS"),
        ),
        draft_concurrency=env.number("DRAFT_CONCURRENCY"),
        subsidiaries=env.texts("SUBSIDIARIES"),
        tolerated_failure_percentage=env.number("TOLERATED_FAILURE_PERCENTAGE"),
    )

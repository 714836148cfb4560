"""How mails to approvers look beside others."""

from __future__ import annotations

from typing import get_args

from billing.domain.errors import InputInvalid
from billing.domain.mail import Importance
from billing.runtime.settings import Environment


def mail_importance(env: Environment) -> Importance:
    """The parameter MailUrgency. InputInvalid if it is none of its words."""
    said = env.text("MAIL_URGENCY")
    for importance in get_args(Importance):
        if said == importance:
            return importance  # type: ignore[no-any-return]  # one of Importance's own
    raise InputInvalid(f"The parameter MailUrgency must be low, normal or high, not {said[:20]!r}.")

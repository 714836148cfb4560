"""The second factor, the least time and the controllers, as the stack's parameters say."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from typing import get_args

from billing.adapters.aws.mailer import Mailer
from billing.adapters.dynamodb.codes import Codes
from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.signatures import Signatures
from billing.domain.approval.approvers import parse_people
from billing.domain.approval.second_factor import DIGITS, SecondFactor, digits_of
from billing.domain.errors import InputInvalid
from billing.domain.mail import MailContent
from billing.pages.approval.code_mail import code_mail
from billing.pages.approval.question_mail import question_mail
from billing.runtime.clock import now
from billing.runtime.connections.mail import mailer
from billing.runtime.settings import Environment
from billing.workflows.approval_page.approval_page import Seen
from billing.workflows.approval_page.confirming import Confirming
from billing.workflows.approval_page.guard import Guard
from billing.workflows.approval_page.questions import Questions


def guarding(env: Environment, codes: Codes) -> Callable[[Signatures], Guard]:
    """Made with the keys of each event. InputInvalid names the parameter that cannot be followed, once it is needed:
    then a page can say so. The sender of mail is made when the first one is sent: most pages send none."""
    connect = mail_connection(env)

    def made(signed: Signatures) -> Guard:
        factor, least = second_factor(env), env.number("LEAST_SECONDS_TO_DECIDE")
        controllers = parse_people(env.optional("CONTROLLERS"), "The parameter Controllers")
        confirming = Confirming(factor, codes, signed, connect, _code_mail, _new_digits, now())
        return Guard(confirming, signed, least, controllers)

    return made


def questioning(env: Environment, messages: MessageLog) -> Questions:
    """Return what mails questions to whoever started a run."""
    owners = tuple(address.lower() for address in env.texts("OWNER_EMAILS"))
    return Questions(owners, messages, mail_connection(env), question_mail)


def mail_connection(env: Environment) -> Callable[[], Mailer]:
    """Return what makes the sender of mail once, when it is needed."""
    return cache(lambda: mailer(env))


def second_factor(env: Environment) -> SecondFactor:
    """The parameter SecondFactor."""
    said = env.text("SECOND_FACTOR")
    for factor in get_args(SecondFactor):
        if said == factor:
            return factor  # type: ignore[no-any-return]  # one of SecondFactor's own
    raise InputInvalid(f"The parameter SecondFactor must be off or mail, not {said[:20]!r}.")


def _code_mail(seen: Seen, digits: str) -> MailContent:
    return code_mail(seen.request, seen.approver, digits)


def _new_digits() -> str:
    return digits_of(secrets.randbelow(10**DIGITS))

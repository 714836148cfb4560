"""Who may sign, as the stack's parameters list them."""

from __future__ import annotations

from collections.abc import Callable

from billing.domain.approval.approvers import parse_domains, parse_people, parse_slot_rules
from billing.domain.approval.signers import ListedPeople
from billing.runtime.settings import Environment


def listed_people(env: Environment) -> Callable[[], ListedPeople]:
    """Read now and parsed when it is called, which raises InputInvalid if a parameter cannot be followed."""
    approvers, deputies, domains = env.text("APPROVERS"), env.optional("DEPUTIES"), env.optional("DELEGATE_DOMAINS")
    return lambda: ListedPeople(
        rules=parse_slot_rules(approvers),
        deputies=frozenset(parse_people(deputies, "The parameter Deputies")),
        domains=parse_domains(domains),
    )

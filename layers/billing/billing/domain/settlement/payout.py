"""A payout as a bank deposit: its payments and refunds gross, each fee on its account, and the proof that it adds up
before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.money import Money
from billing.domain.settlement import external_ids
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar, memo
from billing.domain.settlement.records import (
    Deposit,
    DepositLine,
    DepositPayment,
    Hold,
    NetSuiteRecord,
    Phase,
    RecordType,
    SettlementPlan,
    WriteBack,
)
from billing.domain.settlement.stripe_objects import Payout, PayoutFacts, PayoutMember

PAYMENT_TYPES: Final = frozenset({"charge", "payment"})
REFUND_TYPES: Final = frozenset({"refund", "payment_refund"})
FEE_TYPES: Final = {
    "stripe_fee": "stripe_fee",
    "stripe_fx_fee": "stripe_fx_fee",
    "tax_fee": "tax",
    "climate_order_purchase": "climate_order_purchase",
    "climate_order_refund": "climate_order_purchase",
}
RESERVE_TYPES: Final = frozenset(
    {
        "reserve_hold",
        "reserve_release",
        "reserve_transaction",
        "reserved_funds",
        "payout_minimum_balance_hold",
        "payout_minimum_balance_release",
        "payment_network_reserve_hold",
        "payment_network_reserve_release",
    }
)


@dataclass(slots=True)
class _Built:
    payments: list[DepositPayment]
    lines: list[DepositLine]
    holds: list[Hold]
    fees: dict[str, int]


def desired_for_payout(facts: PayoutFacts, policies: SettlementPolicies, calendar: Calendar) -> SettlementPlan:
    """The plan of a payout: nothing as long as it is not reconciled, a hold with a name where it cannot be deposited,
    else one deposit or several numbered ones. `waits_for` are the externalIds of the records that must exist before.
    Pure."""
    payout = facts.payout
    nothing, hold = _not_yet(payout, policies, calendar)
    if nothing or hold is not None:
        return SettlementPlan(payout.id, nothing_because=nothing, holds=(hold,) if hold is not None else ())
    built = _Built([], [], [], {})
    for member in facts.members:
        _place(member, policies, built)
    for kind, amount in sorted(built.fees.items()):
        _fee(kind, amount, policies, built)
    holds = [*built.holds, *_proof(facts)]
    if not holds and payout.amount <= 0:
        holds.append(
            Hold(
                "negative_payout",
                f"The payout {payout.id} is not above zero: NetSuite takes no such deposit. Post it by hand, or set "
                "the policy negative_payout to 'group' to have it deposited together with the next one.",
                (("payout", str(Money(payout.amount, payout.currency)), "no deposit"),),
            )
        )
    currency = policies.currencies.get(payout.currency)
    if not holds and (currency is None or not currency.bank):
        holds.append(
            Hold(
                "payout_currency_account_missing",
                f"The policy file names no bank account for payouts in {payout.currency.upper()}: add "
                f"currencies.{payout.currency}.bank.",
            )
        )
    if holds or currency is None:
        return SettlementPlan(payout.id, holds=tuple(holds))
    deposits = _split(built, policies.payments_per_deposit)
    if deposits is None:
        return SettlementPlan(
            payout.id,
            holds=(
                Hold(
                    "deposit_cannot_be_split",
                    f"The payout {payout.id} is larger than one deposit takes and cannot be split into deposits above "
                    "zero. Raise payments_per_deposit, or post it by hand.",
                ),
            ),
        )
    day = calendar.day(payout.arrival_date)
    records = tuple(
        NetSuiteRecord(
            type=RecordType.DEPOSIT,
            phase=Phase.DEPOSIT,
            external_id=external_ids.deposit(payout.id, number),
            stripe_customer="",
            currency=payout.currency,
            amount=deposit.total,
            on=day,
            memo=memo(
                payout.id,
                f"{number} of {len(deposits)}" if len(deposits) > 1 else "",
                f"Trace {payout.trace_id}" if payout.trace_id else "",
            ),
            deposit=deposit,
            account=currency.bank,
            write_back=WriteBack(payout.id, "netsuite_deposit_id") if number == 1 else None,
        )
        for number, deposit in enumerate(deposits, 1)
    )
    waits = tuple(one.external_id for one in built.payments)
    return SettlementPlan(payout.id, records, waits_for=waits)


def _not_yet(payout: Payout, policies: SettlementPolicies, calendar: Calendar) -> tuple[str, Hold | None]:
    if not policies.admits(payout.metadata):
        return "It is on the block list, or not on the allow list.", None
    if policies.start_date is not None and calendar.day(payout.created) < policies.start_date:
        return "It was made before the settlement's start date.", None
    if payout.status in ("failed", "canceled"):
        return f"The payout {payout.status}: no money reached the bank.", None
    if not payout.automatic or payout.reconciliation_status == "not_applicable":
        return "", Hold(
            "manual_payout",
            f"{payout.id} was paid out by hand (or instantly), so Stripe does not say which payments are in it. Post "
            "its deposit in NetSuite by hand, or let Stripe pay out automatically.",
        )
    if payout.reconciliation_status != "completed" or payout.status != "paid":
        return "Stripe has not reconciled it yet: it rings again when it has.", None
    return "", None


def _place(member: PayoutMember, policies: SettlementPolicies, built: _Built) -> None:
    """Put one movement where it belongs, its fees apart."""
    movement = member.movement
    if member.blocked:
        built.holds.append(
            Hold(
                "blocked_payment_in_payout",
                f"{movement.id} belongs to {member.root or movement.source}, which is blocked from the settlement, so "
                "the payout cannot be deposited. Take the block away, or post the deposit by hand.",
            )
        )
        return
    for kind, amount in movement.fees:
        built.fees[kind] = built.fees.get(kind, 0) - amount
    unnamed = movement.fee - sum(amount for _, amount in movement.fees)
    if unnamed:
        built.fees["stripe_fee"] = built.fees.get("stripe_fee", 0) - unnamed
    external_id = _record_of(member, policies)
    if external_id:
        built.payments.append(DepositPayment(external_id, movement.amount, movement.id))
    elif movement.type in FEE_TYPES:
        kind = FEE_TYPES[movement.type]
        built.fees[kind] = built.fees.get(kind, 0) + movement.amount
    elif member.dispute and movement.amount > 0:
        _line(policies.dispute_reversals, "accounts.dispute_reversals", movement.amount, "Dispute won", built)
    elif movement.type in RESERVE_TYPES:
        _line(policies.reserve, "accounts.reserve", movement.amount, "Stripe reserve", built)
    elif movement.type in policies.movements:
        _line(policies.movements[movement.type], f"movements.{movement.type}", movement.amount, movement.type, built)
    elif movement.type in ("payout_failure", "payout_cancel"):
        built.holds.append(
            Hold(
                "payout_came_back",
                f"The payout contains {movement.id}, the money of an earlier payout that came back. Say in the policy "
                f"file to which account it belongs: movements.{movement.type}.",
            )
        )
    elif movement.amount or movement.fee:
        built.holds.append(
            Hold(
                "movement_not_mapped",
                f"The payout contains {movement.id} of the type '{movement.type}', which has no place in NetSuite yet. "
                f"Say in the policy file to which account it belongs: movements.{movement.type}.",
            )
        )


def _record_of(member: PayoutMember, policies: SettlementPolicies) -> str:
    """The externalId of the payment or refund that a movement is, "" if it is none."""
    movement = member.movement
    if movement.type in PAYMENT_TYPES:
        return member.charge or movement.source
    if movement.type in REFUND_TYPES:
        return member.refund or movement.source
    if movement.type == "payment_failure_refund":
        return external_ids.failed_payment(member.charge or movement.source)
    if movement.type == "refund_failure":
        return external_ids.money_back(member.refund or movement.source)
    if movement.type == "adjustment" and member.dispute:
        if movement.amount < 0:
            return member.dispute
        if policies.choice("disputes_won") == "payment":
            return external_ids.reinstated(member.dispute)
    return ""


def _fee(kind: str, amount: int, policies: SettlementPolicies, built: _Built) -> None:
    if amount:
        account = policies.fees.get(kind) or policies.fees.get("stripe_fee", "")
        _line(account, f"accounts.fees.{kind}", amount, f"Stripe: {kind}", built)


def _line(account: str, key: str, amount: int, text: str, built: _Built) -> None:
    if not amount:
        return
    if account:
        built.lines.append(DepositLine(account, amount, text))
    else:
        built.holds.append(
            Hold(
                "missing_netsuite_account_mapping",
                f"The policy file names no account for {key}, and a payout needs it.",
            )
        )


def _proof(facts: PayoutFacts) -> list[Hold]:
    """The members' net amounts are the payout, in its currency."""
    payout = facts.payout
    foreign = [one.movement.id for one in facts.members if one.movement.currency != payout.currency]
    net = sum(one.movement.net for one in facts.members)
    wrong = [one.movement.id for one in facts.members if one.movement.amount - one.movement.fee != one.movement.net]
    if not foreign and net == payout.amount and not wrong:
        return []
    return [
        Hold(
            "unequal_amounts",
            f"What Stripe lists for the payout {payout.id} does not add up to it"
            + (f" ({', '.join([*foreign, *wrong][:10])})." if foreign or wrong else "."),
            (("payout", str(Money(payout.amount, payout.currency)), str(Money(net, payout.currency))),),
        )
    ]


def _split(built: _Built, most: int) -> list[Deposit] | None:
    """One deposit, or several of at most `most` payments, each above zero: payments dealt out from the largest, then
    refunds and lines to the deposit that has the most. None if that leaves one at or below zero."""
    if len(built.payments) <= most:
        return [Deposit(tuple(built.payments), tuple(built.lines))]
    count = -(-len(built.payments) // most)
    hands: list[list[DepositPayment]] = [[] for _ in range(count)]
    totals = [0] * count
    ordered = sorted(built.payments, key=lambda one: (-one.amount, one.external_id))
    for one in ordered:
        open_hands = [index for index in range(count) if len(hands[index]) < most]
        sign = 1 if one.amount > 0 else -1
        hand = min(open_hands, key=lambda index: (sign * totals[index], index))
        hands[hand].append(one)
        totals[hand] += one.amount
    lines: list[list[DepositLine]] = [[] for _ in range(count)]
    for line in sorted(built.lines, key=lambda one: (one.amount, one.account)):
        hand = max(range(count), key=lambda index: (totals[index], -index))
        lines[hand].append(line)
        totals[hand] += line.amount
    if any(total <= 0 for total in totals):
        return None
    return [Deposit(tuple(_in_order(hand)), tuple(of_hand)) for hand, of_hand in zip(hands, lines, strict=True)]


def _in_order(payments: Sequence[DepositPayment]) -> list[DepositPayment]:
    return sorted(payments, key=lambda one: one.movement)

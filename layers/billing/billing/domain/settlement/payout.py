"""A payout as a bank deposit: its payments and refunds gross, each fee on its account, and the proof that it adds up
before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from billing.domain.money.money import Money
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

DEPOSIT_KEY: Final = "netsuite_deposit_id"
"""The key of a payout's metadata with its deposit's internal id, the connector's own."""
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
    nothing, hold = _not_yet(facts, policies, calendar)
    if nothing or hold is not None:
        return SettlementPlan(payout.id, nothing_because=nothing, holds=(hold,) if hold is not None else ())
    amount = payout.amount + sum(one.amount for one in facts.earlier)
    if amount <= 0 and policies.choice("negative_payout") == "group":
        return SettlementPlan(
            payout.id, nothing_because="It is not above zero: it is deposited together with the next payout that is."
        )
    built = _Built([], [], [], {})
    for member in facts.members:
        _place(member, policies, calendar, built)
    for kind, fee in sorted(built.fees.items()):
        _fee(kind, fee, policies, built)
    holds = [*built.holds, *_proof(facts, amount)]
    if not holds and amount <= 0:
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
    deposits = split(Deposit(tuple(built.payments), tuple(built.lines)), policies.payments_per_deposit)
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
    write_backs = tuple(WriteBack(one.id, DEPOSIT_KEY) for one in (payout, *facts.earlier))
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
                f"Together with {', '.join(one.id for one in facts.earlier)}" if facts.earlier else "",
                f"Trace {payout.trace_id}" if payout.trace_id else "",
            ),
            deposit=deposit,
            account=currency.bank,
            write_backs=write_backs,
        )
        for number, deposit in enumerate(deposits, 1)
    )
    waits = tuple(one.external_id for one in built.payments)
    return SettlementPlan(payout.id, records, waits_for=waits)


def is_itemized(payout: Payout) -> bool:
    """Whether Stripe says which movements are in a payout: it does for automatic ones only. Pure."""
    return payout.automatic and payout.reconciliation_status != "not_applicable"


def deposit_by_hand(facts: PayoutFacts) -> str:
    """The internal id of the deposit that a person made of a payout that Stripe does not itemize, as they wrote it into
    the payout's metadata; "" where they wrote none. Pure."""
    named = facts.payout.metadata.get(DEPOSIT_KEY, "").strip()
    return named if not is_itemized(facts.payout) and named.isdecimal() else ""


def earlier_of(payout: Payout, others: Iterable[Payout]) -> tuple[Payout, ...]:
    """The payouts that wait for this one under negative_payout = "group", oldest first: to the same bank account in the
    same currency, each of those since the last that could be deposited. `others` are all paid payouts to it, in any
    order. Pure."""
    waiting: list[Payout] = []
    total = 0
    for one in sorted(others, key=_age):
        if (one.destination, one.currency) != (payout.destination, payout.currency) or one.id == payout.id:
            continue
        if _age(one) > _age(payout):
            break
        waiting.append(one)
        total += one.amount
        if total > 0:
            waiting, total = [], 0
    return tuple(waiting)


def _age(payout: Payout) -> tuple[int, int, str]:
    return payout.arrival_date, payout.created, payout.id


def _not_yet(facts: PayoutFacts, policies: SettlementPolicies, calendar: Calendar) -> tuple[str, Hold | None]:
    payout = facts.payout
    # An allow list names what is sold; nobody can write metadata on an automatic payout before it is made.
    if policies.blocks(payout.metadata):
        return "It is on the block list.", None
    if policies.start_date is not None and calendar.day(payout.created) < policies.start_date:
        return "It was made before the settlement's start date.", None
    if payout.status in ("failed", "canceled") and facts.deposited:
        return "", Hold(
            "payout_failed_after_deposit",
            f"The payout {payout.id} {payout.status} after NetSuite had its deposit: the bank does not have the money. "
            "Its return is a movement of a later payout (payout_failure). Post the money back from the bank account by "
            "hand, to the account that the policy movements.payout_failure names.",
        )
    if payout.status in ("failed", "canceled"):
        return f"The payout {payout.status}: no money reached the bank.", None
    if not is_itemized(payout):
        return "", Hold(
            "manual_payout",
            f"{payout.id} was paid out by hand (or instantly), so Stripe does not say which payments are in it. Post "
            "its deposit in NetSuite by hand, write the deposit's internal id into the payout's metadata as "
            f"{DEPOSIT_KEY}, and settle the hold (see the runbook); or let Stripe pay out automatically.",
        )
    if payout.reconciliation_status != "completed" or payout.status != "paid":
        return "Stripe has not reconciled it yet: it rings again when it has.", None
    return "", None


def _place(member: PayoutMember, policies: SettlementPolicies, calendar: Calendar, built: _Built) -> None:
    """Put one movement where it belongs, its fees apart."""
    movement = member.movement
    if member.blocked or policies.blocks(member.metadata):
        built.holds.append(
            Hold(
                "blocked_payment_in_payout",
                f"{movement.id} belongs to {member.root or movement.source}, which is blocked from the settlement, so "
                "the payout cannot be deposited. Take the block away, or post the deposit by hand.",
            )
        )
        return
    for stripe_kind, amount in movement.fees:
        kind = "dispute" if member.dispute else stripe_kind
        built.fees[kind] = built.fees.get(kind, 0) - amount
    unnamed = movement.fee - sum(amount for _, amount in movement.fees)
    if unnamed:
        built.fees["stripe_fee"] = built.fees.get("stripe_fee", 0) - unnamed
    external_id = record_of(member, policies)
    if external_id:
        if policies.start_date is not None and calendar.day(movement.created) < policies.start_date:
            built.holds.append(_before_start(member, external_id))
        built.payments.append(DepositPayment(external_id, movement.amount, movement.id))
    elif movement.type in FEE_TYPES:
        kind = FEE_TYPES[movement.type]
        built.fees[kind] = built.fees.get(kind, 0) + movement.amount
    elif movement.type == "adjustment" and member.dispute:
        _line(policies.dispute_reversals, "accounts.dispute_reversals", movement.amount, "Dispute won", built)
    elif movement.type in policies.movements:
        _line(policies.movements[movement.type], f"movements.{movement.type}", movement.amount, movement.type, built)
    elif movement.type in RESERVE_TYPES:
        _line(policies.reserve, "accounts.reserve", movement.amount, "Stripe reserve", built)
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


def _before_start(member: PayoutMember, external_id: str) -> Hold:
    return Hold(
        "movement_before_start_date",
        f"The payout contains {member.movement.id} ({external_id}) from before the settlement's start date, which it "
        "has not written to NetSuite. Post this payout's deposit by hand.",
    )


def record_of(member: PayoutMember, policies: SettlementPolicies) -> str:
    """The externalId of the payment or refund that a movement is, "" if it is none. Pure."""
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


def _proof(facts: PayoutFacts, amount: int) -> list[Hold]:
    """The members' net amounts are the payout (with those that waited for it), in its currency, each listed once."""
    payout = facts.payout
    movements = [one.movement for one in facts.members]
    foreign = [one.id for one in movements if one.currency != payout.currency]
    net = sum(one.net for one in movements)
    wrong = [one.id for one in movements if one.amount - one.fee != one.net]
    twice = len({one.id for one in movements}) != len(movements)
    if not foreign and net == amount and not wrong and not twice:
        return []
    return [
        Hold(
            "unequal_amounts",
            f"What Stripe lists for the payout {payout.id} does not add up to it"
            + (f" ({', '.join([*foreign, *wrong][:10])})." if foreign or wrong else "."),
            (("payout", str(Money(amount, payout.currency)), str(Money(net, payout.currency))),),
        )
    ]


def split(whole: Deposit, most: int) -> list[Deposit] | None:
    """One deposit, or several of at most `most` payments, each above zero and together the same. Pure.

    Payments are dealt from the largest to the deposit that has least, refunds to the one that has most; then the lines,
    each to the deposit that has most, and what would leave nothing of it to the next. None if the refunds of some
    deposit outweigh its payments all the same.
    """
    if len(whole.payments) <= most:
        return [whole]
    count = -(-len(whole.payments) // most)
    hands: list[list[DepositPayment]] = [[] for _ in range(count)]
    totals = [0] * count
    for one in sorted(whole.payments, key=lambda each: (-each.amount, each.external_id)):
        sign = 1 if one.amount > 0 else -1
        hand = min((at for at in range(count) if len(hands[at]) < most), key=lambda at: (sign * totals[at], at))
        hands[hand].append(one)
        totals[hand] += one.amount
    lines: list[list[DepositLine]] = [[] for _ in range(count)]
    for line in sorted(whole.lines, key=lambda each: (-each.amount, each.account, each.memo)):
        left = line.amount
        while left:
            sign = 1 if left > 0 else -1
            hand = min(range(count), key=lambda at: (sign * totals[at], at))
            room = max(0, totals[hand] - 1)
            part = left if left > 0 else -min(-left, room)
            if not part:
                return None
            lines[hand].append(replace(line, amount=part))
            totals[hand] += part
            left -= part
    if any(total <= 0 for total in totals):
        return None
    return [
        Deposit(tuple(sorted(hand, key=lambda each: each.movement)), tuple(of_hand))
        for hand, of_hand in zip(hands, lines, strict=True)
    ]

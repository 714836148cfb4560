"""What is known about orders and invoice plans from earlier runs, and what a run does with them.

The ledger is what makes a second invoice impossible, for ever and not for the 24 hours that a Stripe idempotency key
lives: an entry is written as intent before the first write to Stripe and as fact after the last. Beside the entry of
each plan there is a record of each order, because the same order may come back in another plan: grouped by client, in
parts, or with more lines than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.invoices.invoice_days import InvoiceDays, SignedDays, days_by_terms, still_hold
from billing.domain.invoices.plan_record import InvoicePlan, plan_hash
from billing.domain.orders.due_date import Due
from billing.domain.period_name import day_name


class EntryState(StrEnum):
    """Where the drafting of a plan stands."""

    INTENDED = "intended"  # something may or may not exist in Stripe
    DRAFTED = "drafted"  # exists, complete, read back and equal to what was approved
    DIFFERS = "differs"  # exists, but its total, currency, lines or customer are not what was approved
    FAILED = "failed"  # given up in one run; the next one finishes it
    ABANDONED = "abandoned"  # its orders are billed in another form; Stripe was seen to hold nothing of it


UNSETTLED: Final = frozenset({EntryState.INTENDED, EntryState.FAILED})
"""Something of it may exist in Stripe, and nobody has read it back."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ledger's row of one plan. `total` is in minor units of `currency` as Stripe answered it, None before (and
    without tax where Stripe computes it). `live_mode` is False for Stripe's test mode. `earlier_reason` is why an
    earlier run did not finish the draft that it had begun, where a later run failed before it took that up. `due_day`
    is the draft's due date, None in entries that were written before it was kept."""

    key: str
    state: EntryState
    invoice_hash: str
    run_id: str
    period: str
    attempt: int
    invoice_day: str
    stripe_customer: str | None = None
    invoice_id: str | None = None
    currency: str | None = None
    total: int | None = None
    reason_name: str | None = None
    reason: str | None = None
    live_mode: bool | None = None
    earlier_reason: str | None = None
    due_day: str | None = None

    @property
    def is_begun(self) -> bool:
        """Whether something of it may be in Stripe that nobody has read back: an intent without an end. A failure
        without a day is one that never came to an intent."""
        return self.state in UNSETTLED and bool(self.invoice_day)


@dataclass(frozen=True, slots=True)
class OrderLink:
    """An order of a plan as it was when the plan was made: the hash of the whole order's content, and the version of
    its record. An intent holds only while the record still has that version.

    `netsuite_billed` is what NetSuite had billed of its lines by then, (line id, quantity), lines of nothing left out;
    None in what older versions wrote.
    """

    order_id: str
    order_hash: str
    version: int
    netsuite_billed: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class BilledInvoice:
    """What one drafted invoice has billed of one order: plan key, and (line id, open quantity or None, minor units,
    text).

    `netsuite_billed` is what NetSuite had billed of each line when the order was listed for it, by line id; None if an
    older version drafted it, which did not note that. `mirrored_as` is the NetSuite invoice that was made of exactly
    this draft, "" while there is none: what it bills is the same goods for certain. `sources` are (kind, line number in
    NetSuite, item's internal id) by line id, None in what older versions wrote.
    """

    plan_key: str
    lines: tuple[tuple[str, str | None, int, str], ...]
    netsuite_billed: Mapping[str, str] | None = None
    mirrored_as: str = ""
    sources: Mapping[str, tuple[str, str, str]] | None = None


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order that a plan of ours has claimed or billed. `order_hash` is its content when it was billed last, ""
    before that; `billed` goes by invoice id. `claims` are the keys of the plans whose drafting was begun with this
    order and may not have ended: their entries say so. `family` is the family of the plans that claimed it last.
    """

    order_id: str
    order_hash: str
    version: int
    client_id: str
    currency: str
    billed: Mapping[str, BilledInvoice]
    claims: tuple[str, ...] = ()
    family: str = ""


class Objection(StrEnum):
    """What approvers did with a content instead of signing for it."""

    HELD = "held back"  # this one
    REJECTED = "rejected"  # the whole batch that it was in


@dataclass(frozen=True, slots=True)
class Revocation:
    """That approvers have said no to a plan's content: what they did, who (an address) and why, in which run, and when
    (ISO, UTC). It takes every earlier approval of this content away; a later one counts again."""

    key: str
    invoice_hash: str
    objection: Objection
    by: str
    reason: str
    run_id: str
    at: str

    @property
    def words(self) -> str:
        """ "held back in run 7f3a by bob@firm.example: Hours are not final." """
        why = self.reason if len(self.reason) <= _LONGEST_REASON else self.reason[:_LONGEST_REASON] + "…"
        return f"{self.objection} in run {self.run_id} by {self.by or 'an approver'}: {why}".removesuffix(": ")


_LONGEST_REASON = 300
"""Every order of a rejected batch repeats it when it is asked about again; the run's own report has it in full."""


@dataclass(frozen=True, slots=True)
class Approval:
    """That a plan's content was signed for, and which Stripe customer the approvers saw (None: a new one). `run_id` is
    the run that asked; `revoked` says that it was taken away since. `signed_days` is None in approvals that were
    recorded before days were kept."""

    key: str
    invoice_hash: str
    stripe_customer: str | None
    run_id: str = ""
    revoked: Revocation | None = None
    signed_days: SignedDays | None = None

    @property
    def stands(self) -> bool:
        """Whether drafting may rely on it."""
        return self.revoked is None


class Disposition(StrEnum):
    """What a run does with a plan."""

    ASK = "ask"  # nobody has signed for this content yet
    FINISH = "finish"  # signed for in an earlier run, not drafted yet
    SKIP = "skip"  # drafted already
    HOLD = "hold"  # a person has to look first


@dataclass(frozen=True, slots=True)
class Decision:
    """A disposition with its reason, for the approvers and the report."""

    disposition: Disposition
    reason: str
    invoice_id: str | None = None


def order_hash(plans: Iterable[InvoicePlan]) -> str:
    """The content of a whole order: of its one plan, or of all its parts."""
    hashes = [plan_hash(plan) for plan in plans]
    return hashes[0] if len(hashes) == 1 else sha256_hex(canonical_json(hashes))


def invoice_hash(plan: InvoicePlan, replaces: Iterable[str]) -> str:
    """What is signed for: the plan's content, and the invoices that a person removed and that it replaces. Content that
    was signed for once does not stay signed for after somebody has voided its invoice."""
    removed = sorted(replaces)
    return sha256_hex(canonical_json([plan_hash(plan), removed])) if removed else plan_hash(plan)


def family(plan_key: str) -> str:
    """The key without its part's number: the parts of one plan belong together."""
    return plan_key.rpartition("-part-")[0] or plan_key


def is_part_beside(other: str, key: str, parts: int) -> bool:
    """Whether `other` is another part of the plan `key`, which has `parts` parts: they are drafted side by side."""
    base, part, number = other.rpartition("-part-")
    return bool(part) and other != key and base == family(key) != key and number.isdecimal() and int(number) <= parts


def decide(
    signed: str,
    stripe_customer: str | None,
    entry: LedgerEntry | None,
    approval: Approval | None,
    *,
    ours: bool = True,
) -> Decision:
    """Decide about a plan whose orders are not billed yet. Pure.

    An approval counts only for the content it was given for, and for the Stripe customer that was shown: one that was
    shown as new may meanwhile have been created by us (`ours`), another customer than the one shown must be asked about
    again. One that was taken away by a later hold or reject counts for nothing until it is given anew.
    """
    if entry is not None and entry.state is EntryState.DIFFERS:
        return Decision(
            Disposition.HOLD,
            f"The draft {entry.invoice_id} differs from what was approved. Delete or void it in "
            "Stripe, then run again.",
            entry.invoice_id,
        )
    if entry is not None and entry.state is EntryState.DRAFTED and entry.invoice_hash == signed:
        return Decision(Disposition.SKIP, f"Drafted in {entry.period} as {entry.invoice_id}.", entry.invoice_id)
    if approval is not None and approval.invoice_hash == signed:
        if approval.revoked is not None:
            return Decision(Disposition.ASK, _taken_away(approval.run_id, approval.revoked, entry))
        if approval.stripe_customer == stripe_customer or (approval.stripe_customer is None and ours):
            return Decision(Disposition.FINISH, "Approved in an earlier run and not drafted yet.")
        return Decision(Disposition.ASK, "Approved earlier for another Stripe customer than the one it matches now.")
    if entry is not None and entry.state is not EntryState.DRAFTED and entry.invoice_hash != signed:
        return Decision(Disposition.ASK, "An earlier run could not draft it, and its content has changed since.")
    return Decision(Disposition.ASK, "New.")


def dated(
    decision: Decision, due: Due, invoice_day: str, signed: SignedDays | None, period: str, today: date
) -> tuple[Decision, InvoiceDays | None]:
    """The decision with the days of its invoice, None for what is not drafted.

    What was signed for keeps the days that were signed for (`signed`, None if they were not kept). Where it cannot, it
    is dated `today`, its terms count from there, and it is asked about again: nobody has seen those days. Everything
    else that is asked about has the run's own `invoice_day`. `today` is the day in the cycle's zone.
    """
    if decision.disposition is Disposition.ASK:
        return decision, days_by_terms(due, invoice_day)
    if decision.disposition is not Disposition.FINISH:
        return decision, None
    if signed is not None and still_hold(signed, due, period, today):
        return decision, signed.days
    fresh = days_by_terms(due, today.isoformat())
    if signed is not None and signed.days == fresh:
        # Of another period, and counted anew they are the very days that were signed for.
        return decision, fresh
    was = (
        f"with the invoice date {day_name(signed.days.invoice)} and the due date {day_name(signed.days.due)}"
        if signed is not None
        else "when no dates were kept"
    )
    reason = (
        f"Approved earlier {was}, and not drafted. Its terms count from a new invoice date now: it is dated "
        f"{day_name(fresh.invoice)} and due {day_name(fresh.due)}."
    )
    return Decision(Disposition.ASK, reason, decision.invoice_id), fresh


def _taken_away(approved_in: str, revoked: Revocation, entry: LedgerEntry | None) -> str:
    """For whoever is asked again. A draft that was begun is there for everybody to see in Stripe: it is named."""
    said = f"Approved in run {approved_in or 'unknown'}, then {revoked.words}"
    said = said if said.endswith((".", "!", "?", "…")) else f"{said}."
    if entry is None or entry.invoice_id is None or entry.state not in UNSETTLED:
        return said
    return (
        f"{said} Its draft {entry.invoice_id} was begun in Stripe: signed for again it is finished, else somebody has "
        "to delete it."
    )

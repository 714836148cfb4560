"""State "Draft the invoice": one approved plan becomes one draft in Stripe, however often this is started or killed.

    intent in the ledger -> customer -> look -> create -> lines -> read back and compare -> fact in the ledger

Before anything is created we look at what Stripe already has (a list, which is strongly consistent): Stripe's
idempotency keys live for 24 hours, a redrive may come after 13 days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from billing.domain.batch.batch import Approved, MapItem, read_piece
from billing.domain.batch.begun_drafts import LOOK_BACK
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.invoices.billing_policy import TaxMode
from billing.domain.invoices.draft_check import day_difference, differences
from billing.domain.invoices.invoice_days import InvoiceDays, days_by_terms
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.invoices.stripe_requests import day_params, idempotency_key, invoice_params, line_params
from billing.domain.ledger.customer_match import How, KnownCustomer, MatchedCustomer
from billing.domain.ledger.ledger import EntryState, LedgerEntry, OrderLink, OrderRecord, invoice_hash, is_part_beside
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.ledger.stripe_invoice import LINES_PER_CALL, StripeInvoice
from billing.domain.run import Run
from billing.domain.stripe_failures import CustomerMissing, KeyUsedOtherwise, ObjectMissing, ReplayedFailure

_ATTEMPTS = 3
# A customer's keys are the same for all orders of a client, so that two of them create it once. They cannot move on
# with one order's attempts, and every fault of Stripe's burns one for 24 hours.
_CUSTOMER_KEYS = 8
_GONE = ("void",)


class Files(Protocol):
    """The run's files."""

    def read_piece(self, key: str, offset: int, length: int, sha256: str) -> Any: ...


class Ledger(Protocol):
    """What has been drafted."""

    def entry(self, key: str) -> LedgerEntry | None: ...
    def intend(
        self,
        entry: LedgerEntry,
        lock_key: str,
        plan: InvoicePlan,
        orders: Iterable[OrderLink],
        replaces: Iterable[str],
        customer: str | None,
        *,
        seen: LedgerEntry | None,
        gives_up: Collection[str],
    ) -> None: ...
    def order_records(self, order_ids: Iterable[str]) -> dict[str, OrderRecord]: ...
    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...
    def abandon(self, keys: Iterable[str], instead: str) -> None: ...
    def remember_invoice(self, key: str, run_id: str, invoice_id: str) -> None: ...
    def settle(
        self,
        entry: LedgerEntry,
        plan: InvoicePlan,
        orders: Iterable[OrderLink],
        replaces: Iterable[str],
        gave_up: Iterable[str],
    ) -> None: ...
    def explain(self, key: str, run_id: str, reason: str) -> None: ...


class KnownCustomers(Protocol):
    """Our own map from NetSuite to Stripe."""

    def one(self, netsuite_id: str) -> KnownCustomer | None: ...
    def remember(self, netsuite_id: str, stripe_id: str, instead_of: str | None, at: str) -> None: ...


class Customers(Protocol):
    """Stripe's customers."""

    def by_id(self, customer_id: str) -> StripeCustomer | None: ...
    def by_email(self, email: str) -> list[StripeCustomer]: ...
    def create(self, netsuite_id: str, name: str, email: str, idempotency_key: str) -> StripeCustomer: ...


class Invoices(Protocol):
    """Stripe's invoices."""

    def of_customer(self, customer: str, created_from: int) -> list[StripeInvoice]: ...
    def create(self, params: Mapping[str, Any], idempotency_key: str) -> StripeInvoice: ...
    def add_lines(self, invoice_id: str, lines: Sequence[Mapping[str, Any]], idempotency_key: str) -> None: ...
    def mark(self, invoice_id: str, metadata: Mapping[str, str], idempotency_key: str) -> None: ...
    def set_days(self, invoice_id: str, days: Mapping[str, int], idempotency_key: str) -> None: ...
    def read(self, invoice_id: str) -> StripeInvoice: ...
    def delete(self, invoice_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """The stack's parameters for drafts."""

    auto_advance: bool
    tax: TaxMode


@dataclass(frozen=True, slots=True)
class Drafting:
    """Everything the drafting of one plan needs. `approved` is set once its piece has been read, and `seen`
    is the plan's entry as it was then."""

    run: Run
    settings: DraftSettings
    files: Files
    ledger: Ledger
    known: KnownCustomers
    customers: Customers
    invoices: Invoices
    now: datetime
    approved: Approved | None = None
    seen: LedgerEntry | None = None

    def draft(self, item: MapItem) -> dict[str, str]:
        """Answer {"outcome": "drafted"} or {"outcome": "differs"}. Safe to repeat, and to kill anywhere.

        Raises PassingError, PersonNeeded, OurFault; the full reason is kept in the ledger before. PersonNeeded, too,
        where the check for changes is too old to rely on (`draft_before`).
        """
        approved = self._approved(item)
        seen = self.ledger.entry(approved.plan.key)
        return replace(self, approved=approved, seen=seen)._draft(approved, item.invoice_hash, item)

    def _draft(self, approved: Approved, signed: str, item: MapItem) -> dict[str, str]:
        plan, entry = approved.plan, self.seen
        if entry is not None and entry.state in (EntryState.DRAFTED, EntryState.DIFFERS):
            if entry.invoice_hash == signed:
                return {"outcome": str(entry.state)}
            if entry.invoice_id not in approved.replaces:
                raise PersonNeeded(f"{plan.key} is in the ledger with other content, as {entry.invoice_id}.")
        self._refuse_if_stale(item)
        same = entry is not None and entry.invoice_hash == signed
        signed_days = approved.days or days_by_terms(
            plan.due, entry.invoice_day if entry is not None and same and entry.invoice_day else self.run.invoice_date
        )
        due_day = signed_days.due_if_drafted(self.now.astimezone(self._zone).date())
        # Other days are another payload, which needs another key. Without a day nothing was begun.
        moved = entry is not None and bool(entry.invoice_day) and (entry.invoice_day, entry.due_day) != (
            signed_days.invoice,
            due_day,
        )  # fmt: skip
        intent = LedgerEntry(
            key=plan.key,
            state=EntryState.INTENDED,
            invoice_hash=signed,
            run_id=self.run.id,
            period=self.run.period,
            attempt=entry.attempt if entry is not None and same and not moved else (entry.attempt + 1 if entry else 1),
            invoice_day=signed_days.invoice,
            due_day=due_day,
            # The customer of a former attempt, whatever its content: it may have left its draft there.
            stripe_customer=entry.stripe_customer if entry is not None else approved.customer.id,
        )
        self._intend(intent)
        try:
            settled = self._settled(plan, approved.customer, intent, first=entry is None)
        except (PassingError, PersonNeeded, OurFault) as error:
            self.ledger.explain(plan.key, self.run.id, " ".join([str(error), *getattr(error, "__notes__", [])]).strip())
            raise
        self.ledger.settle(settled, plan, approved.orders, approved.replaces, approved.gives_up)
        return {"outcome": str(settled.state)}

    def _refuse_if_stale(self, item: MapItem) -> None:
        """What was compared with NetSuite too long ago is not drafted. An item of an older version does not say when
        it was."""
        if item.draft_before and self.now > datetime.fromisoformat(item.draft_before):
            raise PersonNeeded(
                f"{item.key}: its order was last compared with NetSuite too long ago (drafting was to end by "
                f"{item.draft_before[:16]} UTC). Redrive this run when it has ended, or start another: NetSuite is "
                "asked again, and what has not changed is drafted without being signed for again."
            )

    @property
    def _zone(self) -> ZoneInfo:
        """The cycle's own zone: its days are the days of its invoices."""
        return ZoneInfo(self.run.zone)

    def _intend(self, intent: LedgerEntry) -> None:
        if self.approved is None:
            raise OurFault(f"{intent.key}: an intent needs the approved plan.")
        signed = self.approved
        self.ledger.intend(
            intent,
            self.run.lock_key,
            signed.plan,
            signed.orders,
            signed.replaces,
            signed.customer.id,
            seen=self.seen,
            gives_up=signed.gives_up,
        )

    def _approved(self, item: MapItem) -> Approved:
        place = item.piece
        piece = self.files.read_piece(f"{self.run.prefix}invoices.ndjson", place.offset, place.length, place.sha256)
        # A piece of an older version gives nothing up: if its orders turn out to be claimed, its intent is refused.
        approved = read_piece(piece, item.key)
        if approved.plan.key != item.key or invoice_hash(approved.plan, approved.replaces) != item.invoice_hash:
            raise OurFault(f"{item.key}: the plan is not the one that was approved. Start a new execution.")
        return approved

    def _settled(self, plan: InvoicePlan, approved: MatchedCustomer, intent: LedgerEntry, first: bool) -> LedgerEntry:
        try:
            customer, invoice, intent, fresh = self._begun(plan, approved, intent, first)
            if invoice.status == "draft":
                intent = self._keep_the_days(invoice, intent)
                intent = self._add_missing_lines(plan, invoice, intent, fresh)
            held = self.invoices.read(invoice.id)
            days = self._days_of(held)
            wrong = differences(
                plan, customer, held.customer, held.currency, held.line_ids, self._comparable(held)
            ) or day_difference(plan, _days(intent), days)
            if wrong:
                intent = self._mark(invoice.id, wrong.code, intent)
        except ObjectMissing:
            raise PassingError(
                f"{plan.key}: its draft vanished while it was worked on. Another attempt looks anew."
            ) from None
        except CustomerMissing:
            raise PersonNeeded(
                f"{plan.key}: its Stripe customer no longer exists. Start a new execution: it matches the client again."
            ) from None
        return replace(
            intent,
            state=EntryState.DIFFERS if wrong else EntryState.DRAFTED,
            stripe_customer=customer,
            invoice_id=invoice.id,
            invoice_day=days.invoice,
            due_day=days.due,
            currency=held.currency,
            total=self._comparable(held),
            reason_name=wrong.code if wrong else None,
            reason=wrong.message if wrong else None,
            live_mode=held.live_mode,
        )

    def _begun(
        self, plan: InvoicePlan, approved: MatchedCustomer, intent: LedgerEntry, first: bool
    ) -> tuple[str, StripeInvoice, LedgerEntry, bool]:
        """The customer, and its draft as `_invoice` gives it. One that our map remembers is not read before: if it is
        gone, Stripe refuses the draft by that name, and then it is read and made again."""
        for remembered in (True, False):
            customer, created_now = self._customer(plan, approved, trusts_our_map=remembered)
            intent = self._for_customer(plan, customer, intent)
            self._give_up(plan, customer, intent)
            look = not (created_now and first)
            try:
                invoice, intent, fresh = self._invoice(plan, customer, intent, look=look, again=not first)
            except CustomerMissing:
                if approved.id is not None or created_now or not remembered:
                    raise
                continue
            return customer, invoice, intent, fresh
        raise OurFault(f"{plan.key}: its Stripe customer was asked for more often than there are ways to find it.")

    def _mark(self, invoice_id: str, code: str, intent: LedgerEntry) -> LedgerEntry:
        """So that nobody finalizes it unseen. Answers the intent, which has a new attempt if keys were burnt."""
        for _ in range(_ATTEMPTS):
            key = idempotency_key("differs", invoice_id, intent.invoice_hash, intent.attempt, code)
            try:
                self.invoices.mark(invoice_id, {"differs_from_approval": code}, key)
            except (ReplayedFailure, KeyUsedOtherwise):
                intent = self._with_new_keys(intent)
                continue
            return intent
        raise PassingError(f"{intent.key}: the draft that differs could not be marked yet.")

    def _keep_the_days(self, invoice: StripeInvoice, intent: LedgerEntry) -> LedgerEntry:
        """Give a draft that a former attempt began the days that are signed for now. Answers the intent, which has a
        new attempt if keys were burnt."""
        wanted = day_params(_days(intent), self._zone)
        for _ in range(_ATTEMPTS):
            if wanted == {"due_date": invoice.due_date, "effective_at": invoice.effective_at}:
                return intent
            try:
                self.invoices.set_days(invoice.id, wanted, idempotency_key("days", invoice.id, intent.attempt, wanted))
            except (ReplayedFailure, KeyUsedOtherwise):
                intent = self._with_new_keys(intent)
                continue
            return intent
        raise PassingError(f"{intent.key}: the draft's days could not be set yet.")

    def _days_of(self, held: StripeInvoice) -> InvoiceDays:
        """The days that Stripe holds, in the cycle's zone; "" for one that it does not hold."""
        invoice, due = (
            datetime.fromtimestamp(at, self._zone).date().isoformat() if at is not None else ""
            for at in (held.effective_at, held.due_date)
        )
        return InvoiceDays(invoice, due)

    def _comparable(self, invoice: StripeInvoice) -> int:
        """What must equal the plan's total: Stripe's own tax comes on top of it."""
        return invoice.total_excluding_tax if self.settings.tax == "stripe" else invoice.total

    def _customer(self, plan: InvoicePlan, approved: MatchedCustomer, *, trusts_our_map: bool) -> tuple[str, bool]:
        """The customer to bill, and whether it was created by this very call. `trusts_our_map`: a customer that was
        remembered since the approval is not read to see whether it still is there."""
        netsuite_id, at = plan.client.netsuite_id, self.now.isoformat()
        row = self.known.one(netsuite_id)
        kept = row.stripe_id if row is not None else None
        if row is not None and row.settled_by and approved.id != kept and approved.how is not How.STORED:
            raise PersonNeeded(
                f"{plan.key}: it was approved for {approved.id or 'a new Stripe customer'}, and since then a person "
                f"has settled that its client is {kept}. Run again: it is asked about with that one."
            )
        if approved.id is not None:
            if kept != approved.id and not (row is not None and row.settled_by):
                self.known.remember(netsuite_id, approved.id, kept, at)
            return approved.id, False
        if kept is not None and (trusts_our_map or self.customers.by_id(kept) is not None):
            return kept, False
        email = approved.email
        if email is None:
            raise OurFault(f"{plan.key}: a customer without an e-mail address cannot be created.")
        for attempt in range(_CUSTOMER_KEYS):
            # Another order of the same client, or a former attempt that was killed, may have created it.
            same = self.customers.by_email(email)
            ours = [customer.id for customer in same if customer.netsuite_id == netsuite_id]
            others = [customer.id for customer in same if customer.netsuite_id is None]
            if others and not ours:
                # When it was approved as new, no customer without a NetSuite id had this address.
                raise PersonNeeded(
                    f"{plan.key}: since it was approved for a new Stripe customer, one with its client's address has "
                    f"appeared ({', '.join(sorted(others)[:5])}). Run again: it is matched with that one, or named."
                )
            if len(ours) > 1:
                raise PersonNeeded(f"{plan.key}: several Stripe customers bear the NetSuite customer {netsuite_id}.")
            try:
                # One that a person has deleted was made under another key: its replay would give the deleted one.
                key = idempotency_key("customer", netsuite_id, plan.client.name, email, kept or "", attempt)
                customer = ours[0] if ours else self.customers.create(netsuite_id, plan.client.name, email, key).id
            except (ReplayedFailure, KeyUsedOtherwise):
                continue
            self.known.remember(netsuite_id, customer, kept, at)
            return customer, not ours
        raise PassingError(f"{plan.key}: Stripe replays failures under every key that was tried for its customer.")

    def _for_customer(self, plan: InvoicePlan, customer: str, intent: LedgerEntry) -> LedgerEntry:
        """The intent with its customer on record, before anything is created there. Raises PersonNeeded if a former
        attempt left an invoice with another customer: a list of this customer's invoices would never show it."""
        former = intent.stripe_customer
        if former == customer:
            return intent
        if former is not None:
            left = self._cleared(plan, former, intent)
            if left:
                raise PersonNeeded(
                    f"{plan.key}: Stripe has {left[0].id} for it with the customer {former}, and it is "
                    f"approved for {customer}. "
                    "Delete or void that invoice, then run again."
                )
        intent = replace(intent, stripe_customer=customer)
        self._intend(intent)
        return intent

    def _give_up(self, plan: InvoicePlan, customer: str, intent: LedgerEntry) -> None:
        """See to it that nothing is left in Stripe of the plans that this one takes the place of. The intent has fenced
        them: whoever may still be drafting one of them adds nothing more."""
        gives_up = self.approved.gives_up if self.approved is not None else ()
        if not gives_up:
            return
        theirs = {one.stripe_customer for one in self.ledger.entries(gives_up).values()}
        for other in sorted(filter(None, theirs)):
            left = self._cleared(plan, other, intent)
            if left and other != customer:
                raise PersonNeeded(
                    f"{plan.key}: Stripe has {left[0].id} for it with the customer {other}. Delete or void it, then "
                    "run again."
                )
        self.ledger.abandon(gives_up, plan.key)

    def _cleared(self, plan: InvoicePlan, customer: str, intent: LedgerEntry) -> list[StripeInvoice]:
        """The customer's live invoices of exactly this content, from far enough back for every former attempt.

        Any other invoice there that is about one of the plan's orders and that the ledger does not have as billed is a
        draft that was begun and never ended. It is deleted if that was signed for and it still is a draft; else
        PersonNeeded names it.
        """
        first = min(date.fromisoformat(self.run.listed_from), date.fromisoformat(intent.invoice_day), self.now.date())
        since = datetime.combine(first - LOOK_BACK, time(0), UTC)
        live = [one for one in self.invoices.of_customer(customer, int(since.timestamp())) if one.status not in _GONE]
        ours = [one for one in live if one.plan_key == plan.key and one.invoice_hash == intent.invoice_hash]
        for one in self._begun_otherwise(plan, [one for one in live if one not in ours]):
            if one.id not in (self.approved.deletes if self.approved is not None else ()):
                raise PersonNeeded(
                    f"{plan.key}: Stripe has {one.id} for it with other content. Delete or void that invoice, "
                    "then run again."
                )
            if one.status != "draft":
                raise PersonNeeded(
                    f"{plan.key}: {one.id} was to be deleted as a draft, and it is {one.status} now. Look whether "
                    "it is to be paid; void it if not, then run again."
                )
            self.invoices.delete(one.id)
        return ours

    def _begun_otherwise(self, plan: InvoicePlan, others: Sequence[StripeInvoice]) -> list[StripeInvoice]:
        """Those of `others` that are about the plan or one of its orders, and not billed by another plan, nor another
        part of this one that is drafted beside it."""
        gives_up = self.approved.gives_up if self.approved is not None else ()
        ids = {order.id for order in plan.orders}
        about = []
        for one in others:
            key = one.plan_key
            if key == plan.key or key in gives_up:
                about.append(one)
            elif not is_part_beside(key, plan.key, plan.parts):
                whole = one if one.names_all_orders or one.orders & ids else self.invoices.read(one.id)
                if whole.orders & ids:
                    about.append(one)
        if not about:
            return []
        billed = {id_ for record in self.ledger.order_records(ids).values() for id_ in record.billed}
        return [one for one in about if one.plan_key == plan.key or one.id not in billed]

    def _with_new_keys(self, intent: LedgerEntry) -> LedgerEntry:
        """The next attempt, kept in the ledger: a later start must not try the burnt keys again."""
        intent = replace(intent, attempt=intent.attempt + 1)
        self._intend(intent)
        return intent

    def _invoice(
        self, plan: InvoicePlan, customer: str, intent: LedgerEntry, look: bool, again: bool
    ) -> tuple[StripeInvoice, LedgerEntry, bool]:
        """The plan's draft: the one that exists, or a new one (True if it certainly has no lines yet)."""
        for _ in range(_ATTEMPTS):
            existing = self._existing(plan, customer, intent) if look else None
            if existing is not None:
                self.ledger.remember_invoice(plan.key, intent.run_id, existing.id)
                return existing, intent, False
            params = invoice_params(
                plan,
                customer,
                intent.invoice_hash,
                _days(intent),
                self._zone,
                self.run,
                self.settings.auto_advance,
                self.settings.tax,
            )
            try:
                invoice = self.invoices.create(
                    params, idempotency_key("invoice", plan.key, intent.invoice_hash, intent.attempt)
                )
            except (ReplayedFailure, KeyUsedOtherwise):
                # The key is burnt: look whether something came of it, and only then use a new one.
                look = True
                intent = self._with_new_keys(intent)
                continue
            if again and self._existing(plan, customer, intent) is None:
                # Replayed from a former attempt, and a person has deleted or voided that draft since.
                intent = self._with_new_keys(intent)
                continue
            self.ledger.remember_invoice(plan.key, intent.run_id, invoice.id)
            return invoice, intent, not again
        raise PassingError(f"{plan.key}: Stripe replays failures under every key that was tried.")

    def _existing(self, plan: InvoicePlan, customer: str, intent: LedgerEntry) -> StripeInvoice | None:
        ours = self._cleared(plan, customer, intent)
        if len(ours) > 1:
            ids = ", ".join(sorted(one.id for one in ours))
            raise PersonNeeded(f"{plan.key}: Stripe has it twice ({ids}). Delete one of them, then run again.")
        return ours[0] if ours else None

    def _add_missing_lines(
        self, plan: InvoicePlan, invoice: StripeInvoice, intent: LedgerEntry, fresh: bool
    ) -> LedgerEntry:
        """Answers the intent, which has a new attempt if keys were burnt."""
        for attempt in range(_ATTEMPTS):
            present = set() if fresh and attempt == 0 else set(self.invoices.read(invoice.id).line_ids)
            missing = [line for line in plan.lines if line.id not in present]
            try:
                for start in range(0, len(missing), LINES_PER_CALL):
                    lines = [
                        line_params(line, plan.currency, self._zone) for line in missing[start : start + LINES_PER_CALL]
                    ]
                    self.invoices.add_lines(
                        invoice.id, lines, idempotency_key("lines", invoice.id, intent.attempt, lines)
                    )
            except (ReplayedFailure, KeyUsedOtherwise):
                intent = self._with_new_keys(intent)
                continue
            return intent
        raise PassingError(f"{plan.key}: Stripe replays failures under every key that was tried for its lines.")


def _days(intent: LedgerEntry) -> InvoiceDays:
    """The days that the draft gets."""
    return InvoiceDays(intent.invoice_day, intent.due_day or intent.invoice_day)

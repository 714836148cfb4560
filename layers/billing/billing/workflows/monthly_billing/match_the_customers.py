"""State "Match the customers": orders become invoice plans, the ledger sets aside what is billed, and each client is
matched to its Stripe customer. Reads Stripe and the tables; writes two files of the run and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from billing.domain.batch.batch import Batch, BatchInvoice, DoneOrder, with_pieces
from billing.domain.batch.begun_drafts import (
    LOOK_BACK,
    Begun,
    BegunDraft,
    UnsignedDrafts,
    held_beside_what_is_done,
    held_for_its_draft,
    in_the_way,
    with_deletion_said,
    with_what_it_gives_up,
)
from billing.domain.batch.month_comparison import BatchWarning, MonthInvoice, compare_with_last_month
from billing.domain.batch.past_months import PastMonths, past_months
from billing.domain.batch.upper_bounds import bound_warnings
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.charge_limits import with_charge_warnings
from billing.domain.invoices.grouping import group_by_client
from billing.domain.invoices.invoice_days import SignedDays, days_by_terms
from billing.domain.invoices.invoice_plan import Plans, plan_invoices
from billing.domain.invoices.plan_record import InvoicePlan, PlanClient
from billing.domain.ledger.billed_otherwise import BILLED, billed_otherwise
from billing.domain.ledger.billing_state import Done, Held, ToBill
from billing.domain.ledger.customer_match import (
    How,
    KnownCustomer,
    MatchedCustomer,
    Unmatched,
    match_by_email,
    match_by_id,
    match_by_metadata,
    same_email,
    shared_by,
)
from billing.domain.ledger.ended_orders import EndedListed, EndedOrder, contents_of
from billing.domain.ledger.ledger import (
    Approval,
    Decision,
    Disposition,
    LedgerEntry,
    OrderRecord,
    dated,
    decide,
    invoice_hash,
)
from billing.domain.ledger.still_to_bill import Planned, still_to_bill
from billing.domain.ledger.stripe_customer import StripeCustomer
from billing.domain.ledger.stripe_invoice import REMOVED, LookedUp, StripeInvoice
from billing.domain.ledger.undelivered import undelivered_words
from billing.domain.ledger.unwanted_drafts import orders_to_look_up, unwanted_drafts
from billing.domain.orders.order_rows import read_orders
from billing.domain.orders.outstanding import Carried, CarriedGone, OrderState, Outstanding
from billing.domain.orders.sales_order import Listing, Problem
from billing.domain.records import stored
from billing.domain.run import Listed, Matched, Run
from billing.domain.runs.period import months_to_read
from billing.domain.runs.snapshot import Snapshot, read_snapshot
from billing.workflows.ports import Files

# A customer that was approved as new may since have been made by us: our table knows it, or its metadata names the
# client. One that is only found by its e-mail address is another than the one that was shown.
_OURS = (How.NEW, How.KNOWN, How.METADATA)
_CHANGED_SINCE = "{} It has changed in NetSuite since then."
# An intent claims all orders of an invoice in one transaction, and DynamoDB takes 100 writes in one.
_ORDERS_PER_INVOICE = 90
# Stripe's search is less than a minute behind, up to an hour in an outage ("Search", its "Data freshness").
_SEARCH_LAGS = timedelta(hours=1, minutes=5)


class Ledger(Protocol):
    """What earlier runs did."""

    def order_records(self, order_ids: Iterable[str]) -> dict[str, OrderRecord]: ...
    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]: ...
    def begun(self, records: Mapping[str, OrderRecord]) -> dict[str, dict[str, LedgerEntry]]: ...
    def paid_among(self, invoice_ids: Iterable[str]) -> set[str]: ...
    def entries_and_approvals(
        self, hashes: Mapping[str, str]
    ) -> tuple[dict[str, LedgerEntry], dict[str, Approval]]: ...


class KnownCustomers(Protocol):
    """Our own map from NetSuite to Stripe."""

    def known(self, netsuite_ids: Iterable[str]) -> dict[str, KnownCustomer]: ...


class Customers(Protocol):
    """Stripe's customers."""

    def by_id(self, customer_id: str) -> StripeCustomer | None: ...
    def by_netsuite_id_or_email(self, netsuite_id: str, email: str | None = None) -> list[StripeCustomer]: ...
    def created_since(self, moment: int) -> list[StripeCustomer]: ...


class Invoices(Protocol):
    """Stripe's invoices."""

    def of_customer(self, customer: str, created_from: int) -> list[StripeInvoice]: ...
    def read(self, invoice_id: str) -> StripeInvoice: ...
    def unpaid(self) -> list[StripeInvoice]: ...
    def looked_up(self, invoice_ids: Collection[str], *, without_unpaid: bool = False) -> LookedUp: ...


class Months(Protocol):
    """What earlier months billed."""

    def of(self, cycle: str, period: str) -> tuple[MonthInvoice, ...]: ...


@dataclass(frozen=True, slots=True)
class Matching:
    """Everything that matching needs. `policy_of(period, email columns)` gives the BillingPolicy; `bounds` are minor
    units by currency, `change_percent` is what counts as a change against last month. `sharing` takes addresses by
    NetSuite id and gives, by NetSuite id, the other clients of the account that have the same address. `order_states`
    gives orders as NetSuite has them now, by internal id; `billed_orders` gives rows like the listing's of those among
    them that are Billed, for a run and without the columns that its listing lacked. `unsigned_drafts` says what becomes
    of a draft that nobody signed for in its order's present form."""

    policy_of: Callable[[str, tuple[str, ...]], BillingPolicy]
    bounds: Mapping[str, int]
    change_percent: int
    files: Files
    ledger: Ledger
    known: KnownCustomers
    customers: Customers
    invoices: Invoices
    months: Months
    now: datetime
    sharing: Callable[[Mapping[str, str]], Mapping[str, Sequence[str]]]
    order_states: Callable[[Iterable[str]], Mapping[str, OrderState]]
    billed_orders: Callable[[Run, Iterable[str], Sequence[str]], Iterable[Mapping[str, str]]]
    unsigned_drafts: UnsignedDrafts = "hold"

    def match(self, run: Run, listed: Listed) -> Matched:
        """Write the batch; answer its key, its SHA-256 and counts of what is to be done. Safe to repeat.

        Stripe's customers are asked for only for clients that have something to draft: a second run of a billed month
        asks for none. Of what is drafted and unchanged only the number is shown; its invoice costs no call once it was
        seen paid.
        """
        snapshot = read_snapshot(self.files.read_json(listed.snapshot_key, listed.sha256))
        policy = self.policy_of(run.period, snapshot.email_columns)
        # Planned order by order first: whether an order is billed already does not depend on how invoices are grouped.
        rows, ended_rows, once_ended = _ended_apart(snapshot.listed, snapshot.ended_by_order)
        ended = _ended(
            plan_invoices(read_orders(ended_rows), replace(policy, grouping="order")), snapshot.ended_by_order
        )
        carried = snapshot.carried
        # A trial lists too little to tell which drafts nobody should send.
        unpaid = None if run.filter.is_trial else self.invoices.unpaid()
        listing = snapshot.with_previews(read_orders(rows))
        planned, begun, paid = self._planned(listing, policy, unpaid)
        proposed, others = self._proposed(planned, begun, policy, run.period)
        done = [state for state in others if isinstance(state, Done) and state.unchanged]
        settled = [
            _settled(state, carried, run.period)
            for state in others
            if not (isinstance(state, Done) and state.unchanged)
        ]
        matches = self._matches([one.plan.client for one in proposed], _stored(rows))
        hashes = {one.plan.key: one.invoice_hash for one in proposed}
        entries, approvals = self.ledger.entries_and_approvals(hashes)

        invoices, problems = list(settled), [_beside_its_draft(one, begun) for one in planned.problems]
        for one in proposed:
            match = matches[one.plan.client.netsuite_id]
            if isinstance(match, Unmatched):
                problems += _problems(one.plan, match)
                continue
            entry, approval = entries.get(one.plan.key), approvals.get(one.plan.key)
            decision, days = dated(
                _asked_for_what_it_deletes(
                    one, decide(one.invoice_hash, match.id, entry, approval, ours=match.how in _OURS)
                ),
                one.plan.due,
                run.invoice_date,
                _signed_days(one, entry, approval),
                run.period,
                self.now.astimezone(ZoneInfo(run.zone)).date(),
            )
            invoices.append(
                replace(
                    one,
                    days=days,
                    disposition=decision.disposition,
                    reason=with_deletion_said(_reason(one, approval, decision), one.deletes),
                    customer=match,
                    invoice_id=decision.invoice_id,
                    carried_from=_carried_from(one.plan, carried, run.period),
                )
            )
        unwanted, states = self._unwanted(run, unpaid, {row.get("id", "") for row in rows})
        over = snapshot.carried_gone
        kept = self._billed_otherwise(run, snapshot, policy, carried, over, unpaid, states)
        again = {one.order_id for one, _ in kept}
        placed, ndjson = with_pieces(_said_to_be_ended(one, once_ended) for one in invoices)
        warnings, past = self._beside_earlier_months(run, placed)
        batch = Batch(
            run=run.frame,
            invoices=placed,
            problems=tuple(_problem_said_to_be_ended(one, once_ended) for one in problems),
            absent_columns=snapshot.absent_columns,
            warnings=warnings,
            carried_gone=tuple(one for one in over if one.order_id not in again),
            ended=ended,
            done=self._done(done),
            outstanding=(
                *snapshot.waiting_outside,
                *unwanted,
                *self._undelivered(listing, [one for one in others if isinstance(one, Done)], policy),
                *(Outstanding(one.order_id, one.number, one.period, "", said) for one, said in kept),
            ),
            billed_otherwise=tuple(one for one, _ in kept),
            left_alone=snapshot.before_the_start,
            of_others=snapshot.of_others or None,
            paid=tuple(sorted(paid)),
            past=past,
        )
        self.files.write(f"{run.prefix}invoices.ndjson", ndjson, "application/x-ndjson")
        sha256 = self.files.write_json(f"{run.prefix}batch.json", stored(batch))
        return Matched(
            batch_key=f"{run.prefix}batch.json",
            sha256=sha256,
            to_ask=len(batch.of(Disposition.ASK)),
            to_finish=len(batch.of(Disposition.FINISH)),
            skipped=len(batch.of(Disposition.SKIP)) + len(batch.done),
            held=len(batch.of(Disposition.HOLD)),
            problems=len(batch.problems),
        )

    def _planned(
        self, listing: Listing, policy: BillingPolicy, unpaid: Sequence[StripeInvoice] | None
    ) -> tuple[Planned, Begun, frozenset[str]]:
        """What is to be done with each listed order, by the ledger and by what became of our drafts in Stripe; what was
        begun of them and did not end; and which invoices were seen paid for the first time."""
        records = self.ledger.order_records(
            {*(order.id for order in listing.orders), *(problem.order_id for problem in listing.problems)}
        )
        entries = self.ledger.entries({one.plan_key for record in records.values() for one in record.billed.values()})
        billed = {id_ for record in records.values() for id_ in record.billed}
        left = billed - {one.id for one in unpaid or ()}
        looked = self.invoices.looked_up(left - self.ledger.paid_among(sorted(left)), without_unpaid=unpaid is not None)
        begun = self._begun(self.ledger.begun(records), billed)
        return still_to_bill(listing, policy, records, entries, looked.removed), begun, looked.paid

    def _begun(self, claims: Mapping[str, Mapping[str, LedgerEntry]], billed: Collection[str]) -> Begun:
        """What Stripe has of the plans that were begun: one list for each customer for whom one was."""
        since: dict[str, date] = {}
        for entry in (one for of_order in claims.values() for one in of_order.values()):
            # Without a customer nothing was created yet: the ledger has it before anything is.
            if entry.stripe_customer is not None:
                day = date.fromisoformat(entry.invoice_day)
                since[entry.stripe_customer] = min(day, since.get(entry.stripe_customer, day))
        claimed = {key for of_order in claims.values() for key in of_order}
        drafts = []
        for customer, day in sorted(since.items()):
            created_from = datetime.combine(day - LOOK_BACK, time(0), UTC)
            for one in self.invoices.of_customer(customer, int(created_from.timestamp())):
                if one.status not in REMOVED and one.id not in billed:
                    key = one.plan_key
                    whole = one if one.names_all_orders or key in claimed else self.invoices.read(one.id)
                    drafts.append(BegunDraft(one.id, one.status, key, one.invoice_hash, whole.orders))
        return Begun(claims, tuple(drafts))

    def _proposed(
        self, planned: Planned, begun: Begun, policy: BillingPolicy, period: str
    ) -> tuple[list[BatchInvoice], list[Done | Held]]:
        """The invoices that are proposed, and what is done or held. Orders with a draft in the way are taken out one
        after another: the others of the same client are billed without them."""
        to_bill = [state for state in planned.states if isinstance(state, ToBill)]
        others = [state for state in planned.states if not isinstance(state, ToBill)]
        held: list[Done | Held] = []
        while True:
            proposed = _grouped(to_bill, policy, period, begun)
            blocked = in_the_way(proposed, begun, self.unsigned_drafts)
            if not blocked:
                break
            held += [
                held_for_its_draft(state, blocked[state.link.order_id])
                for state in to_bill
                if state.link.order_id in blocked
            ]
            to_bill = [state for state in to_bill if state.link.order_id not in blocked]
        keys = {one.plan.key for one in proposed}
        proposed = [with_what_it_gives_up(one, keys, begun) for one in proposed]
        return proposed, [*held_beside_what_is_done(others, keys, begun), *held]

    def _unwanted(
        self, run: Run, unpaid: Sequence[StripeInvoice] | None, listed: Collection[str]
    ) -> tuple[list[Outstanding], Mapping[str, OrderState]]:
        """Drafts that wait in Stripe and whose orders were ended in NetSuite, which is asked only about orders that are
        not listed: one call more, and only if there is an unpaid invoice of one. With them, what it answered."""
        waiting = [one.waiting for one in unpaid or () if one.status == "draft"]
        missing = orders_to_look_up((one.waiting for one in unpaid or ()), listed)
        states = self.order_states(missing) if missing else {}
        return [
            Outstanding(one.order_id, one.number, one.draft.period or run.period, "", one.why)
            for one in unwanted_drafts(waiting, states, listed)
        ], states

    def _billed_otherwise(
        self,
        run: Run,
        snapshot: Snapshot,
        policy: BillingPolicy,
        carried: Mapping[str, Carried],
        over: Iterable[CarriedGone],
        unpaid: Sequence[StripeInvoice] | None,
        states: Mapping[str, OrderState],
    ) -> list[tuple[Carried, str]]:
        """Orders that NetSuite calls Billed and that our invoices bill otherwise, with a sentence: those of which an
        invoice is not paid yet, and those that came back. They come back until the invoice is gone or a person has
        ended them."""
        if unpaid is None:
            return []
        ids = {order_id for order_id, one in states.items() if one.status == BILLED}
        records = self.ledger.order_records(sorted(ids | {one.order_id for one in over}, key=int))
        billed = {order_id: one for order_id, one in records.items() if one.billed}
        if not billed:
            return []
        rows = list(self.billed_orders(run, billed, snapshot.absent_columns))
        contents, ended = contents_of(rows), snapshot.ended_by_order
        asked = [row for row in rows if row["id"] not in ended or not ended[row["id"]].holds_for(contents[row["id"]])]
        entries = self.ledger.entries({one.plan_key for record in billed.values() for one in record.billed.values()})
        left = {id_ for record in billed.values() for id_ in record.billed} - {one.id for one in unpaid}
        removed = self.invoices.looked_up(left - self.ledger.paid_among(sorted(left)), without_unpaid=True).removed
        numbers = {row["id"]: row.get("tranid", "") for row in asked}
        drafted_in = {order_id: one.waiting.period for one in unpaid for order_id in one.orders}
        found = billed_otherwise(read_orders(asked), policy, billed, entries, removed)
        kept = []
        for order_id, said in found.items():
            known = carried.get(order_id)
            first = known.period if known is not None else drafted_in.get(order_id) or run.period
            kept.append((Carried(order_id, numbers[order_id], first, said, contents[order_id]), said))
        return kept

    def _undelivered(self, listing: Listing, done: Sequence[Done], policy: BillingPolicy) -> list[Outstanding]:
        """Orders of which all that was delivered is drafted, and more is ordered: with the sum that waits. They are
        named until that is delivered, closed or billed."""
        drafted = {one.link.order_id: one for one in done}
        waiting = [(one, undelivered_words(one, policy)) for one in listing.orders if one.id in drafted]
        entries = self.ledger.entries({drafted[order.id].billed_by for order, said in waiting if said})
        return [
            Outstanding(order.id, order.number, entry.period, "", said)
            for order, said in waiting
            if said and (entry := entries.get(drafted[order.id].billed_by)) is not None
        ]

    def _done(self, done: Sequence[Done]) -> tuple[DoneOrder, ...]:
        """What is drafted and unchanged, with the run that has drafted it."""
        entries = self.ledger.entries(dict.fromkeys(one.billed_by for one in done))
        return tuple(
            DoneOrder(
                key=one.plan.key,
                order_id=one.plan.orders[0].id,
                number=one.plan.orders[0].number,
                client_id=one.plan.client.netsuite_id,
                client=one.plan.client.name,
                currency=one.plan.currency,
                total=one.plan.total,
                invoice_id=one.invoice_id,
                invoice_hash=invoice_hash(one.plan, ()),
                reason=one.reason,
                billed_by=one.billed_by,
                run_id=entries[one.billed_by].run_id if one.billed_by in entries else "",
            )
            for one in done
        )

    def _matches(
        self, clients: Iterable[PlanClient], stored: Mapping[str, Mapping[str, str]]
    ) -> dict[str, MatchedCustomer | Unmatched]:
        """Each client's customer: what NetSuite stores, what we know, what Stripe's metadata says, and last the
        e-mail. `stored` are the names of all listed clients by NetSuite id, by the Stripe id that NetSuite stores.
        """
        by_id: dict[str, PlanClient] = {}
        for client in clients:
            # Orders may name different addresses: the first that names one speaks for the client.
            if by_id.get(client.netsuite_id) is None or by_id[client.netsuite_id].email is None:
                by_id[client.netsuite_id] = client
        kept = self.known.known(by_id)
        matches: dict[str, MatchedCustomer | Unmatched] = {}
        unsettled: dict[str, list[StripeCustomer]] = {}
        just_created: list[StripeCustomer] | None = None
        for netsuite_id, client in by_id.items():
            same = [name for other, name in stored.get(client.stripe_id or "", {}).items() if other != netsuite_id]
            match: MatchedCustomer | Unmatched | None
            if client.stripe_id and same:
                match = shared_by(client.name, client.stripe_id, same)
            else:
                match = self._by_id(client, kept.get(netsuite_id))
            if match is None:
                # Search lags. What it may not know yet is on one list, which is strongly consistent, for all clients.
                if just_created is None:
                    just_created = self.customers.created_since(int((self.now - _SEARCH_LAGS).timestamp()))
                new = [one for one in just_created if _is_of(one, netsuite_id, client.email)]
                searched = self.customers.by_netsuite_id_or_email(netsuite_id, client.email)
                # The list comes last: where both know a customer, what it says is newer.
                found = list({one.id: one for one in (*searched, *new)}.values())
                match = match_by_metadata(client.name, [one for one in found if one.netsuite_id == netsuite_id])
                if match is None:
                    unsettled[netsuite_id] = found
                    continue
            matches[netsuite_id] = match
        in_question: dict[str, str] = {}
        for netsuite_id, found in unsettled.items():
            client = by_id[netsuite_id]
            rivals = [
                other.name
                for other in by_id.values()
                if other.netsuite_id != netsuite_id and same_email(other.email, client.email)
            ]
            match = match_by_email(client.name, netsuite_id, client.email, found, rivals)
            matches[netsuite_id] = match
            if client.email is not None and isinstance(match, MatchedCustomer) and match.how is How.EMAIL:
                in_question[netsuite_id] = client.email
        if in_question:
            # One question for all of them, and none in a month in which every client is known.
            sharing = self.sharing(in_question)
            for netsuite_id, others in sharing.items():
                matches[netsuite_id] = match_by_email(
                    by_id[netsuite_id].name,
                    netsuite_id,
                    by_id[netsuite_id].email,
                    unsettled[netsuite_id],
                    others,
                )
        return matches

    def _by_id(self, client: PlanClient, kept: KnownCustomer | None) -> MatchedCustomer | Unmatched | None:
        if client.stripe_id is not None:
            stored = self.customers.by_id(client.stripe_id)
            if stored is None:
                return Unmatched(
                    "customer_deleted",
                    "customer",
                    f"NetSuite's record of {client.name} names the Stripe customer {client.stripe_id}, which does not "
                    "exist (any more). Correct the field in NetSuite.",
                )
            return match_by_id(client.name, client.netsuite_id, stored, How.STORED)
        known = self.customers.by_id(kept.stripe_id) if kept is not None else None
        if kept is None or known is None:
            return None
        how = How.SETTLED if kept.settled_by else How.KNOWN
        return match_by_id(client.name, client.netsuite_id, known, how)

    def _beside_earlier_months(
        self, run: Run, invoices: Sequence[BatchInvoice]
    ) -> tuple[tuple[BatchWarning, ...], PastMonths | None]:
        """What is above a bound or differs from last month, and what the months before have billed. A trial lists too
        little to be compared with a whole month."""
        to_draft = [one for one in invoices if one.disposition in (Disposition.ASK, Disposition.FINISH)]
        bounds = bound_warnings([one.plan for one in to_draft], self.bounds)
        if not to_draft or run.filter.is_trial:
            return bounds, None
        months = [(name, self.months.of(run.cycle, name)) for name in months_to_read(run.period)]
        (_, before), (_, billed) = months[-2:]
        now = [
            MonthInvoice(one.plan.client.netsuite_id, one.plan.client.name, one.plan.currency, one.plan.total)
            for one in to_draft
        ]
        compared = compare_with_last_month([*billed, *now], before or None, self.change_percent)
        return (*bounds, *compared), past_months(months, {one.client_id for one in now})


def _stored(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Of all that is listed, drafted or not: by Stripe id, the clients whose NetSuite record names it, {id: name}."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        stripe_id, client_id = row.get("clientstripeid", "").strip(), row.get("entity", "")
        if stripe_id and client_id:
            found.setdefault(stripe_id, {})[client_id] = row.get("clientname") or row.get("clientnumber", client_id)
    return found


def _is_of(customer: StripeCustomer, netsuite_id: str, email: str | None) -> bool:
    return customer.netsuite_id == netsuite_id or same_email(customer.email, email)


def _signed_days(one: BatchInvoice, entry: LedgerEntry | None, approval: Approval | None) -> SignedDays | None:
    """The days that an earlier approval of this content was given for. One that was recorded before days were kept has
    those of the draft that was begun, if one was."""
    if approval is not None and approval.signed_days is not None:
        return approval.signed_days
    if entry is None or entry.invoice_hash != one.invoice_hash or not entry.invoice_day:
        return None
    return SignedDays(days_by_terms(one.plan.due, entry.invoice_day), entry.period)


def _asked_for_what_it_deletes(one: BatchInvoice, decision: Decision) -> Decision:
    """A draft is deleted only by an approval whose page said so, also where the content was signed for before."""
    return replace(decision, disposition=Disposition.ASK) if one.deletes else decision


def _reason(one: BatchInvoice, approval: Approval | None, decision: Decision) -> str:
    """Why it is asked about: an approval that was taken away is told beside everything else."""
    if one.reason and approval is not None and not approval.stands:
        return f"{one.reason} {decision.reason}"
    return one.reason or decision.reason


def _settled(state: Done | Held, carried: Mapping[str, Carried], period: str) -> BatchInvoice:
    return BatchInvoice(
        plan=state.plan,
        invoice_hash=invoice_hash(state.plan, ()),
        disposition=Disposition.SKIP if isinstance(state, Done) else Disposition.HOLD,
        reason=state.reason,
        customer=None,
        invoice_id=state.invoice_id,
        orders=(state.link,),
        billed_by=state.billed_by if isinstance(state, Done) else "",
        carried_from=_carried_from(state.plan, carried, period),
        open_minor=state.open_minor if isinstance(state, Held) else None,
    )


def _grouped(to_bill: Sequence[ToBill], policy: BillingPolicy, period: str, begun: Begun) -> list[BatchInvoice]:
    """The invoices that are proposed: one per order, or per client, currency and terms. Their disposition is decided
    later."""
    if policy.grouping == "order":
        return [_proposed(one.plan, (one,)) for one in to_bill]
    of_client: dict[str, list[ToBill]] = {}
    for one in to_bill:
        of_client.setdefault(one.plan.client.netsuite_id, []).append(one)
    proposed = []
    for members in of_client.values():
        for chunk in _chunks(members, begun):
            for plan in group_by_client([one.plan for one in chunk], policy):
                ids = {order.id for order in plan.orders}
                inside = tuple(one for one in chunk if one.link.order_id in ids)
                # The same client comes back every month, and perhaps twice in one: the key names the orders too.
                digest = sha256_hex(canonical_json([one.plan.key for one in inside]))[:8]
                base, part, number = plan.key.partition("-part-")
                end = f"-{digest}{part}{number}"
                # Begun in an earlier period with the same orders, it is finished under the key that it has.
                former = {
                    key
                    for order_id in ids
                    for key in begun.claims.get(order_id, {})
                    if key.startswith(f"{base}-") and key.endswith(end)
                }
                key = former.pop() if len(former) == 1 else f"{base}-{period}{end}"
                proposed.append(_proposed(with_charge_warnings(replace(plan, key=key)), inside))
    return proposed


def _chunks(members: Sequence[ToBill], begun: Begun) -> Iterable[list[ToBill]]:
    """As many orders together as an intent can claim with all that it gives up."""
    chunk: list[ToBill] = []
    room = _ORDERS_PER_INVOICE
    for one in members:
        takes = 1 + len(begun.claims.get(one.link.order_id, {}))
        if chunk and takes > room:
            yield chunk
            chunk, room = [], _ORDERS_PER_INVOICE
        chunk.append(one)
        room -= takes
    if chunk:
        yield chunk


def _beside_its_draft(problem: Problem, begun: Begun) -> Problem:
    """An order that cannot be billed as it is, with the drafts that were begun of it named: nobody else would."""
    ids = ", ".join(one.id for one in begun.of_order(problem.order_id))
    return replace(problem, message=f"{problem.message} An earlier run began a draft of it: {ids}.") if ids else problem


def _proposed(plan: InvoicePlan, members: Sequence[ToBill]) -> BatchInvoice:
    replaces = tuple(sorted({invoice_id for one in members for invoice_id in one.replaces}))
    links = {one.link.order_id: one.link for one in members}
    return BatchInvoice(
        plan=plan,
        invoice_hash=invoice_hash(plan, replaces),
        disposition=Disposition.ASK,
        reason=" ".join(dict.fromkeys(one.reason for one in members if one.reason)),
        customer=None,
        orders=tuple(links.values()),
        replaces=replaces,
    )


def _carried_from(plan: InvoicePlan, carried: Mapping[str, Carried], period: str) -> str | None:
    periods = [carried[order.id].period for order in plan.orders if order.id in carried]
    earlier = [one for one in periods if one != period]
    return min(earlier) if earlier else None


def _ended_apart(
    rows: Sequence[dict[str, str]], ended: Mapping[str, EndedOrder]
) -> tuple[list[dict[str, str]], list[dict[str, str]], dict[str, EndedOrder]]:
    """(rows of the orders that are to be billed, rows of those that a person has ended, and those that were ended and
    have changed since, by NetSuite's internal id)."""
    contents = contents_of(row for row in rows if row.get("id") in ended)
    still = {order_id for order_id, content in contents.items() if ended[order_id].holds_for(content)}
    changed = {order_id: ended[order_id] for order_id in contents if order_id not in still}
    return (
        [row for row in rows if row.get("id") not in still],
        [row for row in rows if row.get("id") in still],
        changed,
    )


def _ended(plans: Plans, ended: Mapping[str, EndedOrder]) -> tuple[EndedListed, ...]:
    """The ended orders with what is open of them, as far as it can be read."""
    found: dict[str, EndedListed] = {}
    for plan in plans.invoices:
        order_id = plan.orders[0].id
        known = found.get(order_id)
        total = plan.total + (known.total or 0 if known else 0)
        found[order_id] = EndedListed(ended[order_id], plan.client.name, plan.client.netsuite_id, plan.currency, total)
    for problem in plans.problems:
        found[problem.order_id] = EndedListed(
            ended[problem.order_id],
            problem.client_name or "",
            problem.client_id or "",
            problem.currency,
            problem.total_minor,
        )
    return tuple(found.values())


def _said_to_be_ended(invoice: BatchInvoice, once_ended: Mapping[str, EndedOrder]) -> BatchInvoice:
    said = [once_ended[order.id].words for order in invoice.plan.orders if order.id in once_ended]
    return replace(invoice, reason=" ".join([invoice.reason, *map(_CHANGED_SINCE.format, said)])) if said else invoice


def _problem_said_to_be_ended(problem: Problem, once_ended: Mapping[str, EndedOrder]) -> Problem:
    if problem.order_id not in once_ended:
        return problem
    return replace(problem, message=f"{problem.message} {_CHANGED_SINCE.format(once_ended[problem.order_id].words)}")


def _problems(plan: InvoicePlan, unmatched: Unmatched) -> list[Problem]:
    """One problem per order of the plan, with that order's share of it."""
    shares = {order.id: 0 for order in plan.orders}
    for line in plan.lines:
        shares[line.netsuite.order_id] += line.amount
    return [
        Problem(
            order_id=order.id,
            order_number=order.number,
            field=unmatched.field,
            reason_code=unmatched.reason_code,
            message=f"{order.number}: {unmatched.message}",
            currency=plan.currency,
            total_minor=shares[order.id],
            client_id=plan.client.netsuite_id,
            client_name=plan.client.name,
        )
        for order in plan.orders
    ]

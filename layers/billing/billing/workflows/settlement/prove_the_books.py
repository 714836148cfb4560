"""Every night, and by hand: what Stripe says and what NetSuite's books say, compared to the cent.

{}                                       the night's proof, of the day before
{"day": "2026-11-30"}                    under that day's name; both books are compared as they are now
{"since": "2026-10-01"}                  from that day on, instead of the last 92
{"fix": true}                            also rings the bells of what is missing in NetSuite; nothing else is written

Both books are read whole since `since`; what is older counts where it is still open, or where something about it moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Protocol

from billing.domain.errors import InputInvalid
from billing.domain.records import read_stored, stored
from billing.domain.settlement.books import Books
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.item_choice import item_key, items_to_find
from billing.domain.settlement.ledger_index import stripe_id
from billing.domain.settlement.passes import BellList
from billing.domain.settlement.payout import deposit_by_hand
from billing.domain.settlement.policies import SettlementPolicies
from billing.domain.settlement.postings import Calendar
from billing.domain.settlement.proof import Proof
from billing.domain.settlement.reconciliation import compared_with, index_of, reconcile
from billing.domain.settlement.records import Hold, SettlementPlan
from billing.domain.settlement.settled_months import settled_months
from billing.domain.settlement.sides import Facts, OurRows, ProvenRoot
from billing.domain.settlement.stripe_objects import PayoutFacts
from billing.domain.settlement.written import WrittenRecord
from billing.pages.settlement.month_csv import month_csv
from billing.workflows.settlement.planning import Planner
from billing.workflows.settlement.ports import BilledOrders, Files, Ringer, SettledRows, StripeReads

_SPAN: Final = timedelta(days=92)
_AT_WORK: Final = Hold("under_way", "The settlement is at work on it, or about to be.")
_MOVED: Final = Hold("moved_meanwhile", "It was settled while the books were read. The next proof compares it.")


class StripeSpan(StripeReads, Protocol):
    """Stripe since a day."""

    def roots(self, known: Callable[[list[str]], Mapping[str, str]]) -> dict[str, RootKind]: ...
    def roots_of_charges(
        self, charges: list[str], known: Callable[[list[str]], Mapping[str, str]]
    ) -> dict[str, RootKind]: ...


class NetSuiteBooks(Protocol):
    """NetSuite's books."""

    def since(self, day: date) -> Books: ...
    def of_records(self, external_ids: Iterable[str]) -> Books: ...
    def of_ids(self, internal_ids: Iterable[str]) -> Books: ...
    def of_orders(self, order_ids: Iterable[str]) -> Books: ...


class KnownRows(SettledRows, Protocol):
    """What is written, and who is who."""

    def customers(self, stripe_customers: Iterable[str]) -> dict[str, str]: ...


class ListedBell(Protocol):
    """A bell on a list."""

    @property
    def root(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def hold(self) -> Hold | None: ...
    @property
    def held_since(self) -> str: ...
    @property
    def rung_at(self) -> str: ...


class Bells(Protocol):
    """The bells."""

    def bell(self, root: str) -> ListedBell | None: ...
    def listed(self, which: BellList) -> Iterable[ListedBell]: ...


class KeptProof(Protocol):
    """A proof that was kept: its day, its file, and the day that it was compared with."""

    @property
    def day(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def previous(self) -> str: ...


class Proofs(Protocol):
    """Which proofs there are."""

    def of_day(self, day: str) -> KeptProof | None: ...
    def latest(self) -> KeptProof | None: ...
    def keep(self, day: str, key: str, sha256: str, previous: str, at: str) -> None: ...


class ProofFiles(Files, Protocol):
    """The bucket."""

    def write(self, key: str, data: bytes, content_type: str) -> None: ...


@dataclass(frozen=True, slots=True)
class ProvingTheBooks:
    """What proving needs. `stripe` gives the reads of a span by its start (epoch seconds); `with_links` adds the links
    of each difference; `tell` shows the proof to people."""

    stripe: Callable[[int], StripeSpan]
    ledger: BilledOrders
    netsuite: NetSuiteBooks
    rows: KnownRows
    bells: Bells
    proofs: Proofs
    files: ProofFiles
    queue: Ringer
    policies: SettlementPolicies
    calendar: Calendar
    now: datetime
    with_links: Callable[[Proof], Proof]
    tell: Callable[[Proof], object]

    def prove(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Prove, keep and tell; return counts and the file's place. Raises InputInvalid, and as the ports do."""
        day, since = self._asked(asked)
        roots = self._roots(since)
        books, roots = self._books(since, roots)
        equations, differences = reconcile(roots, books, self._rows(roots, books), self.policies)
        waiting = {one.root for one in roots if one.bell is not None}
        moved = self._moved_meanwhile({one.root for one in differences} - waiting)
        if moved:
            roots = [_with_bell(one, moved.get(one.root)) for one in roots]
            equations, differences = reconcile(roots, books, self._rows(roots, books), self.policies)
        former, former_sha256 = self._former(day)
        compared = sum(len(one.plan.records) for one in roots)
        proof = Proof(day.isoformat(), since.isoformat(), len(roots), compared, equations, differences)
        proof = self.with_links(compared_with(proof, former, former_sha256))
        key = f"settlement/proofs/{proof.day}.json"
        sha256 = self.files.write_json(key, stored(proof))
        self.proofs.keep(proof.day, key, sha256, proof.previous, self.now.isoformat())
        self._keep_months(roots, books, since)
        rung = self._fix(proof, roots) if asked.get("fix") else 0
        self.tell(proof)
        return {
            "day": proof.day,
            "file": {"key": key, "sha256": sha256},
            "agrees": proof.agrees,
            "counts": {
                "roots": proof.roots,
                "records": proof.records,
                "differences": len(proof.wrong),
                "waiting": len(proof.explained),
                "closed": len(proof.closed),
                "rung": rung,
            },
        }

    def _keep_months(self, roots: list[ProvenRoot], books: Books, since: date) -> None:
        """The report of each month, with NetSuite's invoice and what was paid and deposited of it by now."""
        index = index_of(roots, books, self._rows(roots, books), self.policies)
        for period, orders in settled_months(roots, index, since).items():
            self.files.write(f"settlement/months/{period}.csv", month_csv(orders), "text/csv; charset=utf-8")

    def _asked(self, asked: Mapping[str, Any]) -> tuple[date, date]:
        unknown = sorted(asked.keys() - {"day", "since", "fix"})
        if unknown:
            raise InputInvalid(f"The proof does not know {', '.join(unknown)}: it knows day, since and fix.")
        if not isinstance(asked.get("fix", False), bool):
            raise InputInvalid("fix is true or false.")
        today = self.calendar.day(int(self.now.timestamp()))
        day = _day(asked, "day") or today - timedelta(days=1)
        since = _day(asked, "since") or day - _SPAN
        if self.policies.start_date is not None:
            since = max(since, self.policies.start_date)
        return day, since

    # --- what Stripe says ---------------------------------------------------------------------------------

    def _roots(self, since: date) -> list[ProvenRoot]:
        """Every root that was made or touched since, that is open, or that waits."""
        span = self.stripe(int(datetime.combine(since, time(0), self.calendar.zone).timestamp()))
        planner = Planner(span, self.ledger, self.rows, self.policies, self.calendar, keep=False)
        bells = self._waiting()
        kinds = dict(span.roots(self._known))
        kinds.update({root: RootKind(bell.kind) for root, (bell, _) in bells.items()})
        found = {root: self._root(planner, root, kind, bells) for root, kind in sorted(kinds.items())}
        charges = {
            member.charge
            for one in found.values()
            if isinstance(one.facts, PayoutFacts)
            for member in one.facts.members
            if member.charge
        }
        more = span.roots_of_charges(sorted(charges), self._known)
        found.update(
            {root: self._root(planner, root, kind, bells) for root, kind in sorted(more.items()) if root not in found}
        )
        return list(found.values())

    def _root(
        self, planner: Planner, root: str, kind: RootKind, bells: Mapping[str, tuple[ListedBell, Hold]]
    ) -> ProvenRoot:
        facts: Facts | None = None
        plan = SettlementPlan(root)
        if kind is not RootKind.CUSTOMER:
            facts, plan = planner.planned(root, kind)
        bell, hold = bells.get(root, (None, None))
        return ProvenRoot(root, kind, facts, plan, hold, bell.held_since if bell is not None else "")

    def _known(self, charges: list[str]) -> Mapping[str, str]:
        """The roots of charges that the settlement has written."""
        return {name: row.root for name, row in self.rows.records(charges).items()}

    def _waiting(self) -> dict[str, tuple[ListedBell, Hold]]:
        found: dict[str, tuple[ListedBell, Hold]] = {}
        for which in (BellList.RINGING, BellList.PARKED, BellList.FAILED, BellList.HELD):
            for bell in self.bells.listed(which):
                found[bell.root] = (bell, bell.hold or _AT_WORK)
        return found

    def _moved_meanwhile(self, roots: Iterable[str]) -> dict[str, Hold]:
        """Of roots that differ, those that were rung since the proof began: the two books were read at two times."""
        began = self.now.isoformat()
        found = {}
        for root in sorted(roots):
            bell = self.bells.bell(root)
            if bell is not None and bell.rung_at > began:
                found[root] = _MOVED
        return found

    # --- what NetSuite says -------------------------------------------------------------------------------

    def _books(self, since: date, roots: list[ProvenRoot]) -> tuple[Books, list[ProvenRoot]]:
        """NetSuite's rows of the span, those of older records that Stripe asks for, and of the orders; and the roots,
        with those that only NetSuite knew of."""
        books = self.netsuite.since(since)
        roots = [*roots, *self._only_in_netsuite(books, roots)]
        there = {one.external_id for one in books.records}
        asked = {record.external_id for one in roots for record in one.plan.records}
        books = books.and_also(self.netsuite.of_records(asked - there))
        by_hand = {
            made: one.root
            for one in roots
            if isinstance(one.facts, PayoutFacts) and (made := deposit_by_hand(one.facts))
        }
        if by_hand:
            books = books.and_also(self.netsuite.of_ids(by_hand)).named(by_hand)
        orders = {
            record.transform.order_id for one in roots for record in one.plan.records if record.transform is not None
        }
        return books.and_also(self.netsuite.of_orders(orders)), roots

    def _only_in_netsuite(self, books: Books, roots: list[ProvenRoot]) -> list[ProvenRoot]:
        """Roots of records that nothing in Stripe's span asks for: older ones, or such as Stripe does not know."""
        asked = {record.external_id for one in roots for record in one.plan.records}
        unasked = {one.external_id for one in books.records if stripe_id(one.external_id)} - asked
        rows = self.rows.records(unasked)
        names = {rows[one].root if one in rows and rows[one].root else stripe_id(one) for one in unasked}
        span = self.stripe(int(self.now.timestamp()))
        named = {one: kind for one in names if (kind := _KINDS.get(one.partition("_")[0])) is not None}
        charges = sorted(one for one, kind in named.items() if kind is RootKind.CHARGE)
        kinds: dict[str, RootKind] = {one: kind for one, kind in named.items() if kind is not RootKind.CHARGE}
        kinds.update(span.roots_of_charges(charges, self._known))
        planner = Planner(span, self.ledger, self.rows, self.policies, self.calendar, keep=False)
        known = {one.root for one in roots}
        return [self._root(planner, root, kind, {}) for root, kind in sorted(kinds.items()) if root not in known]

    def _rows(self, roots: Iterable[ProvenRoot], books: Books) -> OurRows:
        records = [record for one in roots for record in one.plan.records]
        written: Mapping[str, WrittenRecord] = self.rows.records(
            {
                *(record.external_id for record in records),
                *(one.external_id for one in books.records if one.external_id),
            }
        )
        items = {item_key(ref, self.policies) for ref in items_to_find(records, self.policies)}
        customers = {record.stripe_customer for record in records if record.stripe_customer}
        return OurRows(written, self.rows.customers(sorted(customers)), self.rows.items(sorted(items)))

    # --- what becomes of it -------------------------------------------------------------------------------

    def _former(self, day: date) -> tuple[Proof | None, str]:
        """The proof to compare with: the latest before this day, or, of a day that was proved before, the same as
        then."""
        again = self.proofs.of_day(day.isoformat())
        kept = self.proofs.of_day(again.previous) if again is not None else self.proofs.latest()
        if kept is None or kept.day >= day.isoformat():
            return None, ""
        data = self.files.read_json(kept.key, kept.sha256)
        return read_stored(Proof, data, f"the proof {kept.key}"), kept.sha256

    def _fix(self, proof: Proof, roots: Iterable[ProvenRoot]) -> int:
        """Ring the bell of each root of which NetSuite misses a record that the settlement may write."""
        kinds = {one.root: one.kind for one in roots}
        missing = sorted({one.root for one in proof.wrong if one.fix})
        for root in missing:
            self.queue.ring(root, kinds[root].value, "proof", int(self.now.timestamp()))
        return len(missing)


_KINDS: Final = {"in": RootKind.INVOICE, "ch": RootKind.CHARGE, "py": RootKind.CHARGE, "po": RootKind.PAYOUT}


def _with_bell(one: ProvenRoot, hold: Hold | None) -> ProvenRoot:
    return ProvenRoot(one.root, one.kind, one.facts, one.plan, hold or one.bell, one.since)


def _day(asked: Mapping[str, Any], name: str) -> date | None:
    if name not in asked:
        return None
    try:
        return date.fromisoformat(str(asked[name]))
    except ValueError:
        raise InputInvalid(f"{name} is a day, as 2026-11-30, not {asked[name]!r}.") from None

"""Random lives of invoices in Stripe, each lived twice at the same moments: one's events come in order and once each;
the other's are lost, repeated, shuffled and late, and at the end a sweep looks once. NetSuite must hold the same.

Actions are numbers and names, so that Hypothesis can make them smaller. What Stripe refuses, it refuses of both.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.histories.settling import SettlingWorld
from tests.sandbox.stripe import Refusal
from tests.sandbox.stripe.made_invoices import InvoiceLine

Action = tuple[Any, ...]
_KINDS = ("charge", "refund", "credit_note", "dispute", "payment_record")


class Impossible(Exception):
    """There is nothing that it could happen to."""


@dataclass
class Life:
    """One client with one invoice."""

    world: SettlingWorld
    customer: str
    invoice: str = ""
    draft: str = ""
    order: str = ""

    def do(self, action: Action) -> bool:
        """Whether Stripe let it happen."""
        name, *more = action
        try:
            getattr(self, f"_{name}")(*more)
        except (Refusal, Impossible):
            return False
        except RuntimeError as refused:
            # What a person asks for over the API is refused as the API says it.
            if "HTTP 4" not in str(refused):
                raise
            return False
        return True

    # What may happen.

    def _bill(self, amounts: Sequence[int], currency: str = "usd") -> None:
        lines = [InvoiceLine(amount, f"Work {place}") for place, amount in enumerate(amounts)]
        self.invoice = str(self.world.stripe.bill(self.customer, lines, currency)["id"])

    def _finalise(self) -> None:
        """The draft of our monthly run."""
        self.world.stripe.finalise(self.draft)
        self.invoice = self.draft

    def _pay(self, part: int, method: str) -> None:
        """`part` is in hundredths of what remains; more than 100 overpays."""
        invoice = self.world.stripe.invoice(self.invoice)
        left = invoice["amount_remaining"]
        if left <= 0:
            raise Impossible
        self.world.stripe.pay(self.invoice, max(1, left * part // 100), method)

    def _decline(self) -> None:
        self.world.stripe.decline(self.invoice)

    def _fail(self, which: int) -> None:
        self.world.stripe.fail(self._one("charge", which))

    def _refund(self, which: int, part: int) -> None:
        charge = self._one("charge", which)
        left = charge["amount"] - charge["amount_refunded"]
        self.world.stripe.refund(charge, max(1, left * part // 100))

    def _fail_refund(self, which: int) -> None:
        self.world.stripe.fail_refund(self._one("refund", which))

    def _credit(self, amount: int, way: str) -> None:
        """A credit note; what lowers nothing goes back by `way`."""
        invoice = self.world.stripe.invoice(self.invoice)
        after = max(0, amount - invoice["amount_remaining"])
        self.world.stripe.credit(self.invoice, amount, **({way: after} if after and way else {}))

    def _void(self) -> None:
        self.world.stripe.void(self.invoice)

    def _write_off(self) -> None:
        self.world.stripe.mark_uncollectible(self.invoice)

    def _dispute(self, which: int, how: str) -> None:
        charge = self._one("charge", which)
        if charge["disputed"] or charge["status"] != "succeeded":
            raise Impossible
        dispute = self.world.stripe.dispute(charge, inquiry=how == "inquiry")
        if how == "won":
            self.world.stripe.win(dispute)
        if how == "lost":
            self.world.stripe.lose(dispute)

    # Reading.

    def _mine(self, kind: str) -> list[dict[str, Any]]:
        held = self.world.stripe.objects(kind)
        if kind in ("charge", "payment_record"):
            # Not by the client: other lives are the same client's.
            of = "payment_intent" if kind == "charge" else "payment_record"
            paid = [
                one["payment"].get(of)
                for one in self.world.stripe.objects("invoice_payment")
                if one["invoice"] == self.invoice
            ]
            return [one for one in held if one["payment_intent" if kind == "charge" else "id"] in paid]
        charges = {one["id"] for one in self._mine("charge")} if kind in ("refund", "dispute") else set()
        return [one for one in held if one.get("charge") in charges or one.get("invoice") == self.invoice]

    def _one(self, kind: str, which: int) -> dict[str, Any]:
        found = self._mine(kind)
        if not found:
            raise Impossible
        return found[which % len(found)]

    def names(self) -> dict[str, str]:
        """Stripe's ids as words that both lives share."""
        found = {self.customer: "<customer>", self.invoice: "<invoice>"}
        for kind in _KINDS:
            for place, one in enumerate(self._mine(kind)):
                found[one["id"]] = f"<{kind} {place}>"
                if one.get("number"):
                    found[one["number"]] = f"<number of {kind} {place}>"
        if self.order:
            number, order_id = self.order.split("/")
            found |= {number: "<order>", f"-so{order_id}": "-so<order>"}
        return found

    def in_netsuite(self) -> list[Any]:
        """All that NetSuite holds of it, in words that both lives share: type, externalId, date, period, memo, total,
        lines, what it is applied to, and what is left of it."""
        records = self.world.records_of(self.invoice)
        by_id = {one["id"]: key for key, one in records.items()}
        shown = [_shown(key, one, by_id) for key, one in sorted(records.items())]
        text = json.dumps(shown, default=str)
        for stripe_id, name in self.names().items():
            text = text.replace(stripe_id, name)
        text = re.sub(r"cbtxn_[A-Za-z0-9]+", "<balance>", text)
        return sorted(json.loads(text))

    def due(self) -> Decimal:
        """What NetSuite has open of its invoices."""
        records = self.world.records_of(self.invoice).values()
        return sum((_decimal(one["amountRemaining"]) for one in records if one["recordType"] == "invoice"), Decimal(0))

    def undeposited(self) -> Decimal:
        """What NetSuite's records of it leave in Undeposited Funds: payments less refunds."""
        records = self.world.records_of(self.invoice).values()
        funds = [one for one in records if (one.get("account") or {}).get("refName") == "Undeposited Funds"]
        signs = {"customerPayment": 1, "customerRefund": -1}
        return sum(
            (signs[one["recordType"]] * _decimal(one.get("payment", one.get("total"))) for one in funds), Decimal(0)
        )

    def moved(self) -> int:
        """What moved on Stripe's balance by it, before fees, in minor units. Money of disputes that were won comes with
        the payout."""
        mine = {one["id"] for kind in ("charge", "refund", "dispute") for one in self._mine(kind)}
        return sum(
            one["amount"]
            for one in self.world.stripe.movements()
            if one["source"] in mine and not (one["type"] == "adjustment" and one["amount"] > 0)
        )

    def bells(self) -> set[tuple[str, str]]:
        """(list, name) of what its bells wait for."""
        bell = self.world.bells().get(self.invoice, {})
        return {(str(bell.get("list", "")), str(bell.get("hold_name", "")))}


def _shown(key: str, one: Mapping[str, Any], by_id: Mapping[str, str]) -> list[Any]:
    applies = {
        by_id.get(str(line["doc"]["id"]), "?"): line["amount"]
        for line in (one.get("apply") or {}).get("items", ())
        if line.get("apply")
    }
    lines = [
        (line.get("item", {}).get("id"), line.get("amount"), line.get("description"))
        for line in (one.get("item") or {}).get("items", ())
    ]
    total = one["payment"] if one["recordType"] == "customerPayment" else one["total"]
    left = one.get("amountRemaining"), one.get("unapplied")
    period = (one.get("postingPeriod") or {}).get("id")
    return [
        one["recordType"], key, one["tranDate"], period, one.get("memo"), str(total), lines,
        sorted(applies.items()), left,
    ]  # fmt: skip


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value or 0))


@dataclass
class Chaos:
    """What happens to the events of one life: each may be lost, come several times, and in any order."""

    chosen: random.Random
    loses: float = 0.4
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def take(self, events: Iterable[dict[str, Any]]) -> None:
        """Some are lost for good."""
        self.waiting += [one for one in events if self.chosen.random() > self.loses]

    def some(self) -> list[dict[str, Any]]:
        """A part of what waits, shuffled and repeated; the rest comes later."""
        self.chosen.shuffle(self.waiting)
        count = self.chosen.randint(0, len(self.waiting))
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        copies = [one for one in now for _ in range(self.chosen.randint(1, 3))]
        self.chosen.shuffle(copies)
        return copies


def lived_twice(
    world: SettlingWorld,
    actions: Sequence[Action],
    seed: int,
    orderly: Life,
    other: Life,
) -> None:
    """Live both lives: the orderly one, and the other."""
    chosen = random.Random(seed)
    chaos = Chaos(chosen)
    world.settle()
    begun = world.world.clock.now()
    for action in actions:
        world.world.clock.move_to(world.world.clock.now() + timedelta(hours=7))
        happened = orderly.do(action)
        world.tell(world.new_events())
        world.work()
        world.new_events()  # our own writing back rings too; the sweep shows that there is nothing to write
        assert other.do(action) == happened, action
        chaos.take(world.new_events())
        world.tell(chaos.some())
        if chosen.random() < 0.5:
            world.before_state = _meddling(world, chaos)
            world.work()
            world.before_state = lambda _: None
    world.tell(chaos.some())
    world.work()
    world.new_events()
    world.sweep(since=begun.date().isoformat())
    world.settle()


def _meddling(world: SettlingWorld, chaos: Chaos) -> Callable[[str], None]:
    """Events that come in the middle of a pass."""

    def meddle(_: str) -> None:
        if chaos.chosen.random() < 0.3:
            world.tell(chaos.some())

    return meddle

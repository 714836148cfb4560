"""Random lives of invoices and money keep the books: what is due, what is on the balance, what a payout holds."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.sandbox.stripe import CreditLine, InvoiceExtras, InvoiceLine, Refusal, StripeServer
from tests.sandbox.stripe.records import Json
from tests.sandbox_tests.stripe.conftest import MovableClock

CURRENCIES = ("usd", "eur", "nok", "jpy")
FEW = st.integers(0, 50)
AMOUNTS = st.integers(1, 300_000)
PARTS = st.one_of(st.none(), st.integers(1, 6))
"""Of what an amount is measured by, in quarters; None for all of it."""


class Lives(RuleBasedStateMachine):
    """One account; every rule may be refused by Stripe's rules, and then must have changed nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MovableClock(1_780_300_800.0)
        self.server = StripeServer(self.clock)

    @initialize()
    def customers(self) -> None:
        self.buyers = [
            self.server.create_customer(name=name, email=f"{name}@client.example")["id"] for name in ("alder", "birch")
        ]
        self.server.coupon("TEN", percent_off=10)
        self.server.coupon("FIVE", amount_off=500)
        for number, currency in enumerate(("usd", "usd", "eur", "nok")):
            self.server.invoice(self.buyers[number % 2], [InvoiceLine(40_000 + number, tax=10)], currency)
            self.server.charge(self.buyers[number % 2], 9_000 + number, currency)

    def _pick(self, kind: str, number: int) -> Json | None:
        found = self.server.invoices() if kind == "invoice" else self.server.objects(kind)
        return found[number % len(found)] if found else None

    @contextlib.contextmanager
    def _maybe_refused(self):  # type: ignore[no-untyped-def]
        before = self.server.dump()
        try:
            yield
        except Refusal:
            assert self.server.dump() == before, "a refusal has changed something"

    @rule(
        buyer=st.integers(0, 1), amounts=st.lists(AMOUNTS, min_size=1, max_size=4),
        currency=st.sampled_from(CURRENCIES),
        tax=st.sampled_from([None, 10, 19]), inclusive=st.booleans(), coupon=st.sampled_from(["", "TEN"]),
        shipping=st.sampled_from([0, 700]), rest=st.booleans(),
    )  # fmt: skip
    def bill(
        self, buyer: int, amounts: list[int], currency: str, tax: int | None, inclusive: bool, coupon: str,
        shipping: int, rest: bool,
    ) -> None:  # fmt: skip
        lines = [InvoiceLine(amount, tax=tax, inclusive=inclusive, coupon=coupon) for amount in amounts]
        if rest:
            lines.append(InvoiceLine(-sum(amounts) // 3, "Unused time", proration=True))
        extras = InvoiceExtras(coupon="FIVE" if rest else "", shipping=shipping, shipping_tax=tax)
        self.server.invoice(self.buyers[buyer], lines, currency, extras)

    @rule(number=FEW, part=PARTS, method=st.sampled_from(["card", "ach", "out_of_band"]), pending=st.booleans())
    def pay(self, number: int, part: int | None, method: str, pending: bool) -> None:
        if invoice := self._pick("invoice", number):
            amount = max(1, invoice["amount_remaining"] * part // 4) if part else None
            with self._maybe_refused():
                self.server.pay(invoice, amount, method, pending=pending and method == "ach")

    @rule(number=FEW, succeeds=st.booleans())
    def end_payment(self, number: int, succeeds: bool) -> None:
        if charge := self._pick("charge", number):
            with self._maybe_refused():
                self.server.succeed(charge) if succeeds else self.server.fail(charge)

    @rule(number=FEW, part=PARTS, out_of_band=st.booleans(), whole_line=st.booleans())
    def credit(self, number: int, part: int | None, out_of_band: bool, whole_line: bool) -> None:
        if invoice := self._pick("invoice", number):
            amount = max(1, invoice["total"] * part // 4) if part else None
            line = invoice["lines"]["data"][0]
            lines = [CreditLine(line["amount"], line["id"])] if whole_line and line["amount"] else []
            after = max(0, (amount or 0) - invoice["amount_remaining"])
            ways = {"out_of_band": after // 2, "to_balance": after - after // 2} if out_of_band and not lines else {}
            with self._maybe_refused():
                self.server.credit(invoice, None if lines else amount, lines, **ways)

    @rule(number=FEW)
    def void_credit(self, number: int) -> None:
        if note := self._pick("credit_note", number):
            with self._maybe_refused():
                self.server.void_credit_note(note)

    @rule(number=FEW, part=PARTS)
    def refund(self, number: int, part: int | None) -> None:
        if charge := self._pick("charge", number):
            amount = max(1, charge["amount"] * part // 4) if part else None
            with self._maybe_refused():
                self.server.refund(charge, amount)

    @rule(number=FEW)
    def fail_refund(self, number: int) -> None:
        if refund := self._pick("refund", number):
            with self._maybe_refused():
                self.server.fail_refund(refund)

    @rule(number=FEW, inquiry=st.booleans())
    def dispute(self, number: int, inquiry: bool) -> None:
        if charge := self._pick("charge", number):
            with self._maybe_refused():
                self.server.dispute(charge, inquiry=inquiry)

    @rule(number=FEW, ending=st.sampled_from(["win", "lose", "escalate", "respond"]))
    def end_dispute(self, number: int, ending: str) -> None:
        if dispute := self._pick("dispute", number):
            with self._maybe_refused():
                getattr(self.server, ending)(dispute)

    @rule(number=FEW, ending=st.sampled_from(["void", "mark_uncollectible"]))
    def end_invoice(self, number: int, ending: str) -> None:
        if invoice := self._pick("invoice", number):
            with self._maybe_refused():
                getattr(self.server, ending)(invoice)

    @rule(number=FEW, factor=st.integers(1, 3))
    def revise(self, number: int, factor: int) -> None:
        if invoice := self._pick("invoice", number):
            with self._maybe_refused():
                draft = self.server.revise(invoice)
                self.server.add_line(draft["id"], amount=1_000 * factor)
                self.server.finalise(draft)

    @rule(currency=st.sampled_from(CURRENCIES), amount=AMOUNTS, buyer=st.sampled_from([None, 0, 1]))
    def charge(self, currency: str, amount: int, buyer: int | None) -> None:
        self.server.charge(None if buyer is None else self.buyers[buyer], amount, currency)

    @rule(currency=st.sampled_from(("usd", "eur")), only_available=st.booleans(), arrives=st.booleans())
    def pay_out(self, currency: str, only_available: bool, arrives: bool) -> None:
        before = self.server.ledger().get(currency, {"available": 0, "pending": 0})
        wanted = before["available"] + (0 if only_available else before["pending"])
        try:
            payout = self.server.payout(currency, only_available=only_available, arrives=arrives)
        except Refusal:
            assert wanted == 0, "only nothing is not paid out"
            return
        assert payout["amount"] == wanted, "a payout takes exactly what is available"

    @rule(number=FEW, ending=st.sampled_from(["fail_payout", "cancel_payout", "arrive"]))
    def end_payout(self, number: int, ending: str) -> None:
        if payout := self._pick("payout", number):
            with self._maybe_refused():
                getattr(self.server, ending)(payout)

    @rule(days=st.integers(1, 4))
    def days_pass(self, days: int) -> None:
        self.clock.move(days=days)

    @rule(rate=st.integers(50, 200))
    def rate_moves(self, rate: int) -> None:
        self.server.set_rate("nok", "usd", f"0.{rate:04d}")

    @invariant()
    def invoices_add_up(self) -> None:
        payments = self.server.objects("invoice_payment")
        notes = [one for one in self.server.objects("credit_note") if one["status"] == "issued"]
        for one in self.server.invoices():
            mine = [payment for payment in payments if payment["invoice"] == one["id"]]
            assert one["amount_remaining"] == one["amount_due"] - one["amount_paid"] >= 0
            assert one["amount_paid"] == sum(payment["amount_paid"] or 0 for payment in mine)
            credited = [note for note in notes if note["invoice"] == one["id"]]
            assert one["pre_payment_credit_notes_amount"] == sum(note["pre_payment_amount"] for note in credited)
            assert one["post_payment_credit_notes_amount"] == sum(note["post_payment_amount"] for note in credited)
            for note in credited:
                assert note["total"] == note["pre_payment_amount"] + note["post_payment_amount"]
            if one["status"] == "open":
                assert one["amount_remaining"] > 0
            if one["status"] == "paid":
                assert one["amount_remaining"] == 0
            if one["status"] in ("open", "paid", "uncollectible") and one["ending_balance"] == 0:
                asked = one["total"] + one["starting_balance"] - one["pre_payment_credit_notes_amount"]
                assert one["amount_due"] == asked
            exclusive = sum(tax["amount"] for tax in one["total_taxes"] if tax["tax_behavior"] == "exclusive")
            discounts = sum(discount["amount"] for discount in one["total_discount_amounts"])
            whole = sum(line["amount"] for line in one["lines"]["data"])
            assert one["total"] == whole - discounts + exclusive + one["amount_shipping"]

    @invariant()
    def the_balance_is_the_sum_of_its_movements(self) -> None:
        movements = self.server.movements()
        for currency, found in self.server.ledger().items():
            booked = sum(one["net"] for one in movements if one["currency"] == currency)
            assert found["available"] + found["pending"] == found["movements"] == booked
        for one in movements:
            assert one["net"] == one["amount"] - one["fee"]
            assert one["fee"] == sum(fee["amount"] for fee in one["fee_details"])

    @invariant()
    def every_object_has_the_movements_that_it_names(self) -> None:
        held = {one["id"]: one for one in self.server.movements()}
        for charge in self.server.objects("charge"):
            assert (charge["balance_transaction"] is not None) == charge["captured"]
            live = [one for one in self._of("refund", charge) if one["status"] != "failed"]
            assert charge["amount_refunded"] == sum(one["amount"] for one in live) <= charge["amount"]
            if charge["failure_balance_transaction"]:
                both = (charge["balance_transaction"], charge["failure_balance_transaction"])
                assert sum(held[one]["amount"] for one in both) == 0
        for refund in self.server.objects("refund"):
            amounts = [held[refund["balance_transaction"]]["amount"]]
            if refund["status"] == "failed":
                amounts.append(held[refund["failure_balance_transaction"]]["amount"])
                assert sum(amounts) == 0
        for dispute in self.server.objects("dispute"):
            moved = sum(one["amount"] for one in dispute["balance_transactions"])
            assert (moved == 0) == (dispute["status"] in ("won", "prevented") or dispute["status"].startswith("warn"))

    def _of(self, kind: str, charge: Json) -> list[Json]:
        return [one for one in self.server.objects(kind) if one["charge"] == charge["id"]]

    @invariant()
    def a_payouts_members_sum_to_it(self) -> None:
        taken: set[str] = set()
        for payout in self.server.objects("payout"):
            members = [one for one in self.server.movements(payout=payout) if one["type"] != "payout"]
            assert sum(one["net"] for one in members) == payout["amount"]
            assert not taken & {one["id"] for one in members}, "no movement is in two payouts"
            taken |= {one["id"] for one in members}

    @invariant()
    def a_customers_balance_is_the_sum_of_its_entries(self) -> None:
        for buyer in getattr(self, "buyers", []):
            listed = self.server.as_person("GET", f"/v1/customers/{buyer}/balance_transactions", {"limit": 100})
            if not listed["has_more"]:
                for currency in CURRENCIES:
                    mine = [one for one in listed["data"] if one["currency"] == currency]
                    if mine:
                        assert mine[0]["ending_balance"] == sum(one["amount"] for one in mine)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

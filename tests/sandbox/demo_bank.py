"""The demo's second half: people finalise the drafts, clients pay them, one is refunded and one disputed, payouts
arrive, and NetSuite's own records and general ledger say what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal
from typing import Any

from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.netsuite import NetSuiteServer, World
from tests.sandbox.netsuite.world import Item
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.settlement import policies_for
from tests.sandbox.stripe import Refusal, currencies

Step = Callable[[str], None]

_MOST_SECONDS = 600
_EQUATIONS = 6
_AT_ONCE = 6
"""How many invoices are sent, or paid, before the settlement has caught up: each that is settled at the same time is
one more process of each function on this machine, and NetSuite takes three calls at once anyway."""

_BILLED = "G"  # NetSuite's letter of a sales order that is Billed
_ITEMS = {
    "dispute": ("Stripe: dispute", "Services Revenue"),
    "partial_refund": ("Stripe: refund of a part", "Services Revenue"),
    "global": ("Stripe: not of an order", "Services Revenue"),
    "shipping": ("Stripe: shipping", "Shipping Income"),
    "discount": ("Stripe: discount", "Sales Discounts"),
    "tax": ("Stripe: sales tax", "Sales Tax Payable"),
}
"""What a person makes once in NetSuite before settling (docs/settlement-setup.md): name and income account by role."""

_RECORDS = {
    "invoices": "invoice",
    "payments": "customerPayment",
    "credit_memos": "creditMemo",
    "refunds": "customerRefund",
    "deposits": "deposit",
}


def with_items(world: World) -> World:
    """The firm with the items that the policy file needs; those that it has already stay as they are."""
    held = {item.name for item in world.items}
    first = max((item.id for item in world.items), default=0) + 1
    wanted = [(name, account) for name, account in _ITEMS.values() if name not in held]
    made = [
        Item(first + place, name, "Service", income_account=account) for place, (name, account) in enumerate(wanted)
    ]
    return replace(world, items=(*world.items, *made))


def policies_of_the_firm(netsuite: NetSuiteServer) -> str:
    """The policy file: the stand-in's accounts, banks and currencies, and the items of `with_items`."""
    ids = {str(one["itemId"]): str(one["id"]) for one in netsuite.records("serviceSaleItem")}
    accounts = {str(one["acctName"]): str(one["id"]) for one in netsuite.records("account")}
    lines = [
        f'dispute = "{accounts["Dispute Fees"]}"',
        f'stripe_fx_fee = "{accounts["Stripe Currency Conversion Fees"]}"',
        "[items]",
        *(f'{role} = "{ids[name]}"' for role, (name, _) in _ITEMS.items() if role != "tax"),
        "[tax.items]",
        f'order = "{ids[_ITEMS["tax"][0]]}"',
    ]
    return policies_for(netsuite, "\n".join(lines))


@dataclass(frozen=True)
class SecondHalf:
    """Plays it in an open sandbox whose run has ended. `step` gets a line for each thing that happens."""

    sandbox: Sandbox
    step: Step

    def play(self) -> dict[str, Any]:
        """Returns the `settlement` of the demo's last line."""
        drafts = self.sandbox.drafts()
        order_ids = {order_id for draft in drafts for order_id in _orders_of(draft)}
        paid_in = sorted({str(draft["currency"]) for draft in drafts})
        before = self._billed()
        if drafts:
            self._finalise(drafts)
            charges = self._pay(drafts)
            self._return_money(charges)
            self._pay_out(paid_in)
        found = self._counts(before)
        found["equations"] = self._proved(paid_in) if drafts else {}
        found["held"] = len(self.sandbox.settlement.held())
        self._say_what_is_left(order_ids)
        return found

    def _finalise(self, drafts: Sequence[dict[str, Any]]) -> None:
        self.step("a person finalises the drafts in Stripe, and Stripe rings the webhook ...")
        done = 0
        for some in _in_groups(drafts):
            for draft in some:
                try:
                    self.sandbox.stripe.finalise(draft)
                    done += 1
                except Refusal as refusal:
                    self.step(f"   {draft['id']} cannot be finalised: {refusal}")
            self.sandbox.settle(_MOST_SECONDS)
        self._say_what_netsuite_holds(f"{done} of {len(drafts)} drafts are finalised")

    def _pay(self, drafts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Every client pays what is open, some by bank debit. The charges, smallest first."""
        self.step("the clients pay ...")
        stripe = self.sandbox.stripe
        charges = []
        for some in _in_groups(drafts):
            for place, draft in enumerate(some):
                invoice = stripe.invoice(draft)
                if invoice["status"] == "open" and invoice["amount_remaining"]:
                    by = "ach" if place % 3 == 2 and invoice["currency"] == "usd" else "card"
                    charges.append(stripe.pay(draft, method=by))
            self.sandbox.settle(_MOST_SECONDS)
        self._say_what_netsuite_holds(f"{len(charges)} invoices are paid")
        return sorted(charges, key=lambda charge: (charge["amount"], charge["id"]))

    def _return_money(self, charges: Sequence[dict[str, Any]]) -> None:
        """Of the currency in which most was charged: one refund and one dispute, in whole if a third pays for them."""
        if not charges:
            return
        most = Counter(charge["currency"] for charge in charges).most_common(1)[0][0]
        of_it = [charge for charge in charges if charge["currency"] == most]
        whole = len(of_it) > 2
        refunded = of_it[0]
        part = None if whole else refunded["amount"] // 4
        if part != 0:
            self.sandbox.stripe.refund(refunded["id"], part)
            self.step(f"{refunded['id']} is refunded{'' if whole else ' in part'} ...")
        if len(of_it) > 1:
            disputed = of_it[1]
            self.sandbox.stripe.dispute(disputed["id"], None if whole else disputed["amount"] // 4)
            self.step(f"the client's bank disputes {disputed['id']} ...")
        self.sandbox.settle(_MOST_SECONDS)
        self._say_what_netsuite_holds("the money went back")

    def _pay_out(self, paid_in: Sequence[str]) -> None:
        for currency in paid_in:
            self.sandbox.stripe.payout(currency)
        self.step(f"payouts arrive in {', '.join(one.upper() for one in paid_in)} ...")
        self.sandbox.settle(_MOST_SECONDS)
        self._say_what_netsuite_holds("the payouts are in the bank")

    def _say_what_netsuite_holds(self, after: str) -> None:
        counts = ", ".join(
            f"{len(self.sandbox.netsuite.records(kind))} {name.replace('_', ' ')}" for name, kind in _RECORDS.items()
        )
        self.step(f"   {after}; NetSuite holds {counts}")

    def _billed(self) -> int:
        return sum(order.status == _BILLED for order in self.sandbox.netsuite.orders().values())

    def _counts(self, billed_before: int) -> dict[str, Any]:
        netsuite = self.sandbox.netsuite
        return {
            **{name: len(netsuite.records(kind)) for name, kind in _RECORDS.items()},
            "orders_billed": self._billed() - billed_before,
        }

    def _proved(self, paid_in: Sequence[str]) -> dict[str, str]:
        """The nightly proof, by currency of the drafts: the largest difference of its six equations."""
        self.step("the nightly proof compares Stripe with NetSuite's books ...")
        proved = self.sandbox.prove()
        symbols = sorted({*proved, *(one.upper() for one in paid_in)})
        found = {symbol: largest_difference(proved.get(symbol, {}), symbol) for symbol in symbols}
        for symbol, difference in found.items():
            self.step(f"   {symbol}: the largest difference of {_EQUATIONS} equations is {difference}")
        return found

    def _say_what_is_left(self, order_ids: Container[str]) -> None:
        world = self.sandbox.settlement
        for number, order in sorted(self.sandbox.netsuite.orders().items()):
            if str(order.id) in order_ids and order.status != _BILLED:
                self.step(f"   {number} has more to bill: its status in NetSuite is {order.status}")
        for root, name in sorted(world.held().items()):
            self.step(f"   {root} waits for a person: {name}")
        for root, name in sorted(world.parked().items()):
            self.step(f"   {root} is tried again every night: {name}")


def _orders_of(draft: Mapping[str, Any]) -> set[str]:
    """Internal ids of the sales orders that an invoice bills, from its lines."""
    metadata = [line.get("metadata") or {} for line in draft["lines"]["data"]]
    return {str(one["netsuite_so_id"]) for one in metadata if one.get("netsuite_so_id")}


def _in_groups(drafts: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(drafts), _AT_ONCE):
        yield drafts[start : start + _AT_ONCE]


def largest_difference(equations: Mapping[str, str], currency: str) -> str:
    """Of the equations of one currency the one that is furthest from 0, in the currency's decimals. What is smaller
    than its smallest unit (a quantity, of orders) is rounded up: it is never shown as 0. SandboxError if there are not
    six."""
    if len(equations) != _EQUATIONS:
        raise SandboxError(f"the nightly proof has {len(equations)} equations in {currency}, not {_EQUATIONS}")
    furthest = max(abs(Decimal(difference)) for difference in equations.values())
    places = currencies.decimals(currency.lower())
    return f"{furthest.quantize(Decimal(1).scaleb(-places), rounding=ROUND_UP):f}"

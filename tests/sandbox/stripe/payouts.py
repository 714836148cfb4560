"""Payouts: what is available goes to the bank, or comes from it. Source: Stripe's API reference (Payout).

An automatic payout takes exactly the movements that are available, of any sign, and lists them; a manual or instant
one takes an amount and lists nothing. Its own row and the row that a failed one comes back with are movements too.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.sandbox.stripe import balance
from tests.sandbox.stripe.balance import DAY, Fee, Movement
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.records import Json
from tests.sandbox.stripe.store import Store


@dataclass(frozen=True)
class PayoutKind:
    """`amount` is only given for a manual payout. `zero` lets a payout of nothing through."""

    automatic: bool = True
    instant: bool = False
    amount: int | None = None
    zero: bool = False


def waiting(store: Store, currency: str) -> list[Json]:
    """The movements that are available and in no payout yet."""
    return [
        one
        for one in balance.movements(store, currency)
        if one["status"] == "available" and one["id"] not in store.payout_of and one["type"] != "payout"
    ]


def available(store: Store, currency: str) -> int:
    """Available money, in minor units."""
    return balance.balances(store).get(currency, (0, 0))[0]


def create(store: Store, currency: str, kind: PayoutKind) -> Json:
    """A payout that is under way. The automatic one takes everything that is available and not taken yet."""
    if currency not in store.bank_accounts:
        raise Refusal(f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency")
    automatic = kind.automatic and not kind.instant and kind.amount is None
    members = waiting(store, currency) if automatic else []
    if automatic:
        # A manual payout has taken money without naming movements: the next automatic one brings the rest.
        amount = available(store, currency)
    else:
        amount = kind.amount if kind.amount is not None else available(store, currency)
        if amount > available(store, currency) or amount <= 0:
            raise Refusal(
                f"You have insufficient funds in your Stripe account for this transfer of {amount} {currency}.",
                code="balance_insufficient",
            )
    if automatic and sum(one["net"] for one in members) != amount:
        raise Refusal("After a manual payout the sandbox's Stripe pays out by hand only, until the balance is even.")
    if amount == 0 and not (kind.zero and members):
        raise Refusal(f"There is nothing to pay out in {currency}.")
    identifier = store.new_id("po")
    fees = [Fee("stripe_fee", max(1, amount // 100), "Instant payout fee")] if kind.instant else []
    row = balance.book(store, Movement("payout", -amount, currency, identifier, fees, "STRIPE PAYOUT"))
    payout = store.keep(
        {
            "id": identifier, "object": "payout", "amount": amount, "application_fee": None,
            "application_fee_amount": None, "arrival_date": _midnight(store.now + (0 if kind.instant else 2 * DAY)),
            "automatic": automatic, "balance_transaction": row["id"], "created": store.now, "currency": currency,
            "description": "STRIPE PAYOUT", "destination": store.bank_accounts[currency],
            "failure_balance_transaction": None, "failure_code": None, "failure_message": None, "livemode": False,
            "metadata": {}, "method": "instant" if kind.instant else "standard", "original_payout": None,
            "payout_method": None, "reconciliation_status": "in_progress" if automatic else "not_applicable",
            "reversed_by": None, "source_type": "card", "statement_descriptor": None, "status": "pending",
            "trace_id": {"status": "pending", "value": None}, "type": "bank_account",
        }
    )  # fmt: skip
    if automatic:
        for one in [*members, row]:
            store.payout_of[one["id"]] = identifier
            store.link("members", identifier, one["id"])
    store.emit("payout.created", payout)
    return payout


def _midnight(moment: int) -> int:
    return moment - moment % DAY


def members(store: Store, payout: str) -> list[Json]:
    """The movements of an automatic payout and its own row, oldest first."""
    return [store.objects["balance_transaction"][one] for one in store.linked("members", payout)]


def arrive(store: Store, payout: Json) -> None:
    """The bank has it."""
    _check(payout, ("pending", "in_transit"))
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": f"TRACE{payout['id'][-8:]}"}
    store.emit("payout.paid", payout)


def reconcile(store: Store, payout: Json) -> None:
    """Stripe has matched the payout's movements; only now can they be relied on."""
    if payout["reconciliation_status"] != "in_progress":
        raise Refusal(f"{payout['id']} has the reconciliation status {payout['reconciliation_status']}.")
    payout["reconciliation_status"] = "completed"
    store.emit("payout.reconciliation_completed", payout)


def fail(store: Store, payout: Json, code: str) -> None:
    """The bank sent it back, which may be days after it was paid: the money is a member of the next payout."""
    _check(payout, ("pending", "in_transit", "paid"))
    _back(store, payout, "payout_failure", "STRIPE PAYOUT FAILURE")
    payout.update(status="failed", failure_code=code, failure_message="The bank account could not be credited.")
    store.emit("payout.failed", payout)


def cancel(store: Store, payout: Json) -> None:
    """A person called a payout back before it left."""
    _check(payout, ("pending",))
    _back(store, payout, "payout_cancel", "STRIPE PAYOUT CANCELLATION")
    payout["status"] = "canceled"
    store.emit("payout.canceled", payout)


def _back(store: Store, payout: Json, kind: str, text: str) -> None:
    row = balance.book(store, Movement(kind, payout["amount"], payout["currency"], payout["id"], description=text))
    payout["failure_balance_transaction"] = row["id"]


def _check(payout: Json, statuses: tuple[str, ...]) -> None:
    if payout["status"] not in statuses:
        raise Refusal(f"{payout['id']} is {payout['status']}, not {' or '.join(statuses)}.")


def daily(store: Store) -> None:
    """The automatic payout of each currency, once a day (UTC), where there is something to pay out."""
    today = store.now // DAY
    if not store.daily_payouts or store.last_payout_day in (None, today):
        store.last_payout_day = today
        return
    store.last_payout_day = today
    for currency in store.bank_accounts:
        found = waiting(store, currency)
        if found and available(store, currency) == sum(one["net"] for one in found) != 0:
            create(store, currency, PayoutKind())

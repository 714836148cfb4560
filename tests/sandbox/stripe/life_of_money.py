"""What moves the account's balance besides invoices, and what a test reads of its books."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from decimal import Decimal

from tests.sandbox.stripe import balance, disputes, payments, payouts, refunds
from tests.sandbox.stripe.balance import Fee, Movement
from tests.sandbox.stripe.life_of_invoices import InvoiceLife, Named, charge_of, identity, object_of
from tests.sandbox.stripe.payouts import PayoutKind
from tests.sandbox.stripe.records import Json


class MoneyLife(InvoiceLife):
    """Charges without invoices, refunds, disputes, payouts, and the ledger of the balance."""

    def charge(
        self,
        customer: Named | None,
        amount: int,
        currency: str = "usd",
        method: str = "card",
        *,
        pending: bool = False,
        fees: Sequence[Fee] | None = None,
        intent: bool = True,
    ) -> Json:
        """A charge that pays no invoice, of a customer or (None) of a guest.

        Without `intent` it is one of the old Charges API, which belongs to no payment intent.
        """
        with self._settled() as store:
            buyer = identity(customer) if customer is not None else None
            begun = payments.new_intent(store, buyer, amount, currency) if intent else None
            made = payments.new_charge(store, begun, buyer, (amount, currency), payments.method_named(method))
            if pending:
                store.emit("charge.pending", made)
            else:
                payments.succeed(store, made, fees)
            return copy.deepcopy(made)

    def refund(
        self, charge: Named, amount: int | None = None, *, reason: str | None = None, pending: bool = False
    ) -> Json:
        """Refund a charge, or a part of it, without a credit note."""
        with self._settled() as store:
            found = charge_of(store, charge)
            left = refunds.refundable(found)
            return copy.deepcopy(refunds.give_back(store, found, amount or left, reason, pending=pending))

    def settle_refund(self, refund: Named) -> Json:
        """A pending refund reaches the customer."""
        with self._settled() as store:
            found = object_of(store, "refund", refund)
            refunds.succeed(store, found)
            return copy.deepcopy(found)

    def fail_refund(self, refund: Named, reason: str = "expired_or_canceled_card") -> Json:
        """The refund comes back, also days after it succeeded."""
        with self._settled() as store:
            found = object_of(store, "refund", refund)
            refunds.fail(store, found, reason)
            return copy.deepcopy(found)

    def dispute(
        self,
        charge: Named,
        amount: int | None = None,
        *,
        reason: str = "fraudulent",
        inquiry: bool = False,
        prevented: bool = False,
    ) -> Json:
        """The client's bank disputes a charge: the money is withdrawn at once, but of an inquiry or a prevented one."""
        status = "prevented" if prevented else "warning_needs_response" if inquiry else "needs_response"
        with self._settled() as store:
            found = charge_of(store, charge)
            left = found["amount"] - found["amount_refunded"]
            return copy.deepcopy(disputes.begin(store, found, amount or left, reason, status))

    def escalate(self, dispute: Named) -> Json:
        """An inquiry becomes a dispute."""
        with self._settled() as store:
            found = object_of(store, "dispute", dispute)
            disputes.escalate(store, found)
            return copy.deepcopy(found)

    def respond(self, dispute: Named) -> Json:
        """Evidence is submitted."""
        with self._settled() as store:
            found = object_of(store, "dispute", dispute)
            disputes.respond(store, found)
            return copy.deepcopy(found)

    def win(self, dispute: Named) -> Json:
        """The dispute is won; an inquiry is closed."""
        with self._settled() as store:
            found = object_of(store, "dispute", dispute)
            disputes.win(store, found)
            return copy.deepcopy(found)

    def lose(self, dispute: Named) -> Json:
        """The dispute is lost."""
        with self._settled() as store:
            found = object_of(store, "dispute", dispute)
            disputes.lose(store, found)
            return copy.deepcopy(found)

    def payout(
        self,
        currency: str = "usd",
        amount: int | None = None,
        *,
        instant: bool = False,
        arrives: bool = True,
        only_available: bool = False,
        zero: bool = False,
    ) -> Json:
        """Pay out to (or, below zero, take from) the bank, and return the payout.

        Without `amount` it is an automatic one over everything, for which the pending days are taken as over unless
        `only_available`; with `amount` a manual one. `arrives`: it is paid, and an automatic one reconciled, at once;
        else use `arrive` and `reconcile`. `zero` allows a payout of movements that come to nothing.
        """
        if not only_available:
            self.make_available(currency)
        with self._settled() as store:
            made = payouts.create(store, currency, PayoutKind(not instant, instant, amount, zero))
            if arrives:
                payouts.arrive(store, made)
                if made["automatic"]:
                    payouts.reconcile(store, made)
            return copy.deepcopy(made)

    def arrive(self, payout: Named) -> Json:
        """The bank has the payout."""
        with self._settled() as store:
            found = object_of(store, "payout", payout)
            payouts.arrive(store, found)
            return copy.deepcopy(found)

    def reconcile(self, payout: Named) -> Json:
        """Stripe completes the payout's reconciliation."""
        with self._settled() as store:
            found = object_of(store, "payout", payout)
            payouts.reconcile(store, found)
            return copy.deepcopy(found)

    def fail_payout(self, payout: Named, code: str = "account_closed") -> Json:
        """The bank sends the payout back, also after it was paid."""
        with self._settled() as store:
            found = object_of(store, "payout", payout)
            payouts.fail(store, found, code)
            return copy.deepcopy(found)

    def cancel_payout(self, payout: Named) -> Json:
        """A payout that has not left is called back."""
        with self._settled() as store:
            found = object_of(store, "payout", payout)
            payouts.cancel(store, found)
            return copy.deepcopy(found)

    def book(
        self, kind: str, amount: int, currency: str = "usd", *, source: str | None = None, fees: Sequence[Fee] = ()
    ) -> Json:
        """A movement of any type that Stripe has (stripe_fee, reserve_transaction, topup, ...), signed."""
        with self._settled() as store:
            return copy.deepcopy(balance.book(store, Movement(kind, amount, currency, source, fees, kind)))

    def make_available(self, currency: str | None = None) -> None:
        """Let the days pass until what is pending can be paid out."""
        with self._settled() as store:
            held = store.objects["balance_transaction"]
            chosen = [one for _, one in store.pending if currency in (None, held[one]["currency"])]
            for identifier in chosen:
                held[identifier].update(status="available", available_on=store.now)
            # A sorted list is a heap.
            store.pending = sorted(one for one in store.pending if held[one[1]]["status"] == "pending")

    def set_rate(self, source: str, target: str, rate: Decimal | str) -> None:
        """From now on one `source` is `rate` `target` (major units)."""
        with self._settled() as store:
            store.rates.pop((target, source), None)
            store.rates[source, target] = Decimal(rate)

    def add_bank_account(self, currency: str) -> str:
        """From now on money in this currency settles and is paid out in it. Returns the bank account's id."""
        with self._settled() as store:
            return store.bank_accounts.setdefault(currency, f"ba_1Sandbox{currency.upper()}")

    def pay_out_daily(self, on: bool = True) -> None:
        """Begin each day (UTC, at the first request of the day) with the automatic payouts of what is available."""
        with self._settled() as store:
            store.daily_payouts = on
            store.last_payout_day = store.now // balance.DAY

    # The books -----------------------------------------------------------------------------------------------------

    def ledger(self) -> dict[str, dict[str, int]]:
        """The balance by currency: `available`, `pending`, and `movements`, the sum of the net of every one."""
        with self._settled() as store:
            return {
                currency: {
                    "available": available,
                    "pending": pending,
                    "movements": sum(one["net"] for one in balance.movements(store, currency)),
                }
                for currency, (available, pending) in balance.balances(store).items()
            }

    def movements(self, currency: str | None = None, payout: Named | None = None) -> list[Json]:
        """Balance transactions, oldest first: all, of one currency, or of one automatic payout (with its own row)."""
        with self._settled() as store:
            if payout is not None:
                return copy.deepcopy(payouts.members(store, identity(payout)))
            every = list(store.objects["balance_transaction"].values())
            return copy.deepcopy([one for one in every if currency in (None, one["currency"])])

    def objects(self, kind: str) -> list[Json]:
        """Every charge, refund, dispute, credit_note, payout, invoice_payment, ... of the API, oldest first."""
        with self._settled() as store:
            return copy.deepcopy(list(store.objects[kind].values()))

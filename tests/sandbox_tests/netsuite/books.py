"""An account with two subsidiaries and three currencies, and short words for writing records into it."""

from __future__ import annotations

from typing import Any

from tests.sandbox.netsuite import load_world
from tests.sandbox_tests.netsuite.account_client import Account
from tests.sandbox_tests.netsuite.conftest import StartAccount

US, EU = "Northwind Inc", "Northwind GmbH"

WORLD: dict[str, Any] = {
    "currencies": [
        {"symbol": "USD", "name": "US Dollar"},
        {"symbol": "EUR", "name": "Euro", "exchangeRate": "1.10"},
        {"symbol": "JPY", "name": "Yen", "exchangeRate": "0.007"},
    ],
    "subsidiaries": [{"name": US, "currency": "USD"}, {"name": EU, "currency": "EUR"}],
    "terms": [{"name": "Net 30", "daysUntilNetDue": 30}],
    "taxCodes": [{"name": "NY", "rate": "10"}],
    "accounts": [
        {"name": "US Bank", "type": "Bank", "currency": "USD", "subsidiary": US},
        {"name": "US Euro Bank", "type": "Bank", "currency": "EUR", "subsidiary": US},
        {"name": "EU Bank", "type": "Bank", "currency": "EUR", "subsidiary": EU},
        {"name": "Euro Receivables", "type": "AcctRec", "currency": "EUR"},
        {"name": "Hosting Revenue", "type": "Income"},
    ],
    "items": [
        {"name": "Work", "type": "Service"},
        {"name": "Hosting", "type": "Service", "incomeAccount": "Hosting Revenue"},
        {"name": "Coupon", "type": "Discount"},
        {"name": "Silent coupon", "type": "Discount", "nonPosting": True},
        {"name": "Sales tax", "type": "OthCharge", "incomeAccount": "Sales Tax Payable"},
    ],
    "paymentMethods": [{"name": "Stripe"}],
    "exchangeRates": [{"currency": "EUR", "date": "2026-05-20", "rate": "1.20"}],
    "customers": [
        {"number": "C-1", "name": "One", "subsidiary": US},
        {"number": "C-2", "name": "Two", "subsidiary": US, "currencies": ["USD"]},
        {"number": "C-3", "name": "Three", "subsidiary": EU},
    ],
    "orders": [],
}

CUSTOMERS = {"C-1": 501, "C-2": 502, "C-3": 503}
CURRENCIES = {"USD": 1, "EUR": 2, "JPY": 3}


class Books:
    """One account; amounts are numbers in the currency named."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.server = account.server
        shown = {each["acctName"]: int(each["id"]) for each in self.server.records("account")}
        self.accounts: dict[str, int] = shown
        self.items = {each["name"]: 1001 + place for place, each in enumerate(WORLD["items"])}

    def line(self, amount: float, item: str = "Work", **more: Any) -> dict[str, Any]:
        return {"item": {"id": str(self.items[item])}, "amount": amount, **more}

    def invoice_body(
        self, amount: float = 100, customer: str = "C-1", currency: str = "USD", **more: Any
    ) -> dict[str, Any]:
        return {
            "entity": {"id": str(CUSTOMERS[customer])},
            "currency": {"id": str(CURRENCIES[currency])},
            "item": {"items": [self.line(amount)]},
            "tranDate": "2026-05-12",
            **more,
        }

    def invoice(self, amount: float = 100, customer: str = "C-1", currency: str = "USD", **more: Any) -> int:
        return self.account.write("POST", "invoice", self.invoice_body(amount, customer, currency, **more))

    def memo(self, amount: float, applies: dict[int, float] | None = None, **more: Any) -> int:
        body = self.invoice_body(amount, **more)
        return self.account.write("POST", "creditMemo", {**body, "apply": self.apply(applies or {})})

    def payment_body(
        self,
        amount: float,
        applies: dict[int, float] | None = None,
        customer: str = "C-1",
        currency: str = "USD",
        **more: Any,
    ) -> dict[str, Any]:
        return {
            "customer": {"id": str(CUSTOMERS[customer])},
            "currency": {"id": str(CURRENCIES[currency])},
            "payment": amount,
            "tranDate": "2026-05-13",
            "apply": self.apply(applies or {}),
            **more,
        }

    def payment(self, amount: float, applies: dict[int, float] | None = None, **more: Any) -> int:
        return self.account.write("POST", "customerPayment", self.payment_body(amount, applies, **more))

    def refund_body(self, applies: dict[int, float], line: int | None = None, **more: Any) -> dict[str, Any]:
        body = self.payment_body(0, **more)
        del body["payment"]
        account = {"id": str(self.accounts["Undeposited Funds"])}
        return {"account": account, **body, "apply": self.apply(applies, line)}

    def refund(self, applies: dict[int, float], line: int | None = None, **more: Any) -> int:
        return self.account.write("POST", "customerRefund", self.refund_body(applies, line, **more))

    def deposit_body(self, payments: list[int], bank: str = "US Bank", fee: float = 0, **more: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "account": {"id": str(self.accounts[bank])},
            "tranDate": "2026-05-15",
            "payment": {"items": [{"id": payment, "deposit": True} for payment in payments]},
        }
        if fee:
            body["cashback"] = {"items": [self.cash(fee)]}
        return {**body, **more}

    def cash(self, amount: float, account: str = "Stripe Fees") -> dict[str, Any]:
        return {"account": {"id": str(self.accounts[account])}, "amount": amount}

    def deposit(self, payments: list[int], bank: str = "US Bank", fee: float = 0, **more: Any) -> int:
        return self.account.write("POST", "deposit", self.deposit_body(payments, bank, fee, **more))

    def apply(self, applies: dict[int, float], line: int | None = None) -> dict[str, Any]:
        items = [
            {"doc": {"id": str(doc)}, "apply": True, "amount": amount, **({} if line is None else {"line": line})}
            for doc, amount in applies.items()
        ]
        return {"items": items}

    def balance(self, account: str, currency: str = "USD") -> float:
        return float(self.server.ledger()[account][currency])

    def status(self, transaction: int) -> str | None:
        rows = self.account.rows("SELECT status FROM transaction WHERE id = ?", transaction)
        return rows[0].get("status")

    def refused(self, method: str, path: str, body: Any = None) -> str:
        """The refusal's words. Nothing may have changed: every table is as it was."""
        before = self.server.dump(), self.server.ledger()
        words = self.account.refused(method, path, body)
        assert (self.server.dump(), self.server.ledger()) == before
        return words


def started(start_account: StartAccount, **options: Any) -> Books:
    return Books(start_account(load_world(WORLD), **options))

"""Customer payments and refunds, and how credits are applied.

The words for an apply line that is not offered are real (a connector's documentation of its errors): NetSuite does
not say whether the document is paid, pending approval, another customer's or of another currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tests.sandbox.netsuite.records import chart as accounts
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.chart import Account
from tests.sandbox.netsuite.records.headers import Headers
from tests.sandbox.netsuite.records.model import ZERO, Transaction
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.request_body import Fields, choice_of, lines_of

_OWN = frozenset(
    "customer currency account arAcct undepFunds payment apply externalId tranDate postingPeriod exchangeRate "
    "subsidiary id tranId total applied unapplied pending status createdDate lastModifiedDate".split()
)
_HOLDS_MONEY = frozenset({"Bank", "OthCurrAsset", "CredCard", "OthCurrLiab"})
NOTHING_APPLIED = "You must apply the refund to at least one transaction."
_PAYS = {"customerPayment": ("invoice",), "creditMemo": ("invoice",)}
_TAKES = ("creditMemo", "customerPayment")


class Money:
    """Makes payments and refunds; nothing is saved until `save` of the register."""

    def __init__(self, register: Register, headers: Headers) -> None:
        self._register = register
        self._store = register.store
        self._headers = headers

    def payment(self, fields: Fields) -> Transaction:
        found = self._draft("customerPayment", fields)
        found.account = self._payment_account(fields, found.currency, found.subsidiary).id
        sent = fields.get("payment")
        asked = lines_of(fields, "apply")
        if sent is not None:
            found.total = self._headers.amount(sent, found.currency, "payment")
        else:
            found.total = sum((Decimal(line.get("amount") or 0) for line in asked), ZERO)
        if found.total <= 0:
            raise refusals.enter_value("Payment Amount")
        self.apply(found, asked)
        return found

    def refund(self, fields: Fields) -> Transaction:
        found = self._draft("customerRefund", fields)
        account = self._headers.references.account(fields, "account")
        if account is None:
            raise refusals.enter_value("Account")
        self._holds_money(account, found.currency, found.subsidiary)
        found.account = account.id
        self.apply(found, lines_of(fields, "apply"))
        if found.total <= 0:
            raise refusals.access(NOTHING_APPLIED)
        return found

    def edit(self, each: Transaction, fields: Fields, replaced: Iterable[str]) -> None:
        """Change a copy of a payment or refund. What is deposited keeps its amount and account."""
        deposited = self._register.deposit_of(each.id) is not None
        if each.record == "customerPayment":
            if fields.get("payment") is not None:
                amount = self._headers.amount(fields["payment"], each.currency, "payment")
                if deposited and amount != each.total:
                    raise refusals.access("The amount of a deposited payment cannot be changed.")
                each.total = amount
            if fields.get("account") is not None or fields.get("undepFunds") is not None:
                account = self._payment_account(fields, each.currency, each.subsidiary)
                if deposited and account.id != each.account:
                    raise refusals.access("The account of a deposited payment cannot be changed.")
                each.account = account.id
        if "apply" in replaced:
            each.applies = {}
        before = each.total
        self.apply(each, lines_of(fields, "apply"))
        if each.record == "customerRefund" and each.total <= 0:
            raise refusals.access(NOTHING_APPLIED)
        if deposited and each.total != before:
            raise refusals.access("The amount of a deposited payment cannot be changed.")

    def apply(self, each: Transaction, lines: Iterable[Fields]) -> None:
        """Put the apply lines on a credit (each is keyed by doc), or refuse them.

        A refund's total is what it applies. A line without an amount takes what is left of both sides.
        """
        offered = _TAKES if each.record == "customerRefund" else _PAYS[each.record]
        for place, line in enumerate(lines):
            self._apply_line(each, line, offered, f"apply.items[{place}]")
        applied = sum(each.applies.values(), ZERO)
        if each.record == "customerRefund":
            each.total = applied
            return
        refunded = sum(self._register.takers(each.id).values(), ZERO) if each.id else ZERO
        if applied + refunded > each.total:
            raise refusals.access("The amount applied cannot exceed the amount of the transaction.")

    def _apply_line(self, each: Transaction, line: Fields, offered: tuple[str, ...], path: str) -> None:
        document = self._document(line)
        if line.get("apply") is False or (line.get("amount") is not None and Decimal(line["amount"]) == 0):
            each.applies.pop(document or 0, None)
            return
        candidates = (self._register.find(record, document or 0) for record in offered)
        found = next((each for each in candidates if each is not None), None)
        wrong = refusals.no_matching_line("apply", "doc,line", f"{_id_text(line)},{line.get('line', 'null')}")
        if found is None or not self._offers(each, found, line):
            raise wrong
        due = self._register.open_amount(found)
        if each.id:
            due += self._register.takers(found.id).get(each.id, ZERO)
        if due <= 0:
            raise wrong
        if line.get("amount") is not None:
            amount = self._headers.amount(line["amount"], each.currency, "amount", f"{path}.amount")
        else:
            others = sum((part for doc, part in each.applies.items() if doc != found.id), ZERO)
            amount = due if each.record == "customerRefund" else min(due, each.total - others)
        if amount < 0 or amount > due:
            raise wrong
        if amount:
            each.applies[found.id] = amount

    def _offers(self, each: Transaction, found: Transaction, line: Fields) -> bool:
        """True if NetSuite would list the document for this customer, currency and A/R account."""
        key = self._store.options.refund_memo_line if found.record == "creditMemo" else 0
        receivable = found.account if found.receivable is None else found.receivable
        own = each.account if each.receivable is None else each.receivable
        return (
            found.entity == each.entity
            and found.currency == each.currency
            and found.subsidiary == each.subsidiary
            and receivable == own
            and not found.pending
            and line.get("line") in (None, key)
        )

    def _document(self, line: Fields) -> int | None:
        doc = line.get("doc")
        if doc is None:
            raise refusals.enter_value("doc")
        if doc.get("id") is None:
            found = self._store.ids_where("transaction", "externalid", str(doc.get("externalId")))
            return found[0] if found else None
        return int(doc["id"]) if str(doc["id"]).isdigit() else None

    def _draft(self, record: str, fields: Fields) -> Transaction:
        headers = self._headers
        customer = headers.references.customer(fields, "customer")
        headers.mandatory(record, fields)
        currency = headers.currency(fields, customer)
        subsidiary = headers.subsidiary(fields, customer)
        day, period = headers.dates(fields, receivables=True)
        return Transaction(
            record=record,
            id=0,
            currency=currency,
            subsidiary=subsidiary,
            account=0,
            date=day,
            period=period,
            rate=headers.rate(fields, currency, subsidiary, day),
            total=ZERO,
            status=None,
            entity=customer.id,
            receivable=headers.receivable(fields, "arAcct", customer, currency, subsidiary).id,
            external_id=headers.external_id(fields, "transaction"),
            fields={name: value for name, value in fields.items() if name not in _OWN and value is not None},
        )

    def _payment_account(self, fields: Fields, currency: int, subsidiary: int) -> Account:
        """Undeposited Funds unless undepFunds is false, or an account is sent without it."""
        undeposited = choice_of(fields.get("undepFunds"))
        account = self._headers.references.account(fields, "account")
        if account is None if undeposited is None else undeposited.upper() in ("T", "TRUE"):
            return self._store.chart.named(accounts.UNDEPOSITED)
        if account is None:
            raise refusals.enter_value("Account")
        self._holds_money(account, currency, subsidiary)
        return account

    def _holds_money(self, account: Account, currency: int, subsidiary: int) -> None:
        if account.type not in _HOLDS_MONEY:
            raise refusals.invalid_value(account.id, "account")
        self._headers.fits(account, "account", currency, subsidiary)


def _id_text(line: Fields) -> str:
    doc = line.get("doc") or {}
    return str(doc.get("id", doc.get("externalId")))

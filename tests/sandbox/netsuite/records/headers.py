"""What every transaction's header is checked for: date and period, external id, currency, form, precision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.sandbox.netsuite.records import chart as accounts
from tests.sandbox.netsuite.records import refusals
from tests.sandbox.netsuite.records.chart import Account
from tests.sandbox.netsuite.records.references import References
from tests.sandbox.netsuite.records.register import Register
from tests.sandbox.netsuite.records.request_body import legal_external_id
from tests.sandbox.netsuite.world import Customer

_LABELS = {
    "otherRefNum": "PO/Check #",
    "memo": "Memo",
    "terms": "Terms",
    "tranDate": "Date",
    "department": "Department",
}
CLOSED = "You cannot post a transaction in a closed period."
LOCKED = "You cannot post a transaction in a period that is locked for Accounts Receivable."


class Headers:
    """Checks against one account's data."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._store = register.store
        self.references = References(register.store)

    def mandatory(self, record: str, fields: Mapping[str, Any]) -> None:
        """The fields that this account's form demands."""
        for name in self._store.options.mandatory_fields.get(record, ()):
            if fields.get(name) in (None, ""):
                raise refusals.enter_value(_LABELS.get(name, name))

    def external_id(self, fields: Mapping[str, Any], record: str, own: int = 0) -> str | None:
        """Unique among all transactions, all entities, or all items (Oracle's help, section_N3436356)."""
        value = fields.get("externalId")
        if value is None:
            return None
        if any(each != own for each in self._store.ids_where(record, "externalid", str(value))):
            raise refusals.already_exists()
        return str(value)

    def dates(self, fields: Mapping[str, Any], receivables: bool, default: date | None = None) -> tuple[date, int]:
        """The day and the posting period, moved or refused where the period is closed."""
        sent = fields.get("tranDate")
        day = date.fromisoformat(sent) if sent else default or self._store.now().date()
        chart = self._store.chart
        asked = self.references.period(fields)
        if asked is not None:
            if not asked.posts:
                raise refusals.invalid_value(asked.id, "postingPeriod")
            self._check(asked.id, receivables)
            return day, asked.id
        period = chart.month(day)
        preference = self._store.options.closed_period
        if preference == "refused":
            self._check(period.id, receivables)
        elif period.closed or (receivables and period.ar_locked):
            period = chart.first_open_month(day, receivables)
            if preference == "move_date":
                day = period.start
        return day, period.id

    def may_change(self, period: int, receivables: bool, ledger_changes: bool) -> None:
        """A closed period lets through what does not post, if it allows non-G/L changes."""
        found = self._store.chart.periods[period]
        if not ledger_changes and found.allow_non_gl_changes:
            return
        self._check(period, receivables)

    def _check(self, period: int, receivables: bool) -> None:
        found = self._store.chart.periods[period]
        if found.closed:
            raise refusals.access(CLOSED)
        if receivables and found.ar_locked:
            raise refusals.access(LOCKED)

    def currency(self, fields: Mapping[str, Any], customer: Customer) -> int:
        """The currency sent, or the customer's first; it must be in the customer's list."""
        found = self.references.id_of(fields, "currency", "currency")
        if found is None:
            chart = self._store.chart
            own = [each for each in chart.currencies if self.references.allows(customer, each)]
            found = own[0]
        if not self.references.allows(customer, found):
            raise refusals.invalid_value(found, "currency")
        return found

    def subsidiary(self, fields: Mapping[str, Any], customer: Customer) -> int:
        """The customer's; another one that is sent does not agree."""
        own = self.references.subsidiary_of(customer)
        sent = self.references.id_of(fields, "subsidiary", "subsidiary")
        if sent is not None and sent != own:
            raise refusals.invalid_value(sent, "subsidiary")
        return own

    def receivable(
        self, fields: Mapping[str, Any], name: str, customer: Customer, currency: int, subsidiary: int
    ) -> Account:
        """The A/R account sent, the customer's own, or the usual one; it must fit currency and subsidiary."""
        chart = self._store.chart
        found = self.references.account(fields, name)
        if found is None:
            found = chart.named(customer.receivables_account or accounts.RECEIVABLE)
        if found.type != "AcctRec":
            raise refusals.invalid_value(found.id, name)
        self.fits(found, name, currency, subsidiary)
        return found

    def fits(self, account: Account, name: str, currency: int, subsidiary: int) -> None:
        if account.currency not in (None, currency) or account.subsidiary not in (None, subsidiary):
            raise refusals.invalid_value(account.id, name)

    def rate(self, fields: Mapping[str, Any], currency: int, subsidiary: int, day: date) -> Decimal:
        """exchangeRate as sent, else the stored rate of the day; always 1 in the base currency."""
        chart = self._store.chart
        if currency == chart.base_currency(subsidiary):
            return Decimal(1)
        sent = fields.get("exchangeRate")
        if sent is not None and Decimal(sent) <= 0:
            raise refusals.invalid_value(sent, "exchangeRate")
        return Decimal(sent) if sent is not None else chart.rate(currency, subsidiary, day)

    def amount(self, value: Any, currency: int, field: str, path: str | None = None) -> Decimal:
        """An amount the currency can hold: no decimals, or two."""
        found = Decimal(value)
        if found != found.quantize(self._store.chart.minor_unit(currency)):
            raise refusals.invalid_value(value, field, path)
        return found

    def due_date(self, fields: Mapping[str, Any], day: date) -> str | None:
        """dueDate as sent, else by the terms; the day itself without terms."""
        if fields.get("dueDate"):
            return str(fields["dueDate"])
        term_id = self.references.id_of(fields, "terms", "term")
        term = self._store.row("term", term_id) if term_id is not None else None
        days = term["daysuntilnetdue"] if term else None
        return (day + timedelta(days=int(days))).isoformat() if days is not None else day.isoformat()

    def legal(self, external_id: str) -> None:
        """What `eid:` in a path can address."""
        if not legal_external_id(external_id):
            raise refusals.Refused(f"Invalid external id '{external_id}'.", "INVALID_ID", status=400)

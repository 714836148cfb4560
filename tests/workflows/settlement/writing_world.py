"""A NetSuite account, the settlement's policies for it, and a writer that writes plans into it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import requests

from billing.adapters.netsuite.login import login_from_secret
from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.transport import Transport
from billing.domain.settlement.bodies import Resolved, lines_of_invoice, order_lines
from billing.domain.settlement.periods import AccountingPeriod, Posting
from billing.domain.settlement.policies import CurrencyPolicy, SettlementPolicies, parse_policies
from billing.domain.settlement.records import NetSuiteRecord, SettlementPlan
from billing.domain.settlement.written import WriteState, WrittenRecord
from billing.workflows.settlement.writing import Writer
from tests.domain.settlement.facts import POLICY
from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox_tests.netsuite.books import WORLD

JUNE_FIRST = 1_780_300_800.0
ORDER: dict[str, Any] = {
    "number": "SO-500",
    "id": 500,
    "status": "F",
    "date": "2026-05-05",
    "customer": "C-1",
    "currency": "USD",
    "taxCode": "NY",
    "shipping": {"amount": "25.00", "taxCode": None},
    "lines": [
        {"item": "Work", "quantity": "10", "rate": "100.00"},
        {"discount": "50.00"},
        {"item": "Hosting", "quantity": "2", "rate": "50.00"},
    ],
}


@dataclass
class Rows:
    """What was written before, as the table keeps it. `cut` raises instead of writing a row of that state."""

    kept: dict[str, WrittenRecord] = field(default_factory=dict)
    cut: WriteState | None = None

    def record(self, external_id: str) -> WrittenRecord | None:
        return self.kept.get(external_id)

    def intend(self, record: WrittenRecord, at: str) -> None:
        self._put(record)

    def settle(self, record: WrittenRecord, at: str) -> None:
        self._put(record)

    def _put(self, record: WrittenRecord) -> None:
        if record.state is self.cut:
            raise Killed
        self.kept[record.external_id] = record


class Killed(BaseException):
    """The worker dies here."""


class Session(requests.Session):
    """Notes the calls of the record API."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        if "/record/v1/" in url:
            form = "create-form" in (more.get("headers") or {}).get("Accept", "")
            record = re.split("[/?]", url.partition("/record/v1/")[2])[0]
            self.seen.append(f"{'preview' if form else method} {record}")
        return super().request(method, url, *args, **more)


@dataclass
class Desk:
    """The account and everything that a pass needs of it."""

    server: NetSuiteServer
    slept: list[float] = field(default_factory=list)
    rows: Rows = field(default_factory=Rows)
    session: Session = field(default_factory=Session)
    changes: Callable[[SettlementPolicies], SettlementPolicies] = lambda found: found

    def __post_init__(self) -> None:
        login = login_from_secret(self.server.oauth2_credentials, self.server.url, lambda: JUNE_FIRST)
        transport = Transport(self.server.url, login, self.slept.append, self.session, jitter=lambda: 1.0)
        self.records = NetSuiteRecords(transport)
        self.accounts = {str(each["acctName"]): str(each["id"]) for each in self.server.records("account")}
        self.items = {each["name"]: str(1001 + place) for place, each in enumerate(WORLD["items"])}
        found = replace(
            parse_policies(POLICY),
            subsidiary="",
            receivable=self.accounts["Accounts Receivable"],
            undeposited_funds=self.accounts["Undeposited Funds"],
            out_of_band_account=self.accounts["US Bank"],
            reserve=self.accounts["Stripe Reserve"],
            dispute_reversals=self.accounts["Dispute Reversals"],
            fx=self.accounts["Realized Gain/Loss"],
            fees={"stripe_fee": self.accounts["Stripe Fees"], "dispute": self.accounts["Dispute Fees"]},
            items={
                **dict.fromkeys(parse_policies(POLICY).items, self.items["Work"]),
                "shipping": self.items["Hosting"],
                "discount": self.items["Coupon"],
            },
            tax_items={"txr_ny": self.items["Sales tax"], "order": self.items["Sales tax"]},
            currencies={
                "usd": CurrencyPolicy("1", 2, self.accounts["US Bank"]),
                "eur": CurrencyPolicy("2", 2, self.accounts["US Euro Bank"]),
                "jpy": CurrencyPolicy("3", 0),
            },
        )
        self.policies = self.changes(found)
        self.periods = {
            str(each["periodName"]): AccountingPeriod(
                str(each["id"]),
                str(each["periodName"]),
                date.fromisoformat(each["startDate"]),
                date.fromisoformat(each["endDate"]),
                False,
                False,
            )
            for each in self.server.records("accountingPeriod")
            if not each["isQuarter"] and not each["isYear"]
        }

    @property
    def writer(self) -> Writer:
        return Writer(self.records, self.rows, self.policies, self.slept.append, "2026-06-01T08:00:00Z")

    def resolved(self, record: NetSuiteRecord) -> Resolved:
        period = next(one for one in self.periods.values() if one.first <= record.on <= one.last)
        named = [one.external_id for one in record.applies]
        named += [one.external_id for one in record.deposit.payments] if record.deposit else []
        documents = {one: self.rows.kept[one].internal_id for one in named if one in self.rows.kept}
        credited = []
        if record.credits and not record.lines:
            held = self.records.by_external_id("invoice", record.credits)
            credited = lines_of_invoice(held or {}, record.currency, self.policies)
        lines: list[tuple[str, str]] = []
        if record.transform is not None:
            lines = order_lines(self.records.by_id("salesOrder", record.transform.order_id) or {})
        return Resolved(
            "" if record.deposit else record.netsuite_customer or "501",
            Posting(period, record.on, moved=False),
            {line.item: line.item.item_id or self.policies.item(line.item.role) for line in record.lines},
            documents,
            credited,
            lines,
        )

    def write(self, *records: NetSuiteRecord) -> list[WrittenRecord]:
        return [self.writer.settled(one) or self.writer.write(one, self.resolved(one), "in_1") for one in records]

    def settle(self, plan: SettlementPlan) -> list[WrittenRecord]:
        """A pass: what is applied too much is taken back first, then everything in its order."""
        self.writer.loosen((one, self.resolved(one)) for one in plan.records if self._is_to_change(one))
        return self.write(*plan.records)

    def _is_to_change(self, record: NetSuiteRecord) -> bool:
        return record.external_id in self.rows.kept and self.writer.settled(record) is None

    def calls(self) -> list[str]:
        """What was called since the last time, as "POST invoice", "preview deposit" or "GET creditMemo"."""
        found = list(self.session.seen)
        self.session.seen.clear()
        return found

    def balance(self, account: str, currency: str = "USD") -> str:
        """Major units, debits positive."""
        return format(self.server.ledger()[account][currency].normalize() + 0, "f")

    def held(self, record_type: str) -> list[Mapping[str, Any]]:
        return self.server.records(record_type)


def world(**more: Any) -> Any:
    return load_world(json.loads(json.dumps({**WORLD, "orders": [ORDER], **more})))

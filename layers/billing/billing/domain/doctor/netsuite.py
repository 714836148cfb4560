"""What NetSuite shows the integration's role, as lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from billing.domain.doctor.finding import Finding, fine, listed, note, wrong
from billing.domain.money.currencies import CurrencyUnknown, rule_of

PERMISSIONS: Final = {
    "transaction": "Transactions > Sales Order (View)",
    "transactionline": "Transactions > Sales Order (View)",
    "customer": "Lists > Customers (View)",
    "item": "Lists > Items (View)",
    "currency": "Lists > Currency (View)",
    "term": "Lists > Terms (View)",
    "accountingperiod": "Setup > Manage Accounting Periods (View)",
    "account": "Lists > Accounts (View)",
    "subsidiary": "Lists > Subsidiaries (View)",
}
"""The role's permission without which SuiteQL knows no such record: README, "NetSuite", step 2."""

_WORKBOOK: Final = "Reports > SuiteAnalytics Workbook (Edit) and Setup > REST Web Services (Full)"
_SANDBOX: Final = re.compile(r"_(SB|RP)\d*$|^TSTDRV|^TD\d", re.IGNORECASE)
SOON_DAYS: Final = 45
"""NetSuite's own mails come two months, one month and two weeks before a certificate ends."""

_LONGEST_DAYS: Final = 731
"""Oracle's help, "OAuth 2.0 Client Credentials Setup": a certificate lives two years at most."""


@dataclass(frozen=True, slots=True)
class TableFound:
    """A table that the product's queries read: the columns that the account lacks or hides, or NetSuite's own words if
    it shows nothing of the table."""

    table: str
    columns: tuple[str, ...]
    missing: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class QueryFound:
    """One of the product's queries, and why NetSuite refuses it, "" if it does not."""

    name: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CurrencyFound:
    """A currency of the account; `precision` is None where the column does not exist."""

    id: str
    symbol: str
    precision: int | None


@dataclass(frozen=True, slots=True)
class CertificateFound:
    """The certificate in the secret; `of_the_key` says whether the private key beside it is its own."""

    begins: date
    ends: date
    of_the_key: bool


def is_sandbox(account: str) -> bool:
    """Whether an account id is that of a sandbox, release preview or test drive: 1234567_SB1, TSTDRV123."""
    return _SANDBOX.search(account.strip()) is not None


def login_finding(method: str, account: str) -> Finding:
    """`method` is "oauth2" or "tba"."""
    where = f"{'sandbox' if is_sandbox(account) else 'production'} account {account}"
    if method == "tba":
        return note(
            "netsuite.login",
            f"token-based, {where}. Oracle takes no new integrations for it from 2027.1: plan the change to OAuth 2.0.",
        )
    return fine("netsuite.login", f"OAuth 2.0 with a certificate, {where}")


def certificate_finding(method: str, found: CertificateFound | None, today: date) -> Finding:
    """When the certificate ends, if it is known."""
    check = "netsuite.certificate"
    if method == "tba":
        return fine(check, "none: token-based authentication has no certificate")
    if found is None:
        return note(
            check,
            'its end is not known: put netsuite-certificate.pem into the secret as "certificate" (it is public) and it '
            "is watched here.",
        )
    if not found.of_the_key:
        return wrong(
            check,
            'the secret\'s "certificate" is not that of its "private_key": write both, and "certificate_id", together.',
        )
    left = (found.ends - today).days
    if left < 0:
        return wrong(check, f"it ended on {found.ends}. Make and upload a new one (runbook, Rotating).")
    if today < found.begins:
        return wrong(check, f"it begins only on {found.begins}. Make one that is valid today (README, NetSuite).")
    if left <= SOON_DAYS:
        return wrong(check, f"it ends on {found.ends}, in {left} days. Make and upload a new one (runbook, Rotating).")
    if (found.ends - found.begins).days > _LONGEST_DAYS:
        return note(
            check, f"it says {found.ends}, but NetSuite ends every certificate after two years: see the mapping's list."
        )
    return fine(check, f"ends on {found.ends}, in {left} days")


def columns_finding(found: Sequence[TableFound], optional: Collection[str]) -> Finding:
    """`optional` are the columns ("term.daysuntilnetdue") that the product goes without."""
    check = "netsuite.columns"
    refused = [one for one in found if one.refused]
    if found and len(refused) == len(found):
        return wrong(
            check,
            f"the role may run no query: give it {_WORKBOOK}, and View on what README names. {_said(refused[0])}",
        )
    if refused:
        wanted = listed(dict.fromkeys(PERMISSIONS.get(one.table, f"View on {one.table}") for one in refused))
        tables = listed(one.table for one in refused)
        return wrong(check, f"the role does not see {tables}: give it {wanted}. {_said(refused[0])}")
    missing = [f"{one.table}.{column}" for one in found for column in one.missing]
    needed = [one for one in missing if one not in optional]
    if needed:
        return wrong(
            check,
            f"NetSuite does not know {listed(needed)}, which no run can do without: let the role see "
            f"{'it' if len(needed) == 1 else 'them'} (the feature is off, the field is mistyped, or a permission is "
            "missing).",
        )
    asked = f"{sum(len(one.columns) for one in found)} columns of {len(found)} tables are there"
    if missing:
        return note(
            check,
            f"{asked} but for {listed(missing)}; the listing goes without (docs/open-questions.md says what follows).",
        )
    return fine(check, asked)


def queries_finding(found: Sequence[QueryFound]) -> Finding:
    """Each of the product's queries, asked for no rows."""
    check = "netsuite.queries"
    refused = [one for one in found if one.refused]
    if not refused:
        return fine(check, f"{len(found)} queries of the product are understood")
    names = listed(f"{one.name} ({one.refused})" for one in refused)
    return wrong(check, f"NetSuite refuses {names}. Compare the role with README; else tell the developers.")


def currencies_finding(found: Sequence[CurrencyFound]) -> Finding:
    """Whether amounts of each currency can be sent to Stripe as they are."""
    check = "netsuite.currencies"
    if not found:
        return wrong(check, "the role sees no active currency: give it Lists > Currency (View).")
    unknown, differing, unclear = [], [], []
    for one in found:
        try:
            decimals = rule_of(one.symbol.strip().lower()).decimals
        except CurrencyUnknown:
            unknown.append(f"{one.symbol or '(empty)'} (id {one.id})")
            continue
        if one.precision is None:
            unclear.append(one.symbol)
        elif one.precision > decimals:
            differing.append(f"{one.symbol} ({one.precision} decimals, Stripe {decimals})")
    if unknown:
        # One that nobody bills in is no mistake; that none is known is: every order would be a problem.
        told = wrong if len(unknown) == len(found) else note
        return told(
            check,
            f"Stripe holds no currency {listed(unknown)}: orders in it become problems. If it is billed, write its ISO "
            "code into its symbol (Setup > Accounting > Currencies).",
        )
    if differing:
        return note(check, f"{listed(differing)}: an amount that Stripe cannot hold becomes a problem of its order.")
    if unclear:
        return note(check, f"{listed(unclear)}: the account shows no currencyprecision; the ISO code's decimals count.")
    return fine(check, f"{listed(sorted(one.symbol for one in found))}: decimals agree with Stripe's")


def records_finding(asked: Iterable[str], refused: Sequence[str]) -> Finding:
    """`refused`: NetSuite's refusals of previews that save nothing, as sentences."""
    check = "netsuite.records"
    if refused:
        return wrong(check, listed(dict.fromkeys(refused)))
    return fine(check, f"the role may make {listed(asked)} (previewed, nothing saved)")


def _said(one: TableFound) -> str:
    return f'NetSuite says: "{one.refused}"'

"""What was found becomes one line: fine, or what is wrong and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.doctor import kept, mail, netsuite, policies, slack
from billing.domain.doctor import stripe as stripe_lines
from billing.domain.doctor.finding import Finding, Verdict, all_well, fine, masked, note, shown, unchecked, wrong
from billing.domain.doctor.netsuite import CertificateFound, CurrencyFound, QueryFound, TableFound
from billing.domain.doctor.policies import Existing
from billing.domain.doctor.stripe import Allowed, ReadFound, WebhookFound, WebhookWanted
from billing.domain.doctor.suiteql_text import asking_nothing, columns_read
from billing.domain.settlement.policies import SettlementPolicies, parse_policies

TODAY = date(2026, 6, 1)


def test_nothing_that_names_a_person_or_opens_a_door_is_shown() -> None:
    told = shown(
        "ann.approver@firm.example <bob@firm.example>: sk_live_abc123, rk_test_xyz, whsec_123 and xoxb-1-2\n"
        "-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY----- Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3M.sig"
    )
    assert told == (
        "an***@firm.example <bo***@firm.example>: (hidden), (hidden), (hidden) and (hidden) (hidden) Bearer (hidden)"
    )
    assert masked("a@firm.example") == "a***@firm.example"


def test_what_is_wrong_or_unchecked_is_not_well() -> None:
    good = [fine("a", ""), note("b", "")]
    assert all_well(good)
    assert not all_well([*good, wrong("c", "")])
    assert not all_well([*good, unchecked("c", "")])
    assert wrong("slack.token", "do it").line == "wrong     slack.token            do it"


def verdict(found: Finding, *words: str) -> Verdict:
    for word in words:
        assert word in found.text
    return found.verdict


# ---- Stripe's mode --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "event_mode", "sandbox", "expected", "word"),
    [
        ("rk_live_a", "live", False, Verdict.FINE, "live mode"),
        ("rk_test_a", "test", True, Verdict.FINE, "test mode"),
        ("rk_live_a", "", None, Verdict.FINE, "live mode"),
        ("sk_live_a", "", False, Verdict.NOTE, "restricted"),
        ("rk_test_a", "", False, Verdict.NOTE, "only test invoices"),
        ("rk_live_a", "test", False, Verdict.WRONG, "StripeEventMode is test"),
        ("rk_test_a", "live", True, Verdict.WRONG, "StripeEventMode is live"),
        ("rk_live_a", "live", True, Verdict.WRONG, "NetSuite sandbox"),
        ("rk_live_a", "", True, Verdict.WRONG, "NetSuite sandbox"),
        ("rk_test_a", "test", False, Verdict.WRONG, "reach the books"),
        ("pk_live_a", "", False, Verdict.WRONG, "restricted key"),
        ("", "", None, Verdict.WRONG, "restricted key"),
    ],
)
def test_one_mode_of_stripe_for_one_netsuite_account(
    key: str, event_mode: str, sandbox: bool | None, expected: Verdict, word: str
) -> None:
    found = stripe_lines.key_finding(key, event_mode, sandbox)
    assert verdict(found, word) is expected
    assert not key or key not in found.text


@pytest.mark.parametrize(
    ("account", "expected"),
    [("1234567", False), ("1234567_SB1", True), ("1234567-sb2", False), ("1234567_RP", True), ("TSTDRV123", True)],
)
def test_sandboxes_are_known_by_their_account_ids(account: str, expected: bool) -> None:
    assert netsuite.is_sandbox(account) is expected


def test_permissions_are_named_once_as_stripe_names_them() -> None:
    found = stripe_lines.permissions_finding(
        [
            ReadFound("customers", "Customers: Write", Allowed.NO, "rak_customer_read"),
            ReadFound("the customer search", "Customers: Write", Allowed.NO, "rak_customer_read"),
            ReadFound("invoices", "Invoices: Write", Allowed.YES),
        ]
    )
    assert found.text == (
        "the key may not read customers, the customer search: give it Customers: Write (rak_customer_read)."
    )


WANTED = WebhookWanted("https://api.example/stripe/events", ("invoice.paid", "payout.paid"), has_bus=False)


@pytest.mark.parametrize(
    ("endpoints", "expected", "word"),
    [
        ([WebhookFound(WANTED.url, True, False, ("*",))], Verdict.FINE, "2 event types"),
        ([WebhookFound(WANTED.url + "/", True, False, ("invoice.*", "payout.paid"))], Verdict.FINE, ""),
        ([WebhookFound(WANTED.url, True, False, ("invoice.paid",))], Verdict.WRONG, "payout.paid"),
        ([WebhookFound(WANTED.url, True, True, ("*",))], Verdict.WRONG, "no endpoint in test mode"),
        ([WebhookFound("https://old.example/stripe/events", True, False, ("*",))], Verdict.WRONG, "no endpoint"),
        ([WebhookFound(WANTED.url, False, False, ("*",))], Verdict.WRONG, "disabled"),
        (None, Verdict.NOTE, "Webhook Endpoints: Read"),
    ],
)
def test_the_webhook_endpoint(endpoints: list[WebhookFound] | None, expected: Verdict, word: str) -> None:
    assert verdict(stripe_lines.webhook_finding(WANTED, endpoints, "test", 1), word) is expected


def test_with_the_partner_bus_no_endpoint_is_needed() -> None:
    bus = WebhookWanted(WANTED.url, WANTED.types, has_bus=True)
    assert stripe_lines.webhook_finding(bus, [], "live", 1).verdict is Verdict.FINE


def test_another_version_is_named() -> None:
    assert verdict(stripe_lines.version_finding("2026-10-28.endive", "2020-08-27"), "2020-08-27") is Verdict.WRONG
    assert stripe_lines.version_finding("2026-10-28.endive", "").verdict is Verdict.FINE


# ---- NetSuite -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected", "word"),
    [
        (CertificateFound(date(2026, 5, 1), date(2028, 4, 30), True), Verdict.FINE, "in 699 days"),
        (CertificateFound(date(2026, 5, 1), date(2026, 7, 16), True), Verdict.WRONG, "in 45 days"),
        (CertificateFound(date(2026, 5, 1), date(2026, 7, 17), True), Verdict.FINE, "in 46 days"),
        (CertificateFound(date(2024, 5, 1), date(2026, 5, 31), True), Verdict.WRONG, "it ended on 2026-05-31"),
        (CertificateFound(date(2026, 6, 2), date(2028, 5, 31), True), Verdict.WRONG, "begins only on 2026-06-02"),
        (CertificateFound(date(2026, 5, 1), date(2036, 4, 30), True), Verdict.NOTE, "after two years"),
        (CertificateFound(date(2026, 5, 1), date(2028, 4, 30), False), Verdict.WRONG, "certificate_id"),
        (None, Verdict.NOTE, "its end is not known"),
    ],
)
def test_when_the_certificate_ends(found: CertificateFound | None, expected: Verdict, word: str) -> None:
    assert verdict(netsuite.certificate_finding("oauth2", found, TODAY), word) is expected


def test_token_based_authentication_has_no_certificate_and_no_future() -> None:
    assert netsuite.certificate_finding("tba", None, TODAY).verdict is Verdict.FINE
    assert verdict(netsuite.login_finding("tba", "1234567"), "2027.1") is Verdict.NOTE


def test_a_column_that_the_listing_goes_without_is_noted_and_another_is_wrong() -> None:
    tables = [TableFound("term", ("id", "datedriven"), ("datedriven",)), TableFound("currency", ("symbol",))]
    assert verdict(netsuite.columns_finding(tables, {"term.datedriven"}), "term.datedriven") is Verdict.NOTE
    assert verdict(netsuite.columns_finding(tables, ()), "let the role see it") is Verdict.WRONG


def test_a_table_that_is_hidden_is_named_with_its_permission_and_netsuites_words() -> None:
    tables = [TableFound("currency", ("symbol",), refused="Record 'currency' was not found."), TableFound("item", ())]
    found = netsuite.columns_finding(tables, ())
    assert verdict(found, "Lists > Currency (View)", "Record 'currency' was not found.") is Verdict.WRONG


def test_a_query_that_is_refused_is_named() -> None:
    found = netsuite.queries_finding([QueryFound("the listing"), QueryFound("what has moved", "no aggregates")])
    assert verdict(found, "what has moved (no aggregates)") is Verdict.WRONG
    assert "the listing" not in found.text


@pytest.mark.parametrize(
    ("currencies", "expected", "word"),
    [
        ([CurrencyFound("1", "USD", 2), CurrencyFound("2", "JPY", 0)], Verdict.FINE, "JPY, USD"),
        ([CurrencyFound("1", "JPY", 2)], Verdict.NOTE, "JPY (2 decimals, Stripe 0)"),
        ([CurrencyFound("1", "KWD", 2)], Verdict.FINE, "KWD"),
        ([CurrencyFound("1", "US$", 2)], Verdict.WRONG, "US$ (id 1)"),
        ([CurrencyFound("1", "", 2)], Verdict.WRONG, "(empty) (id 1)"),
        ([CurrencyFound("1", "USD", 2), CurrencyFound("9", "CUP", 2)], Verdict.NOTE, "CUP (id 9)"),
        ([CurrencyFound("1", "USD", None)], Verdict.NOTE, "currencyprecision"),
        ([], Verdict.WRONG, "no active currency"),
    ],
)
def test_currencies_are_compared_with_stripes(currencies: list[CurrencyFound], expected: Verdict, word: str) -> None:
    assert verdict(netsuite.currencies_finding(currencies), word) is expected


# ---- mail, Slack, keys, tables --------------------------------------------------------------------------------------


def test_mail() -> None:
    assert verdict(mail.account_finding(mail.AccountFound(True, True, "SHUTDOWN"), []), "shutdown") is Verdict.WRONG
    assert mail.account_finding(mail.AccountFound(False, True, "HEALTHY"), []).verdict is Verdict.NOTE
    assert verdict(mail.tracking_finding(None), "deploy again") is Verdict.WRONG
    heard = frozenset({"BOUNCE", "COMPLAINT", "REJECT"})
    assert mail.tracking_finding(mail.ConfigurationFound(True, "", heard)).verdict is Verdict.FINE
    assert verdict(mail.tracking_finding(mail.ConfigurationFound(False, "", heard)), "sending is off") is Verdict.WRONG
    clicks = mail.ConfigurationFound(True, "", heard | {"CLICK"})
    assert verdict(mail.tracking_finding(clicks), "tracks click") is Verdict.WRONG
    deaf = mail.ConfigurationFound(True, "", frozenset({"BOUNCE"}))
    assert verdict(mail.tracking_finding(deaf), "complaint, reject") is Verdict.WRONG


def test_slack() -> None:
    assert slack.scopes_finding(frozenset({"chat:write"})).verdict is Verdict.NOTE
    assert slack.scopes_finding(frozenset()).verdict is Verdict.NOTE
    assert slack.channel_finding("C1", "missing_scope").verdict is Verdict.NOTE
    assert verdict(slack.channel_finding("C1", "is_archived"), "archived") is Verdict.WRONG
    assert verdict(slack.channel_finding("C1", "something_new"), "something_new") is Verdict.WRONG


def test_the_ring_of_keys() -> None:
    long, other = "a" * 32, "b" * 32
    assert kept.ring_finding({"keys": [], "first": long}).verdict is Verdict.FINE
    two = {"keys": [{"id": "2026-11", "key": long}, {"id": "2026-10", "key": other}], "first": long}
    found = kept.ring_finding(two)
    assert verdict(found, '"2026-11" signs, 3 verify') is Verdict.FINE
    assert long not in found.text
    assert verdict(kept.ring_finding({"keys": "a"}), "no list") is Verdict.WRONG
    assert verdict(kept.ring_finding({"keys": [{"id": "x"}]}), "no list") is Verdict.WRONG
    doubled = {"keys": [{"id": "x", "key": long}, {"id": "x", "key": other}]}
    assert verdict(kept.ring_finding(doubled), "one id") is Verdict.WRONG
    many = {"keys": [{"id": str(number), "key": long} for number in range(6)]}
    assert kept.ring_finding(many).verdict is Verdict.NOTE


def test_tables_and_bucket() -> None:
    gone = kept.TableState("LedgerTable", "", recoverable=False)
    assert verdict(kept.tables_finding([gone]), "LedgerTable cannot be used") is Verdict.WRONG
    assert verdict(kept.bucket_finding(None), "gone") is Verdict.WRONG


# ---- the settlement's policies --------------------------------------------------------------------------------------

POLICIES = """
subsidiary = "1"
[currencies.usd]
id = "1"
bank = "221"
[accounts]
undeposited_funds = "116"
[accounts.fees]
stripe_fee = "331"
[items]
global = "401"
"""


def test_every_id_of_the_policies_must_be_in_the_account() -> None:
    given = parse_policies(POLICIES)
    ids = policies.ids_of(given)
    assert ids["account"] == {
        "accounts.undeposited_funds": "116",
        "accounts.fees.stripe_fee": "331",
        "currencies.usd.bank": "221",
    }
    there = {
        "account": Existing(dict.fromkeys(("116", "331", "221"), False), {}),
        "item": Existing({"401": False}, {}),
        "subsidiary": Existing({"1": False}, {}),
        "currency": Existing({"1": False}, {"1": "USD"}),
    }
    assert verdict(policies.policies_finding(given, there), "6 ids") is Verdict.FINE
    for table, found, word in (
        ("item", Existing({}, {}), "items.global = 401 is no item"),
        ("subsidiary", Existing({}, {}), "subsidiary = 1 is no subsidiary"),
        (
            "account",
            Existing({"116": False, "331": True, "221": False}, {}),
            "accounts.fees.stripe_fee = 331 is inactive",
        ),
        ("currency", Existing({"1": False}, {"1": "EUR"}), "currencies.usd.id = 1 is EUR in NetSuite"),
    ):
        assert verdict(policies.policies_finding(given, {**there, table: found}), word) is Verdict.WRONG
    hidden = {**there, "account": Existing({}, {}, "no")}
    assert verdict(policies.policies_finding(given, hidden), "Lists > Accounts (View)") is Verdict.NOTE


def test_policies_that_hold_everything_are_wrong_and_those_that_hold_something_are_noted() -> None:
    assert verdict(policies.policies_finding(parse_policies(""), {}), "no currency") is Verdict.WRONG
    few = parse_policies('[currencies.usd]\nid = "1"\n')
    found = policies.policies_finding(few, {"currency": Existing({"1": False}, {"1": "USD"})})
    assert verdict(found, "accounts.undeposited_funds", "currencies.usd.bank") is Verdict.NOTE


# ---- queries as texts -----------------------------------------------------------------------------------------------


def test_tables_and_columns_are_read_from_a_querys_own_text() -> None:
    query = (
        "SELECT t.id, BUILTIN.DF(t.terms) AS termsname, term.datedriven FROM transaction t LEFT JOIN term ON term.id ="
        " t.terms WHERE t.type = 'no.column' AND t.id IN (SELECT ml.transaction FROM transactionline ml)"
    )
    assert columns_read([query]) == {
        "term": ("datedriven", "id"),
        "transaction": ("id", "terms", "type"),
        "transactionline": ("transaction",),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "SELECT a.b FROM a WHERE a.b = 1 OR a.c = 2 GROUP BY a.b ORDER BY a.b ASC",
            "SELECT a.b FROM a WHERE 1 = 0 AND (a.b = 1 OR a.c = 2) GROUP BY a.b ORDER BY a.b ASC",
        ),
        ("SELECT p.id FROM p ORDER BY p.id", "SELECT p.id FROM p WHERE 1 = 0 ORDER BY p.id"),
    ],
)
def test_a_query_is_asked_for_no_rows(query: str, expected: str) -> None:
    assert asking_nothing(query) == expected


def test_one_stripe_account_is_one_subsidiary() -> None:
    given = parse_policies('subsidiary = "2"\n[currencies.usd]\nid = "1"\nbank = "12"')
    there = {
        "account": Existing({"12": False}, {}),
        "subsidiary": Existing({"2": False}, {}),
        "currency": Existing({"1": False}, {"1": "USD"}),
    }
    none = replace(given, subsidiary="")

    def found(policy: SettlementPolicies, *more: tuple[str, ...]) -> Finding:
        return policies.policies_finding(policy, there, *more)

    assert verdict(found(none, ("1", "2")), "subsidiary is missing, and the role sees 2 (1, 2)") is Verdict.WRONG
    assert verdict(found(given, ("1", "2"), ("1",)), "Subsidiaries bills 1 into") is Verdict.WRONG
    assert verdict(found(given, ("1", "2"), ("2", "3")), "bills 2, 3 into") is Verdict.WRONG
    assert verdict(found(given, ("1", "2")), "Subsidiaries is empty") is Verdict.WRONG
    for right in (found(given, ("1", "2"), ("2",)), found(given, ("2",)), found(none, ("2",)), found(none)):
        assert verdict(right, "not set") is Verdict.NOTE, "what is left are the fee accounts"

"""Stripe over real HTTP: what each of its failures means, and that lists are read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.customers import StripeCustomers
from billing.adapters.stripe.invoices import StripeInvoices
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.stripe_failures import CustomerMissing, KeyUsedOtherwise, ObjectMissing, ReplayedFailure
from tests.sandbox.faults import Answer, DropAfter, DropBefore
from tests.sandbox.stripe import LockTimeout, RateLimits, StoredError, StripeServer

NOW = 1_780_300_800.0


@dataclass
class Account:
    server: StripeServer
    slept: list[float] = field(default_factory=list)
    time: float = NOW

    def __post_init__(self) -> None:
        self.caller = Caller(self.slept.append, lambda: 0.0, share=0, jitter=lambda: 1.0)
        client = stripe_client("sk_test_sandbox", self.server.url)
        self.invoices = StripeInvoices(client, self.caller)
        self.customers = StripeCustomers(client, self.caller)

    def create(self, key: str = "k", **params: Any) -> Any:
        return self.invoices.create(
            {"customer": self.customer, "collection_method": "send_invoice", "days_until_due": 30, "currency": "usd",
             **params}, key,
        )  # fmt: skip

    @property
    def customer(self) -> str:
        known = self.server.customers()
        return str((known[0] if known else self.server.create_customer(email="ap@x.example"))["id"])


@pytest.fixture
def account(no_sdk_pauses: None) -> Iterator[Account]:
    with StripeServer(lambda: NOW, rate_limits=RateLimits.off()) as server:
        yield Account(server)
        assert server.errors == []


# Failures ------------------------------------------------------------------------------------------------


def test_a_rate_limit_is_waited_out_with_growing_pauses(account: Account) -> None:
    account.server.faults.add(path="/invoices", action=Answer(429, b'{"error":{"code":"rate_limit"}}'), times=3)
    account.create()
    assert account.slept == [0.2, 0.4, 0.8]


def test_a_rate_limit_that_stays_is_a_passing_error(account: Account) -> None:
    fault = account.server.faults.add(path="/invoices", action=Answer(429, b'{"error":{}}'), times=None)
    with pytest.raises(PassingError, match="limits the rate of 'create invoice'"):
        account.create()
    assert fault.hits == 6


@pytest.mark.parametrize(
    "fault", [LockTimeout(), StoredError(400, "invalid_request_error", "customer_tax_location_invalid")]
)
@pytest.mark.parametrize("commit", [False, True])
def test_a_failure_that_stripe_kept_under_the_key_is_told_from_a_new_one(
    account: Account, fault: StoredError, commit: bool
) -> None:
    stored = StoredError(fault.status, fault.kind, fault.code, fault.message, commit, fault.should_retry)
    account.server.faults.add(method="POST", path="/invoices", action=stored)
    for _ in range(2):
        try:
            account.create()
        except (PassingError, PersonNeeded):
            continue
        except ReplayedFailure:
            break
    else:
        pytest.fail("the replay was not recognised")
    assert account.create("another key").status == "draft"
    assert len(account.server.invoices()) == 1 + commit


def test_a_500_is_passing_and_its_replay_is_recognised(account: Account) -> None:
    account.server.faults.add(method="POST", path="/invoices", action=StoredError())
    with pytest.raises(PassingError, match="fault in 'create invoice'"):
        account.create()
    with pytest.raises(ReplayedFailure):
        account.create()


def test_a_success_that_is_replayed_is_the_same_draft(account: Account) -> None:
    assert account.create() == account.create()
    assert len(account.server.invoices()) == 1


def test_a_key_used_with_other_parameters_is_told_from_all_other_refusals(account: Account) -> None:
    account.create()
    with pytest.raises(KeyUsedOtherwise):
        account.create(description="other")


def test_a_key_that_is_in_use_can_pass(account: Account) -> None:
    in_use = Answer(409, b'{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"m"}}')
    account.server.faults.add(path="/invoices", action=in_use, times=None)
    with pytest.raises(PassingError, match="still working on the same"):
        account.create()


@pytest.mark.parametrize("fault", [DropBefore(), DropAfter()])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(account: Account, fault: Any) -> None:
    account.server.faults.add(method="POST", path="/invoices", action=fault, times=2)
    account.create()
    assert len(account.server.invoices()) == 1


@pytest.mark.parametrize("fault", [DropBefore(), DropAfter(), Answer(503, b"<html>")])
def test_stripe_that_gives_no_answer_is_a_passing_error(account: Account, fault: Any) -> None:
    account.server.faults.add(method="POST", path="/invoices", action=fault, times=None)
    with pytest.raises(PassingError):
        account.create()


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_needs_a_person(account: Account, status: int) -> None:
    body = b'{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_secret"}}'
    account.server.faults.add(path="/invoices", action=Answer(status, body))
    with pytest.raises(PersonNeeded, match="check the secret") as refused:
        account.create()
    assert "sk_test" not in str(refused.value)


def test_what_stripe_says_stays_out_of_the_message_and_reaches_the_ledgers_note(account: Account) -> None:
    """Stripe quotes addresses and amounts in its texts, and the message is in the execution's history."""
    body = (
        b'{"error":{"type":"invalid_request_error","code":"email_invalid","param":"email",'
        b'"message":"Invalid email address: ann@acme.example"}}'
    )
    account.server.faults.add(path="/customers", action=Answer(400, body, {"Request-Id": "req_7"}))
    with pytest.raises(PersonNeeded) as refused:
        account.customers.create("77", "Acme", "ann@acme.example", "k")
    assert str(refused.value) == "Stripe refused 'create customer', request req_7: email_invalid, parameter email."
    assert "ann@acme.example" in refused.value.__notes__[0]


def test_a_deleted_customer_is_named_as_such(account: Account) -> None:
    gone = account.customer
    account.server.delete_customer(gone)
    with pytest.raises(CustomerMissing):
        account.create(customer=gone)
    assert account.customers.by_id(gone) is None
    assert account.customers.by_id("cus_never") is None
    assert account.invoices.of_customer(gone, 0) == []


def test_a_deleted_draft_is_not_taken_for_a_deleted_customer(account: Account) -> None:
    draft = account.create().id
    account.server.delete(draft)
    with pytest.raises(ObjectMissing):
        account.invoices.read(draft)


# Invoices ------------------------------------------------------------------------------------------------


def add(account: Account, draft: str, first: int, count: int) -> None:
    lines = [{"amount": 100, "metadata": {"netsuite_line_id": str(n)}} for n in range(first, first + count)]
    account.invoices.add_lines(draft, lines, f"lines {first}")


@pytest.mark.parametrize("count", [0, 1, 10, 11, 100, 110, 111, 250])
def test_all_lines_are_read_however_many(account: Account, count: int) -> None:
    draft = account.create().id
    for first in range(0, count, 100):
        add(account, draft, first, min(100, count - first))
    read = account.invoices.read(draft)
    assert sorted(map(int, read.line_ids)) == list(range(count))
    assert (read.total, read.currency, read.live_mode) == (100 * count, "usd", False)


def test_a_line_of_a_persons_own_bears_no_id(account: Account) -> None:
    draft = account.create().id
    account.server.add_line(draft, amount=5)
    assert account.invoices.read(draft).line_ids == ("",)


def test_our_invoices_are_found_among_hundreds_of_a_customer(account: Account) -> None:
    wanted = account.create("first", metadata={"billing_plan": "order-1"}).id
    for _ in range(210):
        account.server.as_person("POST", "/v1/invoices", {
            "customer": account.customer, "collection_method": "send_invoice", "days_until_due": 1,
            "metadata": {"of": "somebody else's"},
        })  # fmt: skip
    found = account.invoices.of_customer(account.customer, 0)
    assert [one.id for one in found] == [wanted]
    assert account.invoices.of_customer(account.customer, int(NOW) + 1) == []


def test_a_draft_names_its_orders_and_where_it_cannot_name_all_its_lines_do(account: Account) -> None:
    short = account.create("short", metadata={"billing_plan": "a", "netsuite_so_id": "12,345"})
    assert (short.orders, short.names_all_orders) == (frozenset({"12", "345"}), True)
    long = account.create("long", metadata={"billing_plan": "b", "netsuite_so_id": "12,345,6…"})
    assert (long.orders, long.names_all_orders) == (frozenset({"12", "345"}), False), "6 may be the beginning of 678"
    account.invoices.add_lines(
        long.id, [{"amount": 1, "description": "x", "metadata": {"netsuite_so_id": "678"}}], "lines"
    )
    assert account.invoices.read(long.id).orders == {"12", "345", "678"}


def test_a_draft_is_deleted_once_and_what_was_sent_never(account: Account) -> None:
    draft = account.create("first", metadata={"billing_plan": "order-1"}).id
    account.invoices.delete(draft)
    account.invoices.delete(draft)
    assert account.invoices.of_customer(account.customer, 0) == []
    sent = account.create("second", metadata={"billing_plan": "order-1"}).id
    account.invoices.add_lines(sent, [{"amount": 500, "description": "x"}], "lines")
    account.server.finalize(sent)
    with pytest.raises((PersonNeeded, OurFault)):
        account.invoices.delete(sent)
    assert [one.status for one in account.invoices.of_customer(account.customer, 0)] == ["open"]


def test_a_mark_adds_to_the_metadata_and_removes_none(account: Account) -> None:
    draft = account.create(metadata={"billing_plan": "order-1"}).id
    account.invoices.mark(draft, {"differs_from_approval": "x"}, "m")
    account.invoices.mark(draft, {"differs_from_approval": "x"}, "m")
    assert account.invoices.read(draft).metadata == {"billing_plan": "order-1", "differs_from_approval": "x"}


# Customers -----------------------------------------------------------------------------------------------


def test_a_customer_is_created_once_for_the_same_key(account: Account) -> None:
    first = account.customers.create("77", "Acme", "ap@acme.example", "k")
    assert account.customers.create("77", "Acme", "ap@acme.example", "k") == first
    assert account.customers.by_id(first.id) == first
    assert (first.netsuite_id, first.email) == ("77", "ap@acme.example")


def test_search_lags_and_the_list_does_not(account: Account) -> None:
    made = account.customers.create("77", "Acme", "ap@acme.example", "k")
    assert account.customers.by_netsuite_id_or_email("77") == []
    assert account.customers.by_email("ap@acme.example") == [made]
    now = int(account.server.customers()[0]["created"])
    assert account.customers.created_since(now) == [made]
    assert account.customers.created_since(now + 1) == []
    account.server.search_lag_seconds = 0
    assert account.customers.by_netsuite_id_or_email("77") == [made]


@pytest.mark.parametrize("wanted", ["77", "7", "it's", 'a "quote"', "back\\slash"])
def test_search_finds_exactly_the_client_that_is_meant(account: Account, wanted: str) -> None:
    account.server.search_lag_seconds = 0
    for number, netsuite_id in enumerate(("77", "7", "177", "it's", 'a "quote"', "back\\slash", "77 x")):
        account.customers.create(netsuite_id, "Acme", f"{number}@acme.example", str(number))
    assert [one.netsuite_id for one in account.customers.by_netsuite_id_or_email(wanted)] == [wanted]


def test_an_e_mail_finds_everybody_who_has_exactly_it(account: Account) -> None:
    for number in range(3):
        account.customers.create(str(number), "Acme", "ap@acme.example", str(number))
    account.customers.create("9", "Acme", "AP@acme.example", "9")
    assert sorted(str(one.netsuite_id) for one in account.customers.by_email("ap@acme.example")) == ["0", "1", "2"]
    assert account.customers.by_email("x" * 513) == []


def test_one_search_finds_the_client_and_its_address_in_any_case(account: Account) -> None:
    account.server.search_lag_seconds = 0
    for number, email in enumerate(("AP@Acme.example", "ap@acme.example", "ap@acme.example.org", "xap@acme.example")):
        account.customers.create(str(number), "Acme", email, str(number))
    account.customers.create("77", "Acme", "other@acme.example", "77")
    found = account.customers.by_netsuite_id_or_email("77", "ap@ACME.example")
    assert sorted(str(one.netsuite_id) for one in found) == ["0", "1", "77"]


def test_a_name_of_any_length_is_taken(account: Account) -> None:
    assert account.customers.create("77", "n" * 1000, "ap@acme.example", "k").name == "n" * 256


# What a person did to our invoices ------------------------------------------------------------------------


def _billed(account: Account, count: int) -> list[str]:
    made = [account.create(f"key-{number}") for number in range(count)]
    for one in made:
        account.invoices.add_lines(one.id, [{"amount": 1000, "description": "Work"}], f"lines-{one.id}")
    return [str(one.id) for one in made]


def test_of_many_invoices_a_look_costs_pages_and_one_read_for_each_that_was_removed(account: Account) -> None:
    ids = _billed(account, 230)
    for number in range(130, 150):
        account.server.finalize(ids[number])
    for number in range(150, 170):
        account.server.finalize(ids[number])
        account.server.pay(ids[number])
    account.server.delete(ids[0])
    account.server.finalize(ids[229])
    account.server.void(ids[229])
    before = account.server.reads
    looked = account.invoices.looked_up(ids)
    assert looked.removed == {ids[0], ids[229]}
    assert looked.paid == set(ids[150:170])
    # Drafts: 188 on 2 pages. Open and paid: 20 each, a page. Deleted and void: a read each.
    assert account.server.reads - before == 2 + 1 + 1 + 2


def test_of_drafts_alone_a_look_costs_their_pages(account: Account) -> None:
    ids = _billed(account, 150)
    before = account.server.reads
    assert account.invoices.looked_up(ids[:100]).removed == frozenset()
    assert account.server.reads - before <= 2


def test_nothing_to_look_at_costs_nothing_and_a_few_are_read_one_by_one(account: Account) -> None:
    ids = _billed(account, 3)
    account.server.delete(ids[1])
    before = account.server.reads
    assert account.invoices.looked_up(()).removed == frozenset()
    assert account.server.reads == before
    assert account.invoices.looked_up(ids).removed == {ids[1]}
    assert account.server.reads - before == 3


def test_an_invoice_that_stripe_never_had_counts_as_removed(account: Account) -> None:
    assert account.invoices.looked_up(["in_never"]).removed == {"in_never"}

"""One approved plan becomes one draft, however often drafting is started, killed or disturbed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.adapters.dynamodb.runs import RunsTable
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.ledger.customer_match import KnownCustomer
from billing.domain.ledger.ledger import EntryState
from billing.workflows.monthly_billing.draft_the_invoice import DraftSettings
from tests.adapters.aws_world import RUNS
from tests.domain.suiteql_rows import Row, hours, line, order
from tests.sandbox.faults import Answer, AnswerAfter, DropAfter
from tests.sandbox.stripe import LockTimeout, StoredError
from tests.workflows.drafting_world import Countdown, DraftingWorld, Item


def two_lines(**header: str | None) -> list[Row]:
    return order("1500.00", hours(), line(2, "Service", "500.00", quantity="5"), **header)


def many_lines(count: int) -> list[Row]:
    return order(f"{count}.00", *(line(n + 1, "Service", "1.00", quantity="1") for n in range(count)))


@pytest.fixture
def item(world: DraftingWorld) -> Item:
    """An order of a client that Stripe does not know yet."""
    (made,) = world.approve(two_lines())
    return made


@pytest.fixture
def acme(world: DraftingWorld) -> str:
    """A Stripe customer that exists already."""
    return str(world.stripe.create_customer(name="Acme", email="ap@northwind.example")["id"])


def assert_drafted_once(world: DraftingWorld, item: Item, total: int = 150_000, lines: int = 2) -> dict[str, Any]:
    (invoice,) = world.live()
    assert invoice["status"] == "draft"
    assert invoice["total"] == total
    assert len(invoice["lines"]["data"]) == lines
    assert len({one["metadata"]["netsuite_line_id"] for one in invoice["lines"]["data"]}) == lines
    assert len(world.stripe.customers()) == 1
    entry = world.entry(item)
    assert (entry.state, entry.invoice_id, entry.total) == (EntryState.DRAFTED, invoice["id"], total)
    assert (entry.stripe_customer, entry.currency, entry.live_mode) == (invoice["customer"], "usd", False)
    assert (entry.reason, entry.reason_name) == (None, None)
    return invoice


def until_it_ends(world: DraftingWorld, item: Item, refused: type[Exception] = PassingError) -> str:
    """Started again after each failure, as Step Functions and people do, all on the same day."""
    for _ in range(12):
        try:
            return world.draft(item)
        except (PassingError, refused):
            continue
    raise AssertionError(f"never drafted: {world.entry(item).reason}")


# Undisturbed ---------------------------------------------------------------------------------------------


def test_an_approved_plan_becomes_a_draft_with_its_lines(world: DraftingWorld, item: Item) -> None:
    assert world.draft(item) == "drafted"
    invoice = assert_drafted_once(world, item)
    assert (invoice["auto_advance"], invoice["collection_method"]) == (False, "send_invoice")
    assert invoice["metadata"]["netsuite_so_number"] == "SO-1001"
    assert invoice["metadata"]["run_id"] == "run-1"
    assert world.stripe.sent() == []
    (customer,) = world.stripe.customers()
    assert customer["metadata"] == {"netsuite_customer_id": "77"}
    assert (customer["name"], customer["email"]) == ("Northwind Pty Ltd", "ap@northwind.example")
    assert world.known.one("77") == KnownCustomer(customer["id"])


def test_drafting_again_after_the_end_writes_nothing_anywhere(world: DraftingWorld, item: Item) -> None:
    world.draft(item)
    stores, drafts, reads = world.aws.dump(), world.stripe.dump(), len(world.stripe.calls)
    assert world.draft(item) == "drafted"
    assert world.aws.dump() == stores
    assert world.stripe.dump() == drafts
    assert len(world.stripe.calls) == reads, "Stripe is not even asked"


def test_a_known_client_is_billed_on_its_own_customer(world: DraftingWorld, acme: str) -> None:
    (item,) = world.approve(two_lines(), acme)
    world.draft(item)
    assert assert_drafted_once(world, item)["customer"] == acme
    assert world.known.one("77") == KnownCustomer(acme)


def test_stripes_own_tax_does_not_count_as_a_difference(world: DraftingWorld, acme: str) -> None:
    world.settings = DraftSettings(False, "stripe")
    world.stripe.edit_customer(acme, address={"country": "GB"})
    (item,) = world.approve(two_lines(), acme, tax="stripe")
    assert world.draft(item) == "drafted"
    assert world.entry(item).total == 150_000


@pytest.mark.parametrize(("count", "parts"), [(100, [100]), (101, [101]), (250, [250]), (260, [130, 130])])
def test_orders_of_any_length_have_all_their_lines(world: DraftingWorld, count: int, parts: list[int]) -> None:
    items = world.approve(many_lines(count))
    assert [world.draft(one) for one in items] == ["drafted"] * len(parts)
    invoices = world.live()
    assert sorted(len(one["lines"]["data"]) for one in invoices) == parts
    assert sum(one["total"] for one in invoices) == count * 100
    ids = [shown["metadata"]["netsuite_line_id"] for one in invoices for shown in one["lines"]["data"]]
    assert len(set(ids)) == count
    assert len(world.stripe.customers()) == 1


# Killed --------------------------------------------------------------------------------------------------


def retried(world: DraftingWorld) -> None:
    """Step Functions starts the state again."""


def another_run(world: DraftingWorld) -> None:
    world.run_as("run-2")


def a_day_later(world: DraftingWorld) -> None:
    """Stripe has forgotten its idempotency keys; a redrive has the same run's id."""
    world.clock.move(hours=25)


def thirteen_days_later_by_another_run(world: DraftingWorld) -> None:
    world.clock.move(days=13)
    world.run_as("run-3")
    world.invoice_date = "2026-06-14"


@pytest.mark.parametrize(
    ("after", "then"),
    [
        (False, retried),
        (True, retried),
        (True, another_run),
        (True, a_day_later),
        (True, thirteen_days_later_by_another_run),
    ],
)
def test_a_killed_draft_is_finished_not_repeated(
    world: DraftingWorld, after: bool, then: Callable[[DraftingWorld], None]
) -> None:
    """Killed at its k-th outside call, for every k, and started again to the end."""
    for at in range(1, 40):
        world.stripe.reset()
        world.clock.seconds = datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp()
        client = str(1000 + at)
        (item,) = world.approve(two_lines(id=str(at), entity=client), None)
        run_files = f"{world.run['prefix']}invoices.ndjson"
        if not world.kill(item, at, after):
            break
        then(world)
        world.files.write(f"{world.run['prefix']}invoices.ndjson", world.files.read(run_files), "application/x-ndjson")
        assert world.draft(item) == "drafted", f"killed at call {at}"
        assert_drafted_once(world, item)
    assert at > 9, "drafting has at least so many outside calls"


def test_a_long_draft_killed_between_its_lines_gets_each_line_once(world: DraftingWorld) -> None:
    for at in (9, 10, 11):
        world.stripe.reset()
        (item,) = world.approve([{**row, "id": str(at), "entity": str(1000 + at)} for row in many_lines(250)])
        assert world.kill(item, at)
        assert world.draft(item) == "drafted"
        assert_drafted_once(world, item, 25_000, 250)


def test_a_draft_killed_again_and_again_is_still_one_draft(world: DraftingWorld, item: Item) -> None:
    for at in range(1, 40):
        if not world.kill(item, at):
            break
        world.clock.move(hours=7)
    assert_drafted_once(world, item)


# Customers -----------------------------------------------------------------------------------------------


def test_two_orders_of_one_new_client_share_one_customer(world: DraftingWorld) -> None:
    rows = [*two_lines(id="1", tranid="SO-1"), *two_lines(id="2", tranid="SO-2")]
    first, second = world.approve(rows)
    assert [world.draft(first), world.draft(second)] == ["drafted", "drafted"]
    assert len(world.stripe.customers()) == 1
    assert len({one["customer"] for one in world.live()}) == 1


def test_two_orders_drafted_at_the_same_time_share_one_customer(world: DraftingWorld) -> None:
    rows = [row for n in range(4) for row in two_lines(id=str(n + 1), tranid=f"SO-{n}")]
    items = world.approve(rows)
    start = threading.Barrier(len(items))
    outcomes: list[str] = []

    def draft(item: Item) -> None:
        start.wait()
        for _ in range(5):  # As Step Functions retries.
            try:
                outcomes.append(world.draft(item))
            except PassingError:
                continue
            return

    threads = [threading.Thread(target=draft, args=(one,)) for one in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["drafted"] * 4
    assert len(world.stripe.customers()) == 1
    assert len(world.live()) == 4


def test_a_customer_that_a_killed_order_created_is_used_by_the_next(world: DraftingWorld) -> None:
    first, second = world.approve([*two_lines(id="1"), *two_lines(id="2", tranid="SO-2")])
    at = 1
    while not world.stripe.customers():
        world.kill(first, at)
        at += 1
    world.clock.move(hours=25)
    assert world.draft(second) == "drafted"
    assert world.draft(first) == "drafted"
    assert len(world.stripe.customers()) == 1


@pytest.mark.parametrize("faults", [1, 3, 6])
@pytest.mark.parametrize("commit", [False, True])
def test_a_failure_kept_under_the_customers_key_does_not_block_the_client(
    world: DraftingWorld, item: Item, faults: int, commit: bool
) -> None:
    world.stripe.faults.add(
        method="POST", path="^/v1/customers$", action=StoredError(commit=commit), times=1 if commit else faults
    )
    assert until_it_ends(world, item) == "drafted"
    assert_drafted_once(world, item)


def test_a_customer_that_was_deleted_after_the_approval_needs_a_person(world: DraftingWorld, acme: str) -> None:
    (item,) = world.approve(two_lines(), acme)
    world.stripe.delete_customer(acme)
    with pytest.raises(PersonNeeded, match="customer no longer exists"):
        world.draft(item)
    assert world.live() == []
    assert "order-500" in str(world.entry(item).reason)


def test_a_draft_left_with_another_customer_is_never_doubled(world: DraftingWorld, acme: str) -> None:
    """Killed after the create; then NetSuite names another Stripe customer, and that is what is approved next."""
    (item,) = world.approve(two_lines(), acme)
    world.kill_at(item, "create")
    other = str(world.stripe.create_customer(name="Acme II", email="ap2@northwind.example")["id"])
    world.run_as("run-2")
    (item,) = world.approve(two_lines(), other)
    left = world.live()[0]["id"]
    with pytest.raises(PersonNeeded, match=left):
        world.draft(item)
    assert len(world.live()) == 1
    world.stripe.delete(left)
    assert world.draft(item) == "drafted"
    (invoice,) = world.live()
    assert invoice["customer"] == other


def test_a_former_customer_that_left_nothing_does_not_stand_in_the_way(world: DraftingWorld, acme: str) -> None:
    (item,) = world.approve(two_lines(), acme)
    world.stripe.delete_customer(acme)
    with pytest.raises(PersonNeeded):
        world.draft(item)
    other = str(world.stripe.create_customer(name="Acme II", email="ap2@northwind.example")["id"])
    world.run_as("run-2")
    (item,) = world.approve(two_lines(), other)
    assert world.draft(item) == "drafted"


def test_several_customers_that_claim_the_client_need_a_person(world: DraftingWorld, item: Item) -> None:
    for _ in range(2):
        world.stripe.create_customer(email="ap@northwind.example", metadata={"netsuite_customer_id": "77"})
    with pytest.raises(PersonNeeded, match="several Stripe customers"):
        world.draft(item)
    assert world.live() == []


def test_a_client_that_another_order_has_just_created_is_not_read_again(world: DraftingWorld) -> None:
    """The first order lists the address, creates, reads back; the second looks for its draft and reads it back."""
    first, second = world.approve([*two_lines(), *two_lines(id="501", number="SO-1002")])
    world.draft(first)
    reads = world.stripe.reads
    assert reads == 2
    world.draft(second)
    assert world.stripe.reads - reads == 2
    assert len({one["customer"] for one in world.live()}) == len(world.stripe.customers()) == 1


def test_a_client_that_was_created_and_deleted_since_is_created_again(world: DraftingWorld) -> None:
    """Our map names the first one. Stripe refuses a draft for it, and only then it is looked at."""
    first, second = world.approve([*two_lines(), *two_lines(id="501", number="SO-1002")])
    world.draft(first)
    (gone,) = world.stripe.customers()
    world.stripe.delete_customer(gone["id"])
    assert world.draft(second) == "drafted"
    (other,) = world.stripe.customers()
    assert {one["customer"] for one in world.live()} == {gone["id"], other["id"]}
    assert world.known.one("77") == KnownCustomer(other["id"])
    assert world.entry(second).stripe_customer == other["id"]
    assert len(world.live()) == 2


def test_a_customer_that_appears_with_the_clients_address_is_not_doubled(world: DraftingWorld, item: Item) -> None:
    """Approved for a new one; meanwhile somebody made one by hand, which the search that matched could not know."""
    made = str(world.stripe.create_customer(name="Northwind", email="ap@northwind.example")["id"])
    with pytest.raises(PersonNeeded, match=made):
        world.draft(item)
    assert world.live() == []
    assert [one["id"] for one in world.stripe.customers()] == [made]


# Faults of Stripe ----------------------------------------------------------------------------------------

CREATE, ADD = "^/v1/invoices$", "/add_lines$"


@pytest.mark.parametrize("path", [CREATE, ADD])
@pytest.mark.parametrize(
    "fault",
    [
        StoredError(),
        StoredError(commit=True),
        LockTimeout(),
        StoredError(400, "invalid_request_error", "too_bad"),
        Answer(500),
        AnswerAfter(500),
        AnswerAfter(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
        DropAfter(),
        Answer(429, b'{"error":{"type":"invalid_request_error","code":"rate_limit"}}'),
        Answer(409, b'{"error":{"type":"invalid_request_error","code":"lock_timeout"}}'),
    ],
    ids=lambda fault: f"{type(fault).__name__}{getattr(fault, 'status', '')}{'C' * getattr(fault, 'commit', False)}",
)
def test_no_fault_of_stripe_makes_a_second_draft_or_a_second_line(
    world: DraftingWorld, item: Item, path: str, fault: Any
) -> None:
    world.stripe.faults.add(method="POST", path=path, action=fault, times=3)
    assert until_it_ends(world, item, PersonNeeded) == "drafted"
    assert_drafted_once(world, item)


def test_a_lock_that_lasts_does_not_burn_the_order_for_a_day(world: DraftingWorld, item: Item) -> None:
    """Every lock_timeout stays under its key for 24 hours; a later start must not walk through the same keys."""
    world.stripe.faults.add(method="POST", path=ADD, action=LockTimeout(), times=9)
    assert until_it_ends(world, item) == "drafted"
    assert_drafted_once(world, item)


def test_a_refusal_that_a_person_has_remedied_is_not_replayed(world: DraftingWorld, item: Item) -> None:
    world.stripe.faults.add(
        method="POST", path=CREATE, action=StoredError(400, "invalid_request_error", "customer_tax_location_invalid")
    )
    with pytest.raises(PersonNeeded, match="customer_tax_location_invalid"):
        world.draft(item)
    assert "create invoice" in str(world.entry(item).reason)
    assert world.draft(item) == "drafted", "the same run, an hour later: the key still holds the refusal"
    assert_drafted_once(world, item)


def test_a_key_that_was_used_with_other_parameters_is_left_and_a_new_one_taken(
    world: DraftingWorld, item: Item
) -> None:
    """The same content by another run on another day: the request differs, the key does not."""
    world.stripe.faults.add(method="POST", path=CREATE, action=StoredError(400, "invalid_request_error", "x"))
    with pytest.raises(PersonNeeded):
        world.draft(item)
    world.run_as("run-2")
    (again,) = world.approve(two_lines())
    assert again.invoice_hash == item.invoice_hash
    assert world.draft(again) == "drafted"
    assert assert_drafted_once(world, item)["metadata"]["run_id"] == "run-2"


def test_a_bad_key_needs_a_person_and_the_reason_is_kept_in_the_ledger(world: DraftingWorld, item: Item) -> None:
    world.stripe.api_keys = ["sk_test_other"]
    with pytest.raises(PersonNeeded, match="refuses the key"):
        world.draft(item)
    assert "refuses the key" in str(world.entry(item).reason)


# What a person does in between ---------------------------------------------------------------------------


@pytest.mark.parametrize("later", [0, 25])
@pytest.mark.parametrize("stage", ["create", "add_lines"])
def test_a_draft_that_a_person_deleted_is_made_anew(world: DraftingWorld, item: Item, stage: str, later: int) -> None:
    world.kill_at(item, stage)
    world.stripe.delete(world.live()[0]["id"])
    world.clock.move(hours=later)
    assert world.draft(item) == "drafted"
    assert_drafted_once(world, item)


@pytest.mark.parametrize("path", [ADD, r"^/v1/invoices/in_\w+$"])
def test_a_draft_deleted_under_our_hands_is_tried_again(world: DraftingWorld, item: Item, path: str) -> None:
    def delete(request: Any) -> None:
        if re.search(path, request.path) and world.live():
            stop()
            world.stripe.delete(world.live()[0]["id"])

    stop = world.stripe.faults.on_call(delete)
    with pytest.raises(PassingError, match="vanished"):
        world.draft(item)
    assert "vanished" in str(world.entry(item).reason)
    assert world.draft(item) == "drafted"
    assert_drafted_once(world, item)


@pytest.mark.parametrize("later", [0, 25])
def test_an_invoice_that_a_person_voided_is_made_anew(world: DraftingWorld, item: Item, later: int) -> None:
    """Stripe replays the create of the voided invoice for a day: it must not pass for a draft."""
    world.kill_at(item, "add_lines")
    voided = world.live()[0]["id"]
    world.stripe.finalize(voided)
    world.stripe.void(voided)
    world.clock.move(hours=later)
    assert world.draft(item) == "drafted"
    assert_drafted_once(world, item)
    assert world.entry(item).invoice_id != voided


def test_an_invoice_that_a_person_finalised_complete_counts_as_drafted(world: DraftingWorld, item: Item) -> None:
    world.kill_at(item, "add_lines")
    world.stripe.finalize(world.live()[0]["id"])
    assert world.draft(item) == "drafted"
    assert [one["status"] for one in world.live()] == ["open"]


def test_an_invoice_that_a_person_finalised_too_early_differs_and_is_not_doubled(
    world: DraftingWorld,
) -> None:
    (item,) = world.approve(many_lines(120))
    world.kill_at(item, "add_lines")
    world.stripe.finalize(world.live()[0]["id"])
    assert world.draft(item) == "differs"
    (invoice,) = world.live()
    assert invoice["metadata"]["differs_from_approval"] == "lines_differ"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda server, invoice: server.edit_line(invoice["id"], invoice["lines"]["data"][0]["id"], amount=1),
         "total_differs"),
        (lambda server, invoice: server.add_line(invoice["id"], amount=100), "lines_differ"),
    ],
)  # fmt: skip
def test_a_draft_that_is_not_what_was_approved_is_marked_and_said_to_differ(
    world: DraftingWorld, item: Item, edit: Any, code: str
) -> None:
    world.kill_at(item, "add_lines")
    edit(world.stripe, world.live()[0])
    assert world.draft(item) == "differs"
    (invoice,) = world.live()
    assert invoice["metadata"]["differs_from_approval"] == code
    entry = world.entry(item)
    assert (entry.state, entry.reason_name, entry.invoice_id) == (EntryState.DIFFERS, code, invoice["id"])
    assert entry.total == invoice["total"]
    assert "SO-1001" in str(entry.reason)
    stores = world.aws.dump()
    assert world.draft(item) == "differs", "started again it stays so"
    assert world.aws.dump() == stores


@pytest.mark.parametrize("faults", [1, 2, 5])
def test_a_draft_that_differs_is_marked_although_stripe_fails_at_first(
    world: DraftingWorld, item: Item, faults: int
) -> None:
    world.kill_at(item, "add_lines")
    world.stripe.add_line(world.live()[0]["id"], amount=100)
    world.stripe.faults.add(method="POST", path=r"^/v1/invoices/in_\w+$", action=StoredError(), times=faults)
    assert until_it_ends(world, item) == "differs"
    assert world.live()[0]["metadata"]["differs_from_approval"] == "lines_differ"


def test_older_content_in_stripe_needs_a_person(world: DraftingWorld, item: Item) -> None:
    world.kill_at(item, "add_lines")
    left = world.live()[0]["id"]
    world.run_as("run-2")
    (changed,) = world.approve(order("1000.00", hours()), None)
    assert changed.invoice_hash != item.invoice_hash
    with pytest.raises(PersonNeeded, match=f"{left} for it with other content"):
        world.draft(changed)
    assert len(world.live()) == 1
    world.stripe.delete(left)
    assert world.draft(changed) == "drafted"
    assert_drafted_once(world, changed, 100_000, 1)


def test_two_drafts_of_the_same_content_need_a_person(world: DraftingWorld, item: Item) -> None:
    world.kill_at(item, "add_lines")
    first = world.live()[0]
    world.stripe.as_person(
        "POST", "/v1/invoices",
        {"customer": first["customer"], "metadata": first["metadata"], "collection_method": "send_invoice",
         "days_until_due": 30},
    )  # fmt: skip
    with pytest.raises(PersonNeeded, match="twice"):
        world.draft(item)


# When and by whom ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "listed_from", "invoice_date"),
    [("2026-06", "2026-06-01", "2026-06-01"), ("2026-09", "2026-09-01", "2026-10-01")],
)
def test_a_period_that_lies_ahead_is_not_drafted_twice(
    world: DraftingWorld, period: str, listed_from: str, invoice_date: str
) -> None:
    """Billed in advance, or on the first in a zone ahead of UTC: Stripe's creation time is before the period."""
    world.clock.seconds = datetime(2026, 5, 31, 22, tzinfo=UTC).timestamp()
    world.period, world.listed_from, world.invoice_date = period, listed_from, invoice_date
    world.run_as("run-ahead")
    (item,) = world.approve(two_lines())
    world.kill_at(item, "create")
    world.clock.move(hours=25)
    assert world.draft(item) == "drafted"
    assert_drafted_once(world, item)


def test_a_redrive_keeps_the_invoices_day(world: DraftingWorld, item: Item) -> None:
    world.kill_at(item, "create")
    world.clock.move(days=13)
    world.draft(item)
    (invoice,) = world.live()
    shown = datetime.fromtimestamp(invoice["effective_at"], ZoneInfo("America/New_York"))
    assert shown.date().isoformat() == "2026-06-01"


def test_nothing_reaches_stripe_when_the_period_was_taken_over(world: DraftingWorld, item: Item) -> None:
    RunsTable(world.aws.dynamodb, RUNS).take(world.lock, "run-9", "arn:9", "now", world.run_id)
    with pytest.raises(OurFault, match="another run took it over"):
        world.draft(item)
    assert world.stripe.calls == []


def test_nothing_reaches_stripe_for_content_that_nobody_signed_for(world: DraftingWorld, item: Item) -> None:
    (unsigned,) = world.approve(two_lines(id="501"))
    key = {"pk": {"S": "order-501"}, "sk": {"S": f"APPROVED#{unsigned.invoice_hash}"}}
    world.aws.dynamodb.delete_item(TableName=world.ledger.table, Key=key)
    with pytest.raises(OurFault, match="nobody has signed"):
        world.draft(unsigned)
    assert world.stripe.calls == []


@pytest.mark.parametrize("change", [{"key": "order-9"}, {"invoice_hash": "f" * 64}])
def test_a_piece_that_is_not_what_the_item_names_is_refused(
    world: DraftingWorld, item: Item, change: dict[str, str]
) -> None:
    with pytest.raises(OurFault, match="not the one that was approved"):
        world.draft(replace(item, **change))
    assert world.stripe.calls == []


def test_an_altered_file_is_refused(world: DraftingWorld, item: Item) -> None:
    name = f"{world.run['prefix']}invoices.ndjson"
    world.files.write(name, world.files.read(name).replace(b"100000", b"900000"), "application/x-ndjson")
    with pytest.raises(OurFault, match="altered after it was approved"):
        world.draft(item)
    assert world.stripe.calls == []


def test_other_content_of_a_drafted_order_is_refused(world: DraftingWorld, item: Item) -> None:
    world.draft(item)
    (changed,) = world.approve(order("1000.00", hours()))
    with pytest.raises(PersonNeeded, match="other content"):
        world.draft(changed)
    assert_drafted_once(world, item)


def test_a_first_draft_needs_few_calls(world: DraftingWorld, acme: str) -> None:
    """25 requests a second are all that Stripe allows for an endpoint: list, create, lines, read."""
    (item,) = world.approve(two_lines(), acme)
    countdown = Countdown()
    world.drafting(countdown).draft(item)
    assert len(world.stripe.calls) == 4
    assert countdown.calls <= 12
    assert replace(world.entry(item)).attempt == 1

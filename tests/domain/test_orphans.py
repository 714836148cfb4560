"""Invoices that the ledger does not know, entries that Stripe does not know, and what of it is certain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.ledger.ledger import Approval, Disposition, EntryState, LedgerEntry, decide
from billing.domain.ledger.orphans import OrphanKind, find_orphans
from billing.domain.ledger.stripe_invoice import CONTENT_HASH, PLAN_KEY, StripeInvoice


def stripe_invoice(invoice_id, status, plan_key, invoice_hash, customer, created):
    """An invoice as a list of Stripe's shows it: of its lines nothing is known."""
    metadata = {PLAN_KEY: plan_key, **({CONTENT_HASH: invoice_hash} if invoice_hash else {})}
    return StripeInvoice(invoice_id, status, customer, "usd", 10_000, 10_000, False, created, metadata, ())


INVOICE = stripe_invoice("in_1", "draft", "order-500", "hash-a", "cus_1", 1_780_000_000)
ENTRY = LedgerEntry("order-500", EntryState.DRAFTED, "hash-a", "run-1", "2026-05", 1, "2026-06-01", "cus_1", "in_1")
BEGUN = replace(ENTRY, state=EntryState.INTENDED, invoice_id=None)
APPROVED = {("order-500", "hash-a")}


def one(found, entries, approved=frozenset()):
    (orphan,) = find_orphans(found, entries, approved)
    assert orphan.plan_key == "order-500"
    assert orphan.plan_key in orphan.message
    assert all(invoice in orphan.message for invoice in orphan.invoice_ids)
    return orphan


@pytest.mark.parametrize("status", ["draft", "open", "paid", "uncollectible"])
def test_what_both_know_alike_is_no_orphan(status):
    assert find_orphans([replace(INVOICE, status=status)], [ENTRY], APPROVED) == ()


def test_a_voided_invoice_that_the_ledger_never_knew_is_no_orphan():
    assert find_orphans([replace(INVOICE, status="void")], [], APPROVED) == ()


def test_a_voided_invoice_beside_the_one_that_is_live_is_no_orphan():
    assert find_orphans([replace(INVOICE, id="in_0", status="void"), INVOICE], [ENTRY], APPROVED) == ()


def test_the_same_invoice_on_two_pages_of_a_list_is_one_invoice():
    assert find_orphans([INVOICE, INVOICE], [ENTRY], APPROVED) == ()


@pytest.mark.parametrize("state", [EntryState.INTENDED, EntryState.FAILED])
def test_a_failure_that_left_nothing_in_stripe_is_no_orphan(state):
    assert find_orphans([], [replace(BEGUN, state=state)], APPROVED) == ()
    assert find_orphans([replace(INVOICE, status="void")], [replace(BEGUN, state=state)], APPROVED) == ()


def test_an_invoice_unknown_to_the_ledger_is_repaired_only_if_its_very_content_was_approved():
    orphan = one([INVOICE], [], APPROVED)
    assert orphan.kind is OrphanKind.UNKNOWN_TO_LEDGER
    assert orphan.invoice_ids == ("in_1",)
    assert orphan.repair == INVOICE
    for approved in ((), {("order-500", "hash-b")}, {("order-501", "hash-a")}):
        orphan = one([INVOICE], [], approved)
        assert orphan.kind is OrphanKind.UNKNOWN_TO_LEDGER
        assert orphan.repair is None
        assert "Nobody is on record as having approved" in orphan.message


def test_an_invoice_without_a_content_hash_is_never_repaired():
    bare = stripe_invoice("in_1", "draft", "order-500", "", "cus_1", 1_780_000_000)
    assert one([bare], [], APPROVED).repair is None
    assert one([bare], [BEGUN], APPROVED).kind is OrphanKind.OTHER_CONTENT


def test_the_repaired_entry_lets_the_next_run_finish_and_not_ask_again():
    repair = one([INVOICE], [], APPROVED).repair
    # What LedgerTable.adopt writes of it, which tests/played/test_orphans.py plays against the table itself.
    entry = replace(
        BEGUN,
        key=repair.plan_key,
        state=EntryState.INTENDED,
        invoice_hash=repair.invoice_hash,
        stripe_customer=repair.customer,
        invoice_id=repair.id,
    )
    decision = decide("hash-a", "cus_1", entry, Approval("order-500", "hash-a", "cus_1"))
    assert decision.disposition is Disposition.FINISH
    # And with that entry written it is the known, harmless case: nothing is left to repair.
    after = one([INVOICE], [entry], APPROVED)
    assert (after.kind, after.repair) == (OrphanKind.UNFINISHED, None)


@pytest.mark.parametrize("state", [EntryState.INTENDED, EntryState.FAILED])
def test_an_unfinished_draft_is_remembered_so_that_the_next_run_finishes_it(state):
    orphan = one([INVOICE], [replace(BEGUN, state=state)], APPROVED)
    assert orphan.kind is OrphanKind.UNFINISHED
    assert orphan.repair == INVOICE
    assert "the next run finishes it" in orphan.message
    assert "asks for approval again" in one([INVOICE], [replace(BEGUN, state=state)], ()).message


def test_an_unfinished_draft_that_is_remembered_already_needs_no_repair():
    orphan = one([INVOICE], [replace(BEGUN, invoice_id="in_1")], APPROVED)
    assert (orphan.kind, orphan.repair) == (OrphanKind.UNFINISHED, None)
    assert orphan.message.endswith("The next run finishes it.")


def test_two_live_invoices_of_one_plan_go_to_a_person():
    second = replace(INVOICE, id="in_2", created=INVOICE.created + 5)
    orphan = one([second, INVOICE], [ENTRY], APPROVED)
    assert (orphan.kind, orphan.invoice_ids, orphan.repair) == (OrphanKind.TWICE, ("in_1", "in_2"), None)
    assert "keep it, and delete or void the others" in orphan.message
    assert "names none of them" in one([second, INVOICE], [], APPROVED).message
    assert "names none of them" in one([second, INVOICE], [BEGUN], APPROVED).message
    assert "in_9, which is none of them" in one([second, INVOICE], [replace(ENTRY, invoice_id="in_9")]).message


@pytest.mark.parametrize("entry", [ENTRY, BEGUN, replace(ENTRY, state=EntryState.DIFFERS)])
def test_an_invoice_of_other_content_than_the_ledgers_goes_to_a_person(entry):
    orphan = one(
        [stripe_invoice("in_1", "draft", "order-500", "hash-b", "cus_1", 1_780_000_000)],
        [entry],
        {*APPROVED, ("order-500", "hash-b")},
    )
    assert (orphan.kind, orphan.repair) == (OrphanKind.OTHER_CONTENT, None)
    assert "delete or void it and run again" in orphan.message


@pytest.mark.parametrize("entry", [ENTRY, BEGUN])
def test_an_invoice_with_another_customer_than_the_ledgers_goes_to_a_person(entry):
    orphan = one([replace(INVOICE, customer="cus_2")], [entry], APPROVED)
    assert (orphan.kind, orphan.repair) == (OrphanKind.WRONG_CUSTOMER, None)
    assert "cus_1" in orphan.message
    assert "cus_2" in orphan.message


def test_an_intent_without_a_customer_contradicts_none():
    orphan = one([INVOICE], [replace(BEGUN, stripe_customer=None)], APPROVED)
    assert orphan.kind is OrphanKind.UNFINISHED
    assert orphan.repair is not None


@pytest.mark.parametrize("state", list(EntryState))
def test_another_invoice_in_the_place_of_the_remembered_one_goes_to_a_person(state):
    entry = replace(ENTRY, state=state, invoice_id="in_0")
    for found in ([INVOICE], [INVOICE, replace(INVOICE, id="in_0", status="void")]):
        orphan = one(found, [entry], APPROVED)
        assert (orphan.kind, orphan.repair) == (OrphanKind.OTHER_INVOICE, None)
        assert "in_0" in orphan.message


def test_a_drafted_invoice_that_is_gone_is_asked_about_again():
    orphan = one([], [ENTRY], APPROVED)
    assert (orphan.kind, orphan.invoice_ids, orphan.repair) == (OrphanKind.MISSING_IN_STRIPE, ("in_1",), None)
    assert "is not in Stripe" in orphan.message
    assert "The next run asks for approval again" in orphan.message
    assert "is void in Stripe" in one([replace(INVOICE, status="void")], [ENTRY], APPROVED).message


def test_an_unfinished_draft_that_is_gone_is_drafted_anew():
    orphan = one([], [replace(BEGUN, invoice_id="in_1")], APPROVED)
    assert (orphan.kind, orphan.repair) == (OrphanKind.MISSING_IN_STRIPE, None)
    assert "The next run drafts it anew" in orphan.message


@pytest.mark.parametrize("state", [EntryState.INTENDED, EntryState.FAILED])
@pytest.mark.parametrize("remembered", [None, "in_1"])
def test_a_half_made_draft_whose_approval_was_taken_away_goes_to_a_person(state, remembered):
    begun = replace(BEGUN, state=state, invoice_id=remembered)
    (orphan,) = find_orphans([INVOICE], [begun], (), {("order-500", "hash-a"): "held back in run run-2"})
    assert (orphan.kind, orphan.invoice_ids) == (OrphanKind.APPROVAL_GONE, ("in_1",))
    assert "held back in run run-2" in orphan.message
    assert "delete or void it" in orphan.message
    assert (orphan.repair is None) == (remembered == "in_1"), "noting its id is certain, whatever becomes of it"


def test_an_invoice_whose_approval_was_taken_away_is_never_adopted():
    gone = {("order-500", "hash-a"): "rejected in run run-2"}
    (orphan,) = find_orphans([INVOICE], [], (), gone)
    assert (orphan.kind, orphan.repair) == (OrphanKind.UNKNOWN_TO_LEDGER, None)
    assert "approved and then rejected in run run-2: delete or void it" in orphan.message
    (missing,) = find_orphans([], [replace(BEGUN, invoice_id="in_1")], (), gone)
    assert "The next run asks for approval again" in missing.message
    assert find_orphans([INVOICE], [ENTRY], (), gone) == (), "what was drafted before stays"


def test_the_worst_comes_first():
    found = [
        stripe_invoice("in_a", "draft", "order-1", "hash-a", "cus_1", 1_780_000_000),
        stripe_invoice("in_b", "draft", "order-3", "hash-a", "cus_1", 1_780_000_000),
        stripe_invoice("in_c", "draft", "order-3", "hash-a", "cus_1", 1_780_000_000),
        stripe_invoice("in_d", "draft", "order-2", "hash-a", "cus_1", 1_780_000_000),
    ]
    entries = [replace(BEGUN, key="order-2"), replace(ENTRY, key="order-0")]
    assert [(o.plan_key, o.kind.value) for o in find_orphans(found, entries, ())] == [
        ("order-3", "twice"),
        ("order-1", "unknown_to_ledger"),
        ("order-0", "missing_in_stripe"),
        ("order-2", "unfinished"),
    ]


KEYS, HASHES, CUSTOMERS, IDS = (
    st.sampled_from(["k1", "k2"]),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["cus_1", "cus_2"]),
    st.sampled_from(["in_1", "in_2", "in_3"]),
)
found_lists = st.lists(
    st.builds(
        stripe_invoice,
        IDS,
        st.sampled_from(["draft", "open", "paid", "void"]),
        KEYS,
        HASHES,
        CUSTOMERS,
        st.integers(1, 9),
    ),
    max_size=4,
    unique_by=lambda invoice: invoice.id,
)
ledgers = st.lists(
    st.builds(
        LedgerEntry,
        KEYS,
        st.sampled_from(list(EntryState)),
        HASHES,
        st.just("run-1"),
        st.just("2026-05"),
        st.just(1),
        st.just("2026-06-01"),
        st.none() | CUSTOMERS,
        st.none() | IDS,
    ),
    max_size=2,
    unique_by=lambda entry: entry.key,
)


@given(found=found_lists, entries=ledgers, approved=st.sets(st.tuples(KEYS, HASHES)), data=st.data())
def test_a_repair_is_only_ever_of_what_cannot_be_wrong(found, entries, approved, data):
    orphans = find_orphans(found, entries, approved)
    assert orphans == find_orphans(data.draw(st.permutations(found)), data.draw(st.permutations(entries)), approved)
    assert len({orphan.plan_key for orphan in orphans}) == len(orphans)
    for orphan in orphans:
        live = [i for i in found if i.plan_key == orphan.plan_key and i.status != "void"]
        entry = next((e for e in entries if e.key == orphan.plan_key), None)
        if orphan.repair is None:
            continue
        (only,) = live
        assert orphan.repair == only
        if entry is None:
            assert (only.plan_key, only.invoice_hash) in approved
        else:
            assert entry.state in (EntryState.INTENDED, EntryState.FAILED)
            assert entry.invoice_id is None
            assert entry.invoice_hash == only.invoice_hash
            assert entry.stripe_customer in (None, only.customer)


@given(found=found_lists, entries=ledgers, approved=st.sets(st.tuples(KEYS, HASHES)))
def test_silence_means_that_stripe_and_ledger_agree(found, entries, approved):
    named = {orphan.plan_key for orphan in find_orphans(found, entries, approved)}
    for key in ("k1", "k2"):
        live = [i for i in found if i.plan_key == key and i.status != "void"]
        entry = next((e for e in entries if e.key == key), None)
        settled = entry is not None and entry.state in (EntryState.DRAFTED, EntryState.DIFFERS)
        agree = (
            len(live) == 1
            and settled
            and live[0].invoice_hash == entry.invoice_hash
            and entry.stripe_customer in (None, live[0].customer)
            and entry.invoice_id in (None, live[0].id)
        ) or (
            not live
            and (entry is None or entry.state is EntryState.ABANDONED or (not settled and entry.invoice_id is None))
        )
        assert (key not in named) == agree

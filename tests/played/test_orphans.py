"""Drafts that Stripe and the ledger disagree about are found, named, and repaired where that is certain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.played.firm import firm, only, order
from tests.played.story import billed, deployed, live
from tests.sandbox import Sandbox
from tests.sandbox.aws.errors import SandboxError

SINCE = {"since": "2026-05-01"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with deployed(firm([order(1), order(2), order(3)])) as sandbox:
        billed(sandbox, only(1, 2, 3))
        yield sandbox


def found(sandbox: Sandbox, **more: Any) -> list[dict[str, Any]]:
    """What the function answers."""
    answer = sandbox.invoke("FindTheOrphansFunction", {**SINCE, **more})
    return list(answer["orphans"])


def forget(sandbox: Sandbox, place: int) -> str:
    """As if the ledger's rows of an order had been lost after its draft was made."""
    order_id = sandbox.netsuite.orders()[f"SO-{place}"].id
    table = sandbox.stack.resources["LedgerTable"].ref
    client = sandbox.aws.client("dynamodb")
    for pk, sk in ((f"order-{order_id}", "INVOICE"), (f"ORDER#{order_id}", "BILLED")):
        client.delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    return f"order-{order_id}"


def test_a_billed_month_has_no_orphans(sandbox: Sandbox) -> None:
    assert found(sandbox) == []


def test_a_draft_that_the_ledger_lost_is_named_repaired_and_finished_by_the_next_run_without_a_second_draft(
    sandbox: Sandbox,
) -> None:
    key = forget(sandbox, 2)
    (orphan,) = found(sandbox)
    assert (orphan["kind"], orphan["plan"], orphan["repaired"]) == ("unknown_to_ledger", key, False)
    assert orphan["invoices"] == [live(sandbox, 2)[0]["id"]]

    (repaired,) = found(sandbox, repair=True)
    assert repaired["repaired"]
    run = sandbox.start(only(2))
    assert sandbox.wait_for_end(run, 120).status == "SUCCEEDED"
    assert found(sandbox) == []
    assert len(live(sandbox, 2)) == 1


def test_a_draft_that_a_person_deleted_is_named_and_left_to_the_next_run(sandbox: Sandbox) -> None:
    invoice_id = str(live(sandbox, 3)[0]["id"])
    sandbox.stripe.delete(invoice_id)
    (orphan,) = found(sandbox, repair=True)
    assert (orphan["kind"], orphan["invoices"], orphan["repaired"]) == ("missing_in_stripe", [invoice_id], False)


@pytest.mark.parametrize(
    ("given", "field"),
    [({}, "since"), ({"since": "May"}, "since"), ({**SINCE, "repair": 1}, "repair"), ({"sinc": 1}, "sinc")],
)
def test_bad_input_names_its_field(sandbox: Sandbox, given: dict[str, Any], field: str) -> None:
    with pytest.raises(SandboxError, match=f'InputInvalid|"{field}"'):
        sandbox.invoke("FindTheOrphansFunction", given)

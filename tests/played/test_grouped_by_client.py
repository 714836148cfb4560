"""One invoice per client, currency and terms: the same money as by order, and nothing billed twice when it comes
back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.played.firm import firm, order, work
from tests.played.story import asked_nobody, billed, deployed, live
from tests.sandbox import Sandbox

MAY = {"period": "2026-05"}


def world() -> dict[str, object]:
    orders = [
        order(1, work("7.25", "187.50"), customer=10),
        order(2, work("3", "100.00"), work("1", "45.10"), customer=10),
        order(3, work("2", "99.99"), customer=10, terms="Net 15"),
        order(4, work("2", "80.00"), customer=10, currency="EUR"),
        order(5, work("1", "12.34"), customer=11),
        order(6, work("5", "60.00", billed="2"), customer=11),
    ]
    return firm(orders)


def totals(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """Drafted minor units per NetSuite customer and currency."""
    sums: Counter[tuple[str, str]] = Counter()
    for invoice in live(sandbox):
        sums[invoice["metadata"]["netsuite_customer_id"], invoice["currency"]] += invoice["total"]
    return sums


@pytest.fixture(scope="module")
def by_order() -> Counter[tuple[str, str]]:
    with deployed(world()) as sandbox:
        billed(sandbox, MAY)
        return totals(sandbox)


@pytest.fixture(scope="module")
def grouped() -> Iterator[Sandbox]:
    with deployed(world(), parameters={"InvoiceGrouping": "client"}) as sandbox:
        _, result = billed(sandbox, MAY)
        assert result.status == "SUCCEEDED", result
        yield sandbox


def test_grouping_gives_the_same_totals_per_client_and_currency(
    by_order: Counter[tuple[str, str]], grouped: Sandbox
) -> None:
    assert totals(grouped) == by_order


def test_there_is_one_invoice_per_client_currency_and_terms_and_its_lines_name_their_orders(grouped: Sandbox) -> None:
    numbers = sorted(invoice["metadata"]["netsuite_so_number"] for invoice in live(grouped))
    assert numbers == ["SO-1,SO-2", "SO-3", "SO-4", "SO-5,SO-6"]
    both = next(i for i in live(grouped) if i["metadata"]["netsuite_so_number"] == "SO-1,SO-2")
    assert all("SO-1" in line["description"] or "SO-2" in line["description"] for line in both["lines"]["data"])


def test_a_grouped_month_started_again_drafts_nothing_and_asks_nobody(grouped: Sandbox) -> None:
    writes = grouped.stripe.writes
    _, result = asked_nobody(grouped, MAY)
    assert result.status == "SUCCEEDED"
    assert grouped.stripe.writes == writes


def test_an_order_added_to_a_grouped_month_is_billed_alone(grouped: Sandbox) -> None:
    grouped.netsuite.add_order(order(7, work("1", "70.00"), customer=10))
    run, result = billed(grouped, MAY)
    assert result.status == "SUCCEEDED"
    numbers = sorted(invoice["metadata"]["netsuite_so_number"] for invoice in live(grouped))
    assert numbers == ["SO-1,SO-2", "SO-3", "SO-4", "SO-5,SO-6", "SO-7"]
    assert grouped.report(run)["counts"]["skipped"] == 6

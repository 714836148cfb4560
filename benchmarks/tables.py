"""The tables of docs/benchmarks.md, made from what was measured last. Pure: the same results give the same text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.cost import PARTS, dollars, grown, prices
from docs.making.marked import with_part

Results = Mapping[str, Any]
PAGE = "docs/benchmarks.md"


def pages(root: Path, results: Results) -> dict[Path, str]:
    """docs/benchmarks.md with every part as it ought to be."""
    path = root / PAGE
    text = path.read_text(encoding="utf-8")
    for name, part in parts(results).items():
        text = with_part(text, name, part)
    return {path: text}


def parts(results: Results) -> dict[str, str]:
    """Each table by its name."""
    counts, times = results["counts"], results["times"]
    return {
        "bench ratios": _table(("what", "ratio", "target", "counted"), "lrrl", ratios(results)),
        "bench calls": _calls(counts),
        "bench cost": _cost(counts),
        "bench drafting": _drafting(counts),
        "bench starts": _starts(counts, times),
    }


def ratios(results: Results) -> list[Sequence[str]]:
    """The one table: what, ratio, target, and what it was counted from."""
    counts = results["counts"]
    rows: list[Sequence[str]] = []
    for size, one in _by_size(counts):
        first, again, orders = one["first"], one["replay"], one["orders"]
        rows += [
            (
                f"calls to NetSuite per order, {size} orders",
                f"{first['netsuite'] / orders:.3f}",
                "",
                f"{first['netsuite']}",
            ),
            (
                f"reads of Stripe per invoice in drafting, {size} orders",
                f"{first['drafting reads'] / orders:.2f}",
                "2",
                f"{first['drafting reads']:,} for {orders:,}",
            ),
            (
                f"reads of Stripe per unknown client in matching, {size} orders",
                f"{first['matching reads'] / one['clients']:.2f}",
                "1, and 2 for the run",
                f"{first['matching reads']:,} for {one['clients']:,}",
            ),
            (
                f"writes to Stripe per invoice, {size} orders",
                f"{first['stripe writes'] / orders:.2f}",
                "2, and 1 per new client",
                f"{first['stripe writes']:,} for {orders:,}",
            ),
            (
                f"the same month again, {size} orders: writes and reads of Stripe",
                f"{again['stripe writes']}, {again['stripe reads']}",
                "0, 1 per hundred drafts",
                f"NetSuite {again['netsuite']}",
            ),
        ]
    for what, one in counts.get("drafting", {}).items():
        floor = one["orders"] / 25
        rows.append(
            (
                f"time to draft {one['orders']:,} orders over 25 a second, {what}",
                f"{one['seconds'] / floor:.2f}",
                "1.10" if "known" in what else "",
                f"{one['seconds']:,.1f} s",
            )
        )
    back = counts.get("settled")
    if back:
        number = back["invoices"]
        rows.append(
            (
                "per invoice on the way back, draft to bank: NetSuite, reads and writes of Stripe",
                ", ".join(f"{back[key] / number:.1f}" for key in ("netsuite", "stripe reads", "stripe writes")),
                "",
                f"{number} invoices",
            )
        )
    return rows


def _calls(counts: Results) -> str:
    heads = ("orders", "NetSuite", "Stripe reads", "of these matching", "drafting", "Stripe writes", "transitions",
             "replay: NetSuite", "reads", "writes")  # fmt: skip
    rows = []
    for size, one in _by_size(counts):
        first, again = one["first"], one["replay"]
        keys = ("netsuite", "stripe reads", "matching reads", "drafting reads", "stripe writes", "transitions")
        rows.append(
            [
                size,
                *(f"{first[key]:,}" for key in keys),
                *(f"{again[key]:,}" for key in ("netsuite", "stripe reads", "stripe writes")),
            ]
        )
    return _table(heads, "r" * len(heads), rows)


def _cost(counts: Results) -> str:
    found: list[tuple[str, dict[str, float]]] = [
        (f"run of {size} orders", dollars(one["first"], one["first"]["kept"])) for size, one in _by_size(counts)
    ]
    sizes = [one["orders"] for _, one in _by_size(counts)]
    if len(sizes) > 1 and sizes[-1] < 10_000:
        (_, small), (_, large) = found[-2:]
        times = (10_000 - sizes[-2]) / (sizes[-1] - sizes[-2])
        found.append(("run of 10,000 orders, on that line", grown(small, large, times)))
    back = counts.get("settled")
    if back:
        each = dollars(back)
        found.append(("1,000 settled invoices", {part: each[part] * 1000 / back["invoices"] for part in PARTS}))
    rows = [[what, f"{sum(each.values()):.4f}", *(f"{each[part]:.4f}" for part in PARTS)] for what, each in found]
    said = f"USD at the list prices of {prices()['read']} ({prices()['region']})."
    return f"{said}\n\n{_table(('what', 'together', *PARTS), 'l' + 'r' * (len(PARTS) + 1), rows)}"


def _drafting(counts: Results) -> str:
    heads = (
        "1,000 orders",
        "at once",
        "times the floor",
        "seconds",
        "floor",
        "drafted",
        "failed",
        "answers 429",
        "calls",
    )
    rows = []
    for what, one in sorted(counts.get("drafting", {}).items(), key=lambda found: found[1]["seconds"]):
        floor = one.get("floor", one["orders"] / 25)
        shown = (f"{one[key]:,}" if key in one else "" for key in ("drafted", "failed", "answers 429", "calls"))
        rows.append(
            [
                what,
                str(one["at once"]),
                f"{one['seconds'] / floor:.2f}",
                f"{one['seconds']:,.1f}",
                f"{floor:.1f}",
                *shown,
            ]
        )
    return _table(heads, "l" + "r" * (len(heads) - 1), rows)


def _starts(counts: Results, times: Results) -> str:
    if "starts" not in counts:
        return "Not measured yet."
    milliseconds = times["starts"]["milliseconds"]
    packages = ("billing", "python", "stripe", "requests", "aws_lambda_powertools", "aws_xray_sdk", "slack_sdk")
    rows = []
    for name in sorted(milliseconds, key=lambda one: -milliseconds[one]["all"]):
        each = milliseconds[name]
        shares = [f"{each.get(package, 0) / each['all']:.0%}" for package in packages]
        rows.append([name, *shares, f"{sum(counts['starts'][name].values()):,}", f"{each['all']:.0f}"])
    heads = ("function", "ours", *packages[1:], "modules", "ms")
    return f"{times['starts']['machine']}.\n\n{_table(heads, 'l' + 'r' * (len(heads) - 1), rows)}"


def _by_size(counts: Results) -> list[tuple[str, Mapping[str, Any]]]:
    found = sorted(counts.get("calls", {}).values(), key=lambda one: one["orders"])
    assert all(one["orders"] < other["orders"] for one, other in pairwise(found))
    return [(f"{one['orders']:,}", one) for one in found]


def _table(heads: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    marks = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, marks, *rows))

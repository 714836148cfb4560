"""Measures, keeps what was found and writes docs/benchmarks.md. Without arguments every section but the slow ones;
with names (`python -m benchmarks calls starts`) only those. `calls-10000` counts the largest month, in about an hour;
`tables` measures nothing and only writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import calls, drafting, starts
from benchmarks.link_times import REQUESTS, differences
from benchmarks.results import ROOT, keep, read_results
from benchmarks.tables import pages, parts


def _calls(*sizes: int) -> None:
    known = read_results()["counts"].get("calls", {})
    for size in sizes or calls.SIZES:
        known[str(size)] = calls.calls_of(size)
        keep("calls", known, None)


def _settled() -> None:
    keep("settled", calls.settled_calls(), None)


def _starts() -> None:
    found = starts.starts()
    milliseconds = {
        name: {
            "all": round(one.milliseconds),
            **{package: round(spent, 1) for package, spent in one.by_package.items()},
        }
        for name, one in found.items()
    }
    keep("starts", {name: one.modules for name, one in found.items()}, {"milliseconds": milliseconds})


def _drafting() -> None:
    found = {
        "every client known": drafting.drafted(known=True),
        "every client new": drafting.drafted(known=False),
        drafting.LOW_CODE: drafting.low_code(),
    }
    keep("drafting", found, None)


def _links() -> None:
    print(f"{REQUESTS} GETs of each kind in turn; milliseconds; p by Mann-Whitney\n")
    print("| page | kinds | medians | difference | 95 % of it | p |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for found in differences():
        first, second = (f"{median:.2f}" for median in found.medians)
        low, high = (f"{end:+.2f}" for end in found.interval)
        words = f"{found.difference:+.2f} | {low} to {high} | {found.probability:.2f}"
        print(f"| {found.page} | {' and '.join(found.kinds)} | {first}, {second} | {words} |", flush=True)


USUAL: dict[str, Callable[[], None]] = {"calls": _calls, "settled": _settled, "starts": _starts, "drafting": _drafting}
ASKED_FOR: dict[str, Callable[[], None]] = {
    "calls-10": lambda: _calls(10),
    "calls-10000": lambda: _calls(calls.LARGE),
    "links": _links,
    "tables": lambda: None,
}


def main(names: list[str]) -> int:
    """Measure the named sections, and print the tables as Markdown."""
    sections = {**USUAL, **ASKED_FOR}
    unknown = [name for name in names if name not in sections]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(sections)}", file=sys.stderr)
        return 2
    for name in names or USUAL:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        sections[name]()
    results = read_results()
    for path, text in pages(ROOT, results).items():
        path.write_text(text, encoding="utf-8")
    for part in parts(results).values():
        print(f"{part}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

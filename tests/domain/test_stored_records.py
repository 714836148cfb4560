"""What a run has stored is read one way: by this version what it wrote, and what earlier versions wrote while a run
waited for approval; and what cannot be read says by which version it was written and what to do.

The files under tests/stored were written by the product itself, at the states of 22 and 27 November 2026: a run that
is approved with one order held back and one changed in NetSuite, and a second run of the month that waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.domain.batch.batch import Disposition, read_batch, read_item, read_piece, read_reasons
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.errors import OurFault
from billing.domain.invoices.plan_record import plan_hash
from billing.domain.ledger.ledger import invoice_hash
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import FORMAT, RecordUnreadable, from_record, read_stored, stored, to_record
from billing.domain.run import Run, read_run_state, read_state, to_state
from billing.domain.runs.report import LineOutcome
from billing.domain.runs.report_record import read_report
from billing.domain.runs.run_input import parse_filter
from billing.domain.runs.snapshot import read_snapshot

STORED = Path(__file__).parent.parent / "stored"
VERSIONS = ("written_2026_11_22", "written_2026_11_27")
FIRST, SECOND = "runs/2026-05/first-run/", "runs/2026-05/second-run/"

READERS: dict[str, Callable[[Any], Any]] = {
    "orders.json": read_snapshot,
    "batch.json": read_batch,
    "invoices.ndjson": lambda data: read_piece(data, "order-1"),
    "items.json": read_item,
    "held.json": lambda data: read_reasons(data, "held.json"),
    "changed.json": lambda data: read_reasons(data, "changed.json"),
    "report.json": read_report,
}


def written(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / f"{version}.json").read_text())
    return found


def files_of(version: str) -> dict[str, str]:
    files: dict[str, str] = written(version)["files"]
    return files


def records(name: str, text: str) -> list[Any]:
    """The stored records of a file: the file itself, or its lines or items."""
    if name.endswith(".ndjson"):
        return [json.loads(line) for line in text.splitlines()]
    found = json.loads(text)
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_that_waited_while_this_was_deployed_finds_its_batch(version: str) -> None:
    files = files_of(version)
    first, second = (read_batch(json.loads(files[f"{where}batch.json"])) for where in (FIRST, SECOND))
    to_draft = {one.plan.orders[0].number: one.plan.total for one in first.to_draft}
    # 2 x 150.00; 7.25 x 187.50 + 20.00 = 1,379.38 (1,359.375 rounded half up).
    assert to_draft == {
        "SO-1": 30_000, "SO-2": 30_000, "SO-3": 137_938, "SO-4": 30_000, "SO-5": 30_000, "SO-6": 30_000
    }  # fmt: skip
    assert [one.order_number for one in first.problems] == ["SO-7"]
    assert [one.plan.orders[0].number for one in second.of(Disposition.ASK)] == ["SO-2", "SO-4"]
    done = {one.number for one in second.done} | {
        one.plan.orders[0].number for one in second.of(Disposition.SKIP)
    }  # the first of the two versions kept what was done among the invoices
    assert done == {"SO-1", "SO-3", "SO-5", "SO-6"}
    # A grouped client's orders may be listed once more: who asked is told apart from who was asked for.
    assert {one.carried_from for one in second.invoices} <= {None, "2026-05"}


@pytest.mark.parametrize("version", VERSIONS)
def test_hashes_that_were_signed_before_are_the_same_hashes_now(version: str) -> None:
    """The canonical form that is hashed is byte for byte what it was: else a signed batch would be asked about again,
    and a signed piece refused."""
    files = files_of(version)
    for where in (FIRST, SECOND):
        raw = json.loads(files[f"{where}batch.json"])
        for before, one in zip(raw["invoices"], read_batch(raw).invoices, strict=True):
            assert canonical_json(to_record(one.plan)) == canonical_json(before["plan"])
            assert invoice_hash(one.plan, one.replaces) == one.invoice_hash == before["contentHash"]
        for line in files[f"{where}invoices.ndjson"].splitlines():
            piece = read_piece(json.loads(line), "any")
            assert invoice_hash(piece.plan, piece.replaces) == plan_hash(piece.plan) == piece.invoice_hash


@pytest.mark.parametrize("version", VERSIONS)
def test_items_name_the_bytes_of_their_pieces(version: str) -> None:
    files = files_of(version)
    ndjson = files[f"{FIRST}invoices.ndjson"].encode()
    items = [read_item(one) for one in json.loads(files[f"{FIRST}items.json"])]
    assert [one.order for one in items] == ["SO-1", "SO-3", "SO-5", "SO-6"]
    for item in items:
        place = item.piece
        line = ndjson[place.offset : place.offset + place.length]
        assert sha256_hex(line) == place.sha256
        assert read_piece(json.loads(line), item.key).invoice_hash == item.invoice_hash


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_held_back_changed_reported_and_listed_is_read(version: str) -> None:
    files = files_of(version)
    held = read_reasons(json.loads(files[f"{FIRST}held.json"]), "held.json")
    changed = read_reasons(json.loads(files[f"{FIRST}changed.json"]), "changed.json")
    assert list(held) == ["order-20002"]
    assert "Hours are not final." in held["order-20002"]
    assert list(changed) == ["order-20004"]
    report = read_report(json.loads(files[f"{FIRST}report.json"]))
    assert {line.orders[0] for line in report.of(LineOutcome.DRAFTED)} == {"SO-1", "SO-3", "SO-5", "SO-6"}
    assert report.totals["drafted"] == {"eur": 30_000, "usd": 197_938}
    assert [vote.answer for vote in report.votes] == ["approve"]
    first, second = (read_snapshot(json.loads(files[f"{where}orders.json"])) for where in (FIRST, SECOND))
    assert len(read_orders(first.listed).orders) == 7
    assert {one.number: one.period for one in second.carried.values()} == dict.fromkeys(
        ("SO-2", "SO-4", "SO-7"), "2026-05"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_read_of_an_earlier_version_and_written_again_says_the_same(version: str) -> None:
    for key, text in files_of(version).items():
        name = key.rpartition("/")[2]
        for record in records(name, text):
            found = READERS[name](record)
            if name in ("held.json", "changed.json"):
                continue
            again = json.loads(canonical_json(stored(found)))
            assert again["format"] == FORMAT
            assert READERS[name](again) == found, key


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda record: {**record, "format": FORMAT + 1}, "newer version"),
        (lambda record: {**record, "format": "two"}, "altered"),
        (lambda record: {**record, "format": 0}, "altered"),
        (lambda record: {"format": FORMAT, "colour": "red"}, "'colour'"),
        (lambda _: {"format": FORMAT}, f"format {FORMAT}"),
        (lambda _: [], "altered"),
        (lambda _: None, "altered"),
        (lambda _: "text", "altered"),
    ],
)
def test_what_cannot_be_read_says_who_wrote_it_and_what_to_do(
    name: str, spoil: Callable[[Any], Any], said: str
) -> None:
    text = next(text for key, text in files_of(VERSIONS[1]).items() if key == f"{FIRST}{name}")
    with pytest.raises(RecordUnreadable) as refused:
        READERS[name](spoil(records(name, text)[0]))
    sentence = str(refused.value)
    assert said in sentence
    assert "Start a new execution" in sentence or "start a new execution" in sentence
    assert isinstance(refused.value, OurFault), "a function leaves by a name that the state machine knows"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(one for key, found in inside for one in places(found, (*path, key)))]


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("held.json", "changed.json")])
@pytest.mark.parametrize("number", [None, FORMAT])
def test_a_file_that_was_altered_anywhere_is_refused_by_name_and_never_by_a_stray_error(
    name: str, number: int | None
) -> None:
    """Every value in turn becomes one of another kind. Some still read (a text that may be missing); no amount and no
    text of the file is in the refusal."""
    record = records(name, files_of(VERSIONS[1])[f"{FIRST}{name}"])[0]
    if number is not None:
        record = stored(READERS[name](record))
        record = json.loads(canonical_json(record))
    refused = []
    for path in places(record)[1:]:
        for other in ({"x": 1}, [[1]], 3.5):
            altered = json.loads(json.dumps(record))
            target = altered
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = other
            try:
                READERS[name](altered)
            except RecordUnreadable as error:
                refused.append(str(error))
    assert len(refused) > 5
    assert not [one for one in refused if "Zephyrine" in one or "137938" in one]


@dataclass(frozen=True, slots=True)
class Inside:
    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sample:
    number: int
    pairs: tuple[tuple[str, str], ...]
    inside: Inside | None
    by_name: dict[str, int] | None = None
    flag: bool = False


def test_a_record_is_its_fields_and_nothing_else() -> None:
    sample = Sample(3, (("a", "b"),), Inside(date(2026, 5, 31), Decimal("7.250")))
    record = to_record(sample)
    assert record == {
        "number": 3, "pairs": [["a", "b"]], "inside": {"day": "2026-05-31", "amount": "7.250"}, "by_name": None,
        "flag": False,
    }  # fmt: skip
    assert json.loads(json.dumps(record)) == record


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"number": "3"}, "number"),
        ({"number": True}, "number"),
        ({"number": 3.0}, "number"),
        ({"pairs": [["a"]]}, r"pairs\[0\]"),
        ({"pairs": [["a", 1]]}, r"pairs\[0\]\[1\]"),
        ({"inside": {"day": "2026-02-30", "amount": "1"}}, r"inside\.day"),
        ({"inside": {"day": "2026-02-28", "amount": "NaN"}}, r"inside\.amount"),
        ({"inside": {"day": "2026-02-28"}}, r"inside\.amount"),
        ({"flag": None}, "flag"),
        ({"flag": 0}, "flag"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_path(change: dict[str, Any], where: str) -> None:
    record = {"number": 3, "pairs": [], "inside": None}
    assert from_record(InsideFree, record) == InsideFree(3, (), None)
    with pytest.raises(RecordUnreadable, match=where):
        from_record(InsideFree, {**record, **change})


@dataclass(frozen=True, slots=True)
class InsideFree:
    number: int
    pairs: tuple[tuple[str, str], ...]
    inside: Inside | None
    flag: bool = False


def test_a_float_is_in_no_record() -> None:
    with pytest.raises(TypeError, match="float"):
        to_record({"total": 1.5})


def test_a_format_that_only_got_its_number_needs_no_change() -> None:
    assert read_stored(InsideFree, {"number": 1, "pairs": [], "inside": None}, "the row x") == InsideFree(1, (), None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["waiting_state", "state"])
def test_the_state_of_a_run_that_waited_is_read_and_handed_on_unchanged(version: str, name: str) -> None:
    state = written(version)[name]
    found = read_run_state(state)
    assert (found.run.period, found.run.settings.approval_timeout_seconds) == ("2026-05", 604_800)
    assert found.listed is not None
    assert found.matched is not None
    assert (found.listed.orders, found.matched.to_ask) == (7, {"waiting_state": 6, "state": 2}[name])
    again = to_state(found.run)
    kept = {key: again[key] for key in state["run"]}
    kept["settings"] = {key: again["settings"][key] for key in state["run"]["settings"]}
    assert kept == state["run"], "what it had is what it has"
    assert read_state(Run, again) == found.run


@pytest.mark.parametrize(
    "change", [{"period": None}, {"settings": {}}, {"settings": 7}, {"filter": {"orderNumbers": "SO-1"}}, {"newer": 1}]
)
def test_a_state_that_cannot_be_read_says_so(change: dict[str, Any]) -> None:
    state = written(VERSIONS[1])["state"]
    with pytest.raises(RecordUnreadable, match=r'execution\'s "run" cannot be read.*Start a new execution'):
        read_run_state({**state, "run": {**state["run"], **change}})


NARROWED = {
    "orderNumbers": ["SO-1"], "customerIds": ["7"], "customerCategories": ["2"], "subsidiaries": ["3"],
    "customFields": {"custbody_b": "x", "custbody_a": "Y"}, "fromDate": "2026-05-02", "toDate": "2026-05-09",
    "atMost": 3,
}  # fmt: skip


def test_a_filter_passes_through_the_state_and_the_files_as_it_was_given() -> None:
    state = written(VERSIONS[1])["state"]["run"]
    run = read_state(Run, {**state, "filter": NARROWED})
    assert run.filter == parse_filter(NARROWED)
    assert to_state(run)["filter"] == NARROWED
    assert from_record(Run, json.loads(json.dumps(to_record(run)))) == run

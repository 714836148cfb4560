"""Ten thousand orders: the table reaches whoever asks for it, within what Lambda lets through in one answer."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator

import pytest

from billing.pages.approval.batch_csv import batch_csv
from billing.pages.csv_file import csv_bytes, csv_parts
from billing.workflows.approval_page.http_exchange import LONGEST_FILE, accepts_gzip, file_of
from tests.adapters.aws_world import AwsWorld, aws_world
from tests.pages import samples
from tests.workflows.approval_world import ANN, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

LAMBDAS_LIMIT = 6 * 1024 * 1024


def asked(aws: AwsWorld, size: int) -> ApprovalWorld:
    """A request for so many orders that waits."""
    world = ApprovalWorld(aws, MovingClock(), run_id=f"run-of-{size}")
    world.matched = world.keep(samples.month(size))
    world.ask()
    return world


@pytest.fixture(scope="module")
def large() -> Iterator[ApprovalWorld]:
    with aws_world() as aws:
        yield asked(aws, 10_000)


@pytest.fixture(scope="module")
def small(large: ApprovalWorld) -> ApprovalWorld:
    return asked(large.aws, 3)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return batch_csv(samples.month(10_000))


def test_a_browser_gets_all_of_it_packed_in_one_answer(large: ApprovalWorld, whole: bytes) -> None:
    answer = large.get(large.link(ANN), query="format=csv", accept_encoding="gzip, deflate, br")
    assert len(json.dumps(answer)) < LAMBDAS_LIMIT / 2
    assert answer["headers"]["content-encoding"] == "gzip"
    assert answer["headers"]["vary"] == "accept-encoding"
    assert answer["headers"]["content-type"].startswith("text/csv")
    assert gzip.decompress(base64.b64decode(answer["body"])) == whole
    assert len(whole) > LAMBDAS_LIMIT


def test_who_cannot_unpack_it_gets_a_page_that_leads_to_parts_which_add_up(large: ApprovalWorld, whole: bytes) -> None:
    link = large.link(ANN)
    page = large.get(link, query="format=csv")
    assert (page["statusCode"], page["headers"]["content-type"]) == (200, "text/html; charset=utf-8")
    numbers = re.findall(r'href="\?format=csv&amp;part=(\d+)"', page["body"])
    assert numbers == ["1", "2", "3"]
    head, rows = whole.split(b"\r\n", 1)
    found = b""
    for number in numbers:
        part = large.get(link, query=f"format=csv&part={number}")
        assert len(json.dumps(part)) < LAMBDAS_LIMIT
        assert f"part-{number}-of-3.csv" in part["headers"]["content-disposition"]
        top, rest = base64.b64decode(part["body"]).split(b"\r\n", 1)
        assert top == head
        found += rest
    assert found == rows


@pytest.mark.parametrize("part", ["0", "4", "9" * 400])
def test_a_part_that_there_is_not_leads_to_those_that_there_are(large: ApprovalWorld, part: str) -> None:
    answer = large.get(large.link(ANN), query=f"format=csv&part={part}")
    assert (answer["statusCode"], "Part 1 of 3" in answer["body"]) == (200, True)


@pytest.mark.parametrize("part", ["0", "2", "-1", "x", "１", " 1"])
def test_nor_does_a_part_of_a_small_table(small: ApprovalWorld, part: str) -> None:
    answer = small.get(small.link(ANN), query=f"format=csv&part={part}")
    assert (answer["statusCode"], "Part 1 of 1" in answer["body"]) == (200, True)


def test_the_page_of_ten_thousand_fits_too(large: ApprovalWorld) -> None:
    assert len(json.dumps(large.get(large.link(ANN)))) < LAMBDAS_LIMIT / 10


def test_a_small_table_is_whole_for_everybody(large: ApprovalWorld) -> None:
    world = asked(large.aws, 40)
    plain = world.get(world.link(ANN), query="format=csv")
    packed = world.get(world.link(ANN), query="format=csv", accept_encoding="gzip")
    assert "content-encoding" not in plain["headers"]
    assert base64.b64decode(plain["body"]) == gzip.decompress(base64.b64decode(packed["body"]))
    assert plain["headers"]["vary"] == packed["headers"]["vary"]


def test_a_file_that_does_not_fit_is_none() -> None:
    assert file_of({}, {}, b"x" * (LONGEST_FILE + 3)) is None
    answer = file_of({}, {}, b"x" * LONGEST_FILE)
    assert answer is not None
    assert len(json.dumps(answer)) < LAMBDAS_LIMIT


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True), ("GZIP;q=0.5", True), ("br, gzip ; q=1.0", True), ("*", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("br;q=1, gzip;q=0.000", False), ("x-gzipped", False),
    ],
)  # fmt: skip
def test_gzip_goes_only_to_who_says_that_they_unpack_it(header: str, accepted: bool) -> None:
    assert accepts_gzip({"headers": {"Accept-Encoding": header}}) is accepted
    assert accepts_gzip({}) is False


def test_parts_break_between_rows_and_never_inside_one() -> None:
    rows = [("a\nb" * 40, number) for number in range(30)]
    parts = csv_parts(("text", "number"), rows, 700)
    assert len(parts) > 3
    assert all(len(part) <= 700 for part in parts)
    head = csv_bytes(("text", "number"), [])
    assert all(part.startswith(head) for part in parts)
    assert head + b"".join(part.removeprefix(head) for part in parts) == csv_bytes(("text", "number"), rows)
    assert len(csv_parts(("text",), [("x" * 900,), ("y",)], 700)) == 2, "a row larger than a part stands alone"

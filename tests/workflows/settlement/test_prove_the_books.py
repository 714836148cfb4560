"""The nightly proof's own rules: what it is asked, what was rung meanwhile, and what it is compared with. What it finds
is tested in the domain, what it reads in the adapters, and all of it together in tests/played.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from billing.domain.errors import InputInvalid
from billing.domain.records import stored
from billing.domain.sending import Sending
from billing.domain.settlement.books import Books
from billing.domain.settlement.event_roots import RootKind
from billing.domain.settlement.proof import Proof
from billing.domain.settlement.records import Hold
from billing.domain.settlement.stripe_objects import ChargeFacts
from billing.workflows.settlement.prove_the_books import ProvingTheBooks
from billing.workflows.settlement.tell_of_the_proof import TellingOfTheProof
from tests.domain.settlement.facts import CALENDAR, charge, policies

NOW = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)


@dataclass
class World:
    """One charge in Stripe, nothing in NetSuite, and everything kept in memory."""

    rung_at: str = ""
    hold: Hold | None = None
    files: dict[str, Any] = field(default_factory=dict)
    days: dict[str, Any] = field(default_factory=dict)
    rung: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    since: list[date] = field(default_factory=list)

    def proving(self, now: datetime = NOW, **more: Any) -> ProvingTheBooks:
        return ProvingTheBooks(
            **{
                "stripe": lambda since: self,
                "ledger": cast(Any, None),
                "netsuite": cast(
                    Any, SimpleNamespace(since=self._books, of_records=_none, of_ids=_none, of_orders=_none)
                ),
                "rows": cast(Any, SimpleNamespace(records=_empty, customers=_empty, items=_empty)),
                "bells": cast(Any, SimpleNamespace(bell=self._bell, listed=self._listed)),
                "proofs": cast(Any, SimpleNamespace(of_day=self.days.get, latest=self._latest, keep=self._keep)),
                "files": cast(Any, SimpleNamespace(write_json=self._write, read_json=lambda key, _: self.files[key])),
                "queue": cast(Any, SimpleNamespace(ring=lambda root, kind, why, at: self.rung.append((root, kind)))),
                "policies": policies(),
                "calendar": CALENDAR,
                "now": now,
                "with_links": lambda proof: proof,
                "tell": lambda proof: self.told.append(proof.day),
                **more,
            }
        )

    # Stripe.

    def roots(self, known: Any) -> dict[str, RootKind]:
        return {"ch_9": RootKind.CHARGE}

    def roots_of_charges(self, charges: list[str], known: Any) -> dict[str, RootKind]:
        return {}

    def charge(self, charge_id: str) -> ChargeFacts:
        return ChargeFacts(charge(2500, charge_id))

    # The others.

    def _books(self, since: date) -> Books:
        self.since.append(since)
        return Books()

    def _bell(self, root: str) -> Any:
        return SimpleNamespace(root=root, kind="charge", hold=None, held_since="", rung_at=self.rung_at)

    def _listed(self, which: Any) -> Iterable[Any]:
        if which == "held" and self.hold is not None:
            yield SimpleNamespace(root="ch_9", kind="charge", hold=self.hold, held_since="2026-05-30", rung_at="")

    def _latest(self) -> Any:
        return self.days.get(max(self.days, default=""))

    def _keep(self, day: str, key: str, sha256: str, previous: str, at: str) -> None:
        self.days[day] = SimpleNamespace(day=day, key=key, sha256=sha256, previous=previous)

    def _write(self, key: str, value: Any) -> str:
        self.files[key] = value
        return f"hash of {key}"

    def kinds(self, day: str) -> list[str]:
        return [one["kind"] for one in self.files[f"settlement/proofs/{day}.json"]["differences"]]


def _none(_: Any) -> Books:
    return Books()


def _empty(_: Iterable[str]) -> Mapping[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"dry": True}, "dry"),
        ({"day": "May"}, "day"),
        ({"since": "2026-13-01"}, "since"),
        ({"fix": "yes"}, "fix"),
    ],
)
def test_what_it_does_not_understand_is_named_and_nothing_is_read(asked: dict[str, Any], named: str) -> None:
    world = World()
    with pytest.raises(InputInvalid, match=named):
        world.proving().prove(asked)
    assert world.since == []


def test_a_night_proves_the_day_before_in_the_firms_zone_and_the_quarter_up_to_it() -> None:
    world = World()
    # 03:30 UTC on June 1st is still May 31st in New York.
    assert world.proving(datetime(2026, 6, 1, 3, 30, tzinfo=UTC)).prove({})["day"] == "2026-05-30"
    assert world.proving().prove({})["day"] == "2026-05-31"
    assert world.since == [date(2026, 2, 27), date(2026, 2, 28)]
    world.proving().prove({"since": "2026-05-01"})
    assert world.since[-1] == date(2026, 5, 1)


def test_what_was_rung_while_the_books_were_read_waits_for_the_next_night() -> None:
    world = World(rung_at="2026-06-01T08:31:00+00:00")
    answer = world.proving().prove({"day": "2026-05-31", "fix": True})
    assert world.kinds("2026-05-31") == ["waiting"]
    assert world.rung == []
    assert answer["agrees"] is True


def test_what_was_rung_before_and_is_missing_is_a_difference_that_fix_rings() -> None:
    world = World(rung_at="2026-06-01T08:29:00+00:00")
    assert world.proving().prove({"day": "2026-05-31"})["counts"]["rung"] == 0
    assert world.rung == []
    assert world.kinds("2026-05-31") == ["missing there"]
    assert world.proving().prove({"day": "2026-05-31", "fix": True})["counts"]["rung"] == 1
    assert world.rung == [("ch_9", "charge")]


def test_what_is_held_is_never_rung_by_a_fix() -> None:
    world = World(hold=Hold("customer_missing", "No customer."))
    world.proving().prove({"day": "2026-05-31", "fix": True})
    assert world.kinds("2026-05-31") == ["waiting"]
    assert world.rung == []


def test_each_proof_is_compared_with_the_one_before_and_repeated_with_the_same_one() -> None:
    world = World()
    for day in ("2026-05-30", "2026-05-31", "2026-05-31"):
        world.proving().prove({"day": day})
    kept = world.files["settlement/proofs/2026-05-31.json"]
    assert kept["previous"] == "2026-05-30"
    assert [one["opened"] for one in kept["differences"]] == ["2026-05-30"]
    world.proving().prove({"day": "2026-05-01"})
    assert world.files["settlement/proofs/2026-05-01.json"]["previous"] == ""


def test_an_answer_holds_ids_and_counts_only() -> None:
    answer = World().proving().prove({"day": "2026-05-31"})
    assert "2500" not in str(answer)
    assert "25.00" not in str(answer)


# Telling -------------------------------------------------------------------------------------------------


def telling(sending: Sending, has: bool, posted: list[str], written: dict[str, bytes]) -> TellingOfTheProof:
    proof = Proof("2026-05-31", "2026-03-01", 0, 0, (), ())
    kept = SimpleNamespace(day=proof.day, key="k", sha256="h", previous="")
    return TellingOfTheProof(
        of_day=lambda day: cast(Any, kept if day == proof.day else None),
        files=cast(
            Any, SimpleNamespace(read_json=lambda key, _: stored(proof), write=lambda *a: written.update({a[0]: a[1]}))
        ),
        messages=cast(Any, SimpleNamespace(begin=lambda *_: sending, finish=lambda *_: None)),
        channel=lambda: cast(Any, SimpleNamespace(has=lambda *_: has, post=lambda name, *_: posted.append(name))),
        page=lambda _: "page",
        line=lambda _: ("line", []),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("sending", "has", "posts"),
    [(Sending.NEW, False, 1), (Sending.DONE, False, 0), (Sending.BEGUN, True, 0), (Sending.BEGUN, False, 1)],
)
def test_a_day_has_one_line_however_often_it_is_told(sending: Sending, has: bool, posts: int) -> None:
    posted: list[str] = []
    written: dict[str, bytes] = {}
    assert telling(sending, has, posted, written).tell({"day": "2026-05-31"}) == {"day": "2026-05-31", "told": posts}
    assert len(posted) == posts
    assert written == {"settlement/proofs/2026-05-31.html": b"page"}


def test_a_day_without_a_proof_is_named() -> None:
    with pytest.raises(InputInvalid, match="2026-05-30"):
        telling(Sending.NEW, False, [], {}).tell({"day": "2026-05-30"})

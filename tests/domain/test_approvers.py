"""Who has to sign, and what votes mean, whatever their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.approvers import (
    Answer,
    Outcome,
    Slot,
    Vote,
    approver_id,
    everybody,
    parse_slots,
    standing,
)
from billing.domain.errors import InputInvalid

ANN, BOB, CY, DI, EVE = (f"{name}@firm.example" for name in ("ann", "bob", "cy", "di", "eve"))


def approve(person: str, content: str = "h", at: str = "1") -> Vote:
    return Vote(person, Answer.APPROVE, content, at)


def reject(person: str, reason: str = "wrong client", content: str = "h", at: str = "1") -> Vote:
    return Vote(person, Answer.REJECT, content, at, reason)


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        (ANN, (Slot("Approvers", 1, (ANN,)),)),
        (f" {ANN} , {BOB} ,", (Slot("Approvers", 1, (ANN, BOB)),)),
        (f"Finance lead: {ANN}, {BOB}; Controller (2): {CY}, {DI}",
         (Slot("Finance lead", 1, (ANN, BOB)), Slot("Controller", 2, (CY, DI)))),
        (f"(2): {ANN},{BOB}", (Slot("Approvers", 2, (ANN, BOB)),)),
        (f"{ANN}; {BOB};", (Slot("Approvers", 1, (ANN,)), Slot("Approvers 2", 1, (BOB,)))),
        ("CFO: Ann@Firm.Example, ann@firm.example", (Slot("CFO", 1, (ANN,)),)),
        (f"Team ( 2 ) : {ANN}, {BOB}, {CY}", (Slot("Team", 2, (ANN, BOB, CY)),)),
    ],
)  # fmt: skip
def test_slots_are_read_as_they_are_written(text: str, slots: tuple[Slot, ...]) -> None:
    assert parse_slots(text) == slots


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "names nobody"),
        (" ; ; ", "names nobody"),
        ("Finance:", '"Finance" names nobody'),
        ("Finance: ,", '"Finance" names nobody'),
        ("ann", "entry 1 is no e-mail address"),
        (f"Finance: {ANN}, bob", 'slot "Finance": entry 2 is no e-mail address'),
        (f"{ANN} {BOB}", "entry 1 is no e-mail address"),
        ("ann@firm", "entry 1 is no e-mail address"),
        ("a@b@firm.example", "entry 1 is no e-mail address"),
        (f"Finance (0): {ANN}", "needs 0 of 1 people"),
        (f"Finance (3): {ANN}, {BOB}", "needs 3 of 2 people"),
        # Named twice, she is one person.
        (f"Finance (2): {ANN}, {ANN.upper()}", "needs 2 of 1 people"),
        (f"Finance (two): {ANN}", "cannot be read at slot 1"),
        (f"Finance: {ANN}; A: B: {BOB}", "cannot be read at slot 2"),
        (f"Finance: {ANN}; Finance: {BOB}", '"Finance" twice'),
    ],
)
def test_a_mistake_in_the_approvers_is_named(text: str, mistake: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        parse_slots(text)
    assert mistake in str(refused.value)
    assert "Approvers" in str(refused.value)


def test_everybody_is_asked_once_though_named_in_two_slots() -> None:
    assert everybody(parse_slots(f"A: {ANN}, {BOB}; B: {BOB}, {CY}")) == (ANN, BOB, CY)


def test_an_approvers_id_tells_nothing_and_ignores_case_and_blanks() -> None:
    assert approver_id(f" {ANN.upper()} ") == approver_id(ANN)
    assert approver_id(ANN) != approver_id(BOB)
    assert len(approver_id(ANN)) == 16
    assert "ann" not in approver_id(ANN)


def test_a_slot_waits_until_as_many_have_signed_as_it_needs() -> None:
    slots = parse_slots(f"Finance (2): {ANN}, {BOB}, {CY}")
    stands = standing(slots, [approve(ANN)], "h")
    assert (stands.outcome, stands.open_slots) == (Outcome.UNDECIDED, ("Finance",))
    assert standing(slots, [approve(ANN), approve(CY)], "h").outcome is Outcome.APPROVED


def test_one_person_counts_once_however_often_she_signs() -> None:
    slots = parse_slots(f"Finance (2): {ANN}, {BOB}")
    assert standing(slots, [approve(ANN, at="1"), approve(ANN, at="2")], "h").outcome is Outcome.UNDECIDED


def test_a_person_in_two_slots_signs_for_both() -> None:
    slots = parse_slots(f"A: {ANN}, {BOB}; B: {BOB}, {CY}")
    assert standing(slots, [approve(BOB)], "h").outcome is Outcome.APPROVED


def test_the_earliest_reject_gives_the_reason() -> None:
    slots = parse_slots(f"{ANN}, {BOB}")
    stands = standing(slots, [reject(BOB, "late", at="2"), approve(ANN), reject(ANN, "early", at="1")], "h")
    assert (stands.outcome, stands.reason) == (Outcome.REJECTED, "early")


def test_nobody_approves_by_silence() -> None:
    assert standing(parse_slots(ANN), [], "h").outcome is Outcome.UNDECIDED


PEOPLE = (ANN, BOB, CY, DI)
votes = st.builds(
    Vote,
    approver=st.sampled_from((*PEOPLE, EVE)),
    answer=st.sampled_from(Answer),
    content_hash=st.sampled_from(("h", "other")),
    at=st.sampled_from("123"),
    reason=st.sampled_from(("", "r1", "r2")),
)


@st.composite
def slot_sets(draw: st.DrawFn) -> tuple[Slot, ...]:
    slots = []
    for number in range(draw(st.integers(1, 3))):
        people = tuple(draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)))
        slots.append(Slot(f"S{number}", draw(st.integers(1, len(people))), people))
    return tuple(slots)


@given(slot_sets(), st.lists(votes, max_size=8), st.randoms())
def test_the_order_of_votes_never_matters(slots: tuple[Slot, ...], cast: list[Vote], chance: object) -> None:
    shuffled = list(cast)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    there, back = standing(slots, cast, "h"), standing(slots, shuffled, "h")
    assert there.outcome is back.outcome
    assert there.open_slots == back.open_slots


@given(slot_sets(), st.lists(votes, max_size=8))
def test_one_reject_of_an_approver_for_this_content_wins_over_everything(
    slots: tuple[Slot, ...], cast: list[Vote]
) -> None:
    people = set(everybody(slots))
    rejected = any(v.approver in people and v.content_hash == "h" and v.answer is Answer.REJECT for v in cast)
    assert (standing(slots, cast, "h").outcome is Outcome.REJECTED) == rejected


@given(slot_sets(), st.lists(votes, max_size=8), st.lists(votes, max_size=4))
def test_votes_of_outsiders_and_for_other_content_change_nothing(
    slots: tuple[Slot, ...], cast: list[Vote], noise: list[Vote]
) -> None:
    people = set(everybody(slots))
    idle = [vote for vote in noise if vote.approver not in people or vote.content_hash != "h"]
    assert standing(slots, [*cast, *idle], "h") == standing(slots, cast, "h")


@given(slot_sets(), st.lists(votes, max_size=8))
def test_approved_means_that_every_slot_has_its_people(slots: tuple[Slot, ...], cast: list[Vote]) -> None:
    stands = standing(slots, cast, "h")
    signed = {v.approver for v in cast if v.content_hash == "h" and v.answer is Answer.APPROVE}
    enough = all(len(signed & set(slot.people)) >= slot.need for slot in slots)
    if stands.outcome is not Outcome.REJECTED:
        assert (stands.outcome is Outcome.APPROVED) == enough
        assert bool(stands.open_slots) == (not enough)

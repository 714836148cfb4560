"""Who has to sign, and what votes mean, whatever their order."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.approval.approvers import (
    Answer,
    Outcome,
    Slot,
    SlotRule,
    Vote,
    approver_id,
    check_slot_rules,
    count_votes,
    everybody,
    lost_slots,
    parse_slot_rules,
    places,
    slots_without,
    still_of_use,
)
from billing.domain.errors import InputInvalid
from tests.slots import slots_of

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
    assert slots_of(text) == slots


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
        slots_of(text)
    assert mistake in str(refused.value)
    assert "Approvers" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("Finance: a\u200bnn@firm.example", "cannot be seen"),
        ("ann@firm.example(2)", "parenthesis"),
        ("Finance: a@b..co", "must look like firm.example"),
        ("Finance: a@-b.co", "must look like firm.example"),
        ("Finance: a@10.0.0.1", "must look like firm.example"),
        ("Finance: ann.@firm.example", "single dots"),
        ("Finance: m\u00fcller@firm.example", "must be ASCII"),
        ("Finance: ann@b\u00fccher.example", "xn-- form"),
        (f"Finance: {'a' * 65}@firm.example", "longer"),
        ("mailto:a@b.co", '"mailto:" at slot 1'),
        (f"{ANN}; Finance: MAILTO:a@b.co", '"mailto:" at slot 2'),
        (f"Lead: {ANN}; lead: {BOB}", "Capital and small letters"),
        (f"Lead (2) above USD 5 (2): {ANN}, {BOB}", "cannot be read at slot 1"),
        (f"Lead above USD 0: {ANN}", "after \"above\", entry 'USD 0': an amount of 0 would always ask"),
        (f"Lead above USD 50,000: {ANN}", "after \"above\", entry '000'"),
        (f"Le\u202ead: {ANN}", "all of them visible"),
        (f"{'x' * 61}: {ANN}", "at most 60 characters"),
    ],
)
def test_what_cannot_be_mailed_or_would_be_misread_is_refused_with_a_sentence(text: str, mistake: str) -> None:
    with pytest.raises(InputInvalid, match=r"^The parameter Approvers") as refused:
        slots_of(text)
    assert mistake in str(refused.value)
    assert "UpperBounds" not in str(refused.value)


@pytest.mark.parametrize("text", ["Lead (2) above USD 5", "Lead above USD 5 (2)", "Lead above USD 5( 2 )"])
def test_the_number_stands_before_or_after_the_amount(text: str) -> None:
    rules = parse_slot_rules(f"{text}: {ANN}, {BOB}")
    assert rules == (SlotRule(Slot("Lead", 2, (ANN, BOB)), "", (("usd", 500),)),)


@pytest.mark.parametrize(
    "address", ["ann+x@firm.example", "o'neill@firm.example", "a-b_c@x-y.co", "a@xn--bcher-kva.example"]
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    assert slots_of(address)[0].people == (address,)


def test_everybody_is_asked_once_though_named_in_two_slots() -> None:
    assert everybody(slots_of(f"A: {ANN}, {BOB}; B: {BOB}, {CY}")) == (ANN, BOB, CY)


def test_an_approvers_id_tells_nothing_and_ignores_case_and_blanks() -> None:
    assert approver_id(f" {ANN.upper()} ") == approver_id(ANN)
    assert approver_id(ANN) != approver_id(BOB)
    assert len(approver_id(ANN)) == 16
    assert "ann" not in approver_id(ANN)


def test_a_slot_waits_until_as_many_have_signed_as_it_needs() -> None:
    slots = slots_of(f"Finance (2): {ANN}, {BOB}, {CY}")
    tally = count_votes(slots, [approve(ANN)], "h")
    assert (tally.outcome, tally.open_slots) == (Outcome.UNDECIDED, ("Finance",))
    assert count_votes(slots, [approve(ANN), approve(CY)], "h").outcome is Outcome.APPROVED


def test_one_person_counts_once_however_often_she_signs() -> None:
    slots = slots_of(f"Finance (2): {ANN}, {BOB}")
    assert count_votes(slots, [approve(ANN, at="1"), approve(ANN, at="2")], "h").outcome is Outcome.UNDECIDED


def test_a_person_in_two_slots_fills_one_of_them() -> None:
    slots = slots_of(f"A: {ANN}, {BOB}; B: {BOB}, {CY}")
    tally = count_votes(slots, [approve(BOB)], "h")
    assert (tally.outcome, tally.open_slots) == (Outcome.UNDECIDED, ("A", "B"))
    assert tally.reason == "Still to sign: 1 more for A or B. One person counts for one slot."
    assert still_of_use(slots, [approve(BOB)], "h", slots) == (ANN, CY), "either of them completes it"
    for other in (ANN, CY):
        assert count_votes(slots, [approve(BOB), approve(other)], "h").outcome is Outcome.APPROVED


def test_one_who_is_needed_elsewhere_makes_room_for_the_others() -> None:
    slots = slots_of(f"Lead: {ANN}, {BOB}; Controller: {ANN}")
    tally = count_votes(slots, [approve(ANN)], "h")
    assert (tally.outcome, tally.open_slots) == (Outcome.UNDECIDED, ("Lead",)), "the controller is Ann, who has signed"
    assert places(slots, [approve(ANN)], "h") == {"Lead": (), "Controller": (ANN,)}
    assert count_votes(slots, [approve(ANN), approve(BOB)], "h").outcome is Outcome.APPROVED
    assert count_votes(slots, [approve(BOB)], "h").reason == "Still to sign: Controller."


def test_an_approval_counts_only_for_the_slots_that_were_open_to_the_person() -> None:
    slots = slots_of(f"Lead: {ANN}; Controller: {ANN}, {BOB}")
    for own, outcome in ((("Controller",), Outcome.UNDECIDED), (("Lead",), Outcome.APPROVED), (None, Outcome.APPROVED)):
        vote = Vote(ANN, Answer.APPROVE, "h", "1", slots=own)
        assert count_votes(slots, [vote, approve(BOB)], "h").outcome is outcome, own


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"A: {ANN}; B: {ANN}", ('"A" and "B"', "2 people must sign, and 1 can", "name 1 more")),
        (f"A (2): {ANN}, {BOB}; B: {BOB}; C: {CY}", ('"A" and "B"', "3 people must sign, and 2 can")),
        (f"A: {ANN}; B above USD 50000: {ANN}; C: {BOB}", ('"A" and "B"',)),
        (f"A: {ANN}; apac > A: {ANN}; apac > B: {ANN}", ('"A" and "B" in the cycle "apac"',)),
    ],
)
def test_slots_that_different_people_cannot_fill_are_refused_by_name(text: str, named: tuple[str, ...]) -> None:
    with pytest.raises(InputInvalid, match="One person fills one slot") as refused:
        check_slot_rules(parse_slot_rules(text))
    for one in named:
        assert one in str(refused.value)


def test_one_person_may_stand_in_several_slots_and_cycles_if_others_can_fill_the_rest() -> None:
    check_slot_rules(parse_slot_rules(f"A: {ANN}, {BOB}; B: {ANN}, {BOB}; apac > A: {ANN}; emea > A: {ANN}"))


def test_a_slot_that_cannot_be_filled_without_the_requester_is_named() -> None:
    rules = parse_slot_rules(f"A: {ANN}, {BOB}; B: {ANN}, {BOB}; C: {CY}")
    assert everybody(slots_without(rules, "monthly", {}, approver_id(CY.replace("cy", "zoe")))) == (ANN, BOB, CY)
    with pytest.raises(InputInvalid, match=r'"A" and "B".*RequesterMaySign'):
        slots_without(rules, "monthly", {}, approver_id(BOB))


def test_the_earliest_reject_gives_the_reason() -> None:
    slots = slots_of(f"{ANN}, {BOB}")
    tally = count_votes(slots, [reject(BOB, "late", at="2"), approve(ANN), reject(ANN, "early", at="1")], "h")
    assert (tally.outcome, tally.reason) == (Outcome.REJECTED, "early")


def test_nobody_approves_by_silence() -> None:
    assert count_votes(slots_of(ANN), [], "h").outcome is Outcome.UNDECIDED


PEOPLE = (ANN, BOB, CY, DI)
votes = st.builds(
    Vote,
    approver=st.sampled_from((*PEOPLE, EVE)),
    answer=st.sampled_from(Answer),
    request_hash=st.sampled_from(("h", "other")),
    at=st.sampled_from("123"),
    reason=st.sampled_from(("", "r1", "r2")),
)


@st.composite
def slot_sets(draw: st.DrawFn) -> tuple[Slot, ...]:
    slots = []
    for number in range(draw(st.integers(1, 4))):
        people = tuple(draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)))
        slots.append(Slot(f"S{number}", draw(st.integers(1, len(people))), people))
    return tuple(slots)


@given(slot_sets(), st.lists(votes, max_size=8), st.randoms())
def test_the_order_of_votes_never_matters(slots: tuple[Slot, ...], cast: list[Vote], chance: object) -> None:
    shuffled = list(cast)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    there, back = count_votes(slots, cast, "h"), count_votes(slots, shuffled, "h")
    assert there.outcome is back.outcome
    assert there.open_slots == back.open_slots


@given(slot_sets(), st.lists(votes, max_size=8))
def test_one_reject_of_an_approver_for_this_content_wins_over_everything(
    slots: tuple[Slot, ...], cast: list[Vote]
) -> None:
    people = set(everybody(slots))
    rejected = any(v.approver in people and v.request_hash == "h" and v.answer is Answer.REJECT for v in cast)
    assert (count_votes(slots, cast, "h").outcome is Outcome.REJECTED) == rejected


@given(slot_sets(), st.lists(votes, max_size=8), st.lists(votes, max_size=4))
def test_votes_of_outsiders_and_for_other_content_change_nothing(
    slots: tuple[Slot, ...], cast: list[Vote], noise: list[Vote]
) -> None:
    people = set(everybody(slots))
    idle = [vote for vote in noise if vote.approver not in people or vote.request_hash != "h"]
    assert count_votes(slots, [*cast, *idle], "h") == count_votes(slots, cast, "h")


def can_fill(slots: tuple[Slot, ...], open_to: Callable[[str, Slot], bool]) -> bool:
    """Whether different people can fill every slot: all ways are tried."""
    wanted = [slot for slot in slots for _ in range(slot.need)]
    return any(
        all(open_to(person, slot) for person, slot in zip(people, wanted, strict=True))
        for people in itertools.permutations((*PEOPLE, EVE), len(wanted))
    )


@given(slot_sets(), st.lists(votes, max_size=8))
def test_approved_means_that_different_signers_fill_every_slot(slots: tuple[Slot, ...], cast: list[Vote]) -> None:
    tally = count_votes(slots, cast, "h")
    signed = {v.approver for v in cast if v.request_hash == "h" and v.answer is Answer.APPROVE}
    enough = can_fill(slots, lambda person, slot: person in signed and person in slot.people)
    if tally.outcome is not Outcome.REJECTED:
        assert (tally.outcome is Outcome.APPROVED) == enough
        assert bool(tally.open_slots) == (not enough)


def most_filled(slots: tuple[Slot, ...], able: set[tuple[str, str]]) -> int:
    """The most places that different people can fill: all ways are tried."""
    best = 0
    for choice in itertools.product(("", *(slot.name for slot in slots)), repeat=len(PEOPLE)):
        counts = {slot.name: 0 for slot in slots}
        if all(not name or (person, name) in able for person, name in zip(PEOPLE, choice, strict=True)):
            for name in choice:
                if name:
                    counts[name] += 1
            best = max(best, sum(min(counts[slot.name], slot.need) for slot in slots))
    return best


@given(slot_sets(), st.sets(st.sampled_from(PEOPLE)))
def test_those_who_are_waited_for_are_exactly_those_who_would_fill_one_place_more(
    slots: tuple[Slot, ...], signed: set[str]
) -> None:
    def filled(people: set[str]) -> int:
        return most_filled(slots, {(one, slot.name) for slot in slots for one in slot.people if one in people})

    cast = [approve(person) for person in sorted(signed)]
    helping = {one for one in everybody(slots) if one not in signed and filled({*signed, one}) > filled(signed)}
    assert set(still_of_use(slots, cast, "h", slots)) == helping
    shown = places(slots, cast, "h")
    assert sum(map(len, shown.values())) == filled(signed)
    assert all(set(people) <= signed & set(slot.people) for slot in slots for people in [shown[slot.name]])
    seated = [one for people in shown.values() for one in people]
    assert len(seated) == len(set(seated)), "one person, one place"
    # What the page shows as missing can be filled by the silent, if the whole can.
    rest = {(one, slot.name) for slot in slots for one in slot.people if one not in signed}
    left = tuple(Slot(slot.name, slot.need - len(shown[slot.name]), slot.people) for slot in slots)
    whole = filled(set(PEOPLE))
    if whole == sum(slot.need for slot in slots):
        assert most_filled(left, rest) == whole - filled(signed)


@given(slot_sets(), st.sets(st.sampled_from(PEOPLE)), st.sets(st.sampled_from(PEOPLE)), st.data())
def test_lost_means_that_no_assignment_of_those_who_signed_and_can_be_reached_fills_every_slot(
    slots: tuple[Slot, ...], signed: set[str], unreachable: set[str], data: st.DataObject
) -> None:
    able = tuple(
        Slot(slot.name, slot.need, tuple(one for one in slot.people if data.draw(st.booleans()))) for slot in slots
    )
    cast = [approve(person) for person in sorted(signed)]
    found = lost_slots(slots, cast, "h", unreachable, able)
    listed = {slot.name: slot.people for slot in able}

    def open_to(person: str, slot: Slot) -> bool:
        return person in slot.people if person in signed else person in listed[slot.name] and person not in unreachable

    assert bool(found) == (not can_fill(slots, open_to))


@given(slot_sets())
def test_a_parameter_is_refused_exactly_if_nobody_could_ever_fill_it(slots: tuple[Slot, ...]) -> None:
    fits = can_fill(slots, lambda person, slot: person in slot.people)
    try:
        check_slot_rules(SlotRule(slot) for slot in slots)
    except InputInvalid:
        assert not fits
    else:
        assert fits

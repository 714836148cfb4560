"""What a machine may type into the page's forms: thousands of fillings, and not one byte changes.

The fillings are those of `machine.guesses`: nothing; the same in every field, or in every field that can be seen
(words known beforehand, every number, order number and address on the page and in the mail, the button's caption); one
field alone; each field by its kind, numbers and texts beside it first; and pairs of those. Kept back are exactly those
fillings that a person would make: the number of invoices alone; that number and a reason; an order's number and a
reason; an address of an allowed domain and the number. All of them leave the unseen field empty. A machine that looks
for what can be seen, copies the one right number into the one right field and leaves the rest alone cannot be told from
a person by a form without a login, and no test here says that it could.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.adapters.aws_world import AwsWorld
from tests.approval.machine import Filled, guesses
from tests.sandbox.person import Form, Page, read_page
from tests.workflows.approval_world import ANN, BOB, ApprovalWorld
from tests.workflows.moving_clock import MovingClock

INVOICES = 2


@pytest.fixture
def world(aws: AwsWorld, clock: MovingClock) -> ApprovalWorld:
    """Three orders, one of them held back, of a firm that lets people pass on within its own domain."""
    asked = ApprovalWorld(aws, clock, domains=("firm.example",))
    asked.ask()
    held = asked.post(asked.link(BOB), answer="hold", order="SO-1002", reason="Not final.")
    assert held["statusCode"] == 200
    return asked


def page_of(world: ApprovalWorld) -> Page:
    return read_page("", 200, world.get(world.link(ANN))["body"], {})


def form_to(world: ApprovalWorld, answer: str) -> Form:
    return next(form for form in page_of(world).forms for button in form.buttons if button.value == answer)


def a_person_would(filled: Filled) -> bool:
    """Whether this is what the page asks for, by the words on the page and not by the code behind it."""
    if filled.get("note"):
        return False
    number, reason = filled.get("number", "").strip(), filled.get("reason", "").strip()
    order, to = filled.get("order", "").upper(), filled.get("delegate", "")
    reasoned = len(reason) > 2 and reason.upper() not in (number, order) and any(sign.isalpha() for sign in reason)
    return {
        "approve": filled.get("invoices", "").strip() == str(INVOICES),
        "reject": number == str(INVOICES) and reasoned,
        "hold": order in ("SO-1001", "SO-1002", "SO-1003") and reasoned,
        "release": order == "SO-1002" and reasoned,
        "delegate": number == str(INVOICES) and to.endswith("@firm.example") and to not in (ANN, BOB),
    }[filled["answer"]]


@pytest.mark.parametrize("answer", ["approve", "reject", "hold", "release", "delegate"])
def test_no_filling_of_a_machine_changes_a_byte(world: ApprovalWorld, answer: str) -> None:
    mail = " ".join(content.subject + " " + content.text for _, content, _ in world.outbox.mails)
    mail += " From: billing@firm.example, To: ann@firm.example"
    before, tried = world.aws.dump(), Counter[bool]()
    hidden = world.shown(world.link(ANN))
    assert set(hidden) == {"content"}
    for filled in guesses(form_to(world, answer), page_of(world), mail):
        kept_back = a_person_would(filled)
        tried[kept_back] += 1
        if not kept_back:
            assert world.send(world.link(ANN), **hidden, **filled)["statusCode"] == 422, filled
    assert tried[False] > 150
    assert tried[True] < tried[False] / 5, "what is kept back is the exception"
    assert world.aws.dump() == before
    assert world.sleeper.woken == []


@pytest.mark.parametrize(("answer", "order"), [("hold", "SO-1001"), ("release", "SO-1002")])
def test_nor_does_one_of_the_form_that_a_click_in_a_row_opens(world: ApprovalWorld, answer: str, order: str) -> None:
    """A machine follows the row's button too. The order is known there, so the number of invoices has to be typed: the
    same text in every field is no reason, and a reason alone is not enough."""
    before, tried = world.aws.dump(), Counter[bool]()
    held = "show=held" if answer == "release" else ""
    table = read_page("", 200, world.get(world.link(ANN), query=held)["body"], {})
    (button,) = (form for form in table.forms if form.method == "get" and form.text.split()[-1:] == [order])
    (picked,) = (field for field in button.fields if field.name == answer)
    opened = read_page("", 200, world.get(world.link(ANN), query=f"{answer}={picked.value}")["body"], {})
    form = next(form for form in opened.forms if any(field.name == "picked" for field in form.fields))
    hidden = {field.name: field.value for field in form.fields if field.kind == "hidden"}
    assert set(hidden) == {"content", "day", "picked"}
    right = {"number": str(INVOICES), "reason": "Not this one."}
    for filled in guesses(form, opened, ""):
        kept_back = not filled.get("note") and filled.get("number") == str(INVOICES)
        kept_back = kept_back and any(sign.isalpha() for sign in filled.get("reason", ""))
        tried[kept_back] += 1
        if not kept_back:
            assert world.send(world.link(ANN), **{**filled, **hidden})["statusCode"] == 422, filled
    assert tried[False] > 150
    assert world.aws.dump() == before
    told = world.send(world.link(ANN), **hidden, **right, answer=answer)
    assert (told["statusCode"], f"Order {order} is" in told["body"]) == (200, True)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("approve", {"invoices": "2"}),
        ("reject", {"number": "2", "reason": "Not this month."}),
        ("hold", {"order": "SO-1001", "reason": "Not this one."}),
        ("release", {"order": "SO-1002", "reason": "Final now."}),
        ("delegate", {"number": "2", "delegate": "dee@firm.example"}),
    ],
)
def test_the_right_answer_counts_and_not_with_the_unseen_field_filled(
    world: ApprovalWorld, answer: str, right: dict[str, str]
) -> None:
    before = world.aws.dump()
    trapped = world.post(world.link(ANN), answer=answer, note="x", **right)
    assert (trapped["statusCode"], "A field that people do not see" in trapped["body"]) == (422, True)
    assert world.aws.dump() == before
    assert world.post(world.link(ANN), answer=answer, note="", **right)["statusCode"] == 200
    assert world.aws.dump() != before


def test_a_number_of_three_digits_is_no_reason(aws: AwsWorld, clock: MovingClock) -> None:
    """A machine that types the one number it found into every field would have rejected a hundred invoices."""
    world = ApprovalWorld(aws, clock)
    world.matched = world.batch(100)
    world.ask()
    before = world.aws.dump()
    for reason in ("100", "100 ", "1.0.0", "#!?%"):
        assert world.post(world.link(ANN), answer="reject", number="100", reason=reason)["statusCode"] == 422
    for reason in ("SO-1001", "so-1001"):
        assert world.post(world.link(ANN), answer="hold", order="SO-1001", reason=reason)["statusCode"] == 422
    assert world.aws.dump() == before


def test_the_unseen_field_is_reached_by_no_key_and_read_by_no_reader(world: ApprovalWorld) -> None:
    html = world.get(world.link(ANN))["body"]
    forms = [form for form in page_of(world).forms if form.method == "post"]
    assert len(forms) == 5
    assert html.count('<p class="hidden" aria-hidden="true"><label') == len(forms)
    for form in forms:
        (trap,) = (field for field in form.fields if field.name == "note")
        assert trap.attributes["tabindex"] == "-1"
        assert trap.attributes["autocomplete"] == "off"
        assert trap.value == ""

"""A night's proof as its page and its line: what agrees, what waits and why, what differs, and nothing that runs."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.settlement.proof import (
    ClosedDifference,
    Difference,
    DifferenceKind,
    Equation,
    EquationName,
    Proof,
)
from billing.pages.settlement.proof_page import headline, proof_line, proof_page


def equation(name: EquationName, stripe: int, netsuite: int, waiting: int = 0, decimals: int = 2) -> Equation:
    return Equation(name, "usd", stripe, netsuite, waiting, stripe - netsuite - waiting, decimals)


SOUND = tuple(equation(name, 12_345_67, 12_345_67) for name in EquationName if name is not EquationName.ORDERS)
ORDERS = equation(EquationName.ORDERS, 23_75000000, 23_75000000, decimals=8)
MISSING = Difference(
    DifferenceKind.MISSING_THERE, "in_1", "customerPayment", "ch_1", "", "usd", "25.00 USD", "none",
    "NetSuite has no such record.", 2500, True, "2026-05-30", "https://dashboard.stripe.com/invoices/in_1",
)  # fmt: skip
WAITING = Difference(
    DifferenceKind.WAITING,
    "po_1",
    "payout",
    "",
    "",
    "usd",
    "",
    "",
    "period_closed: May is closed.",
    opened="2026-05-31",
)
AGREES = Proof("2026-05-31", "2026-03-01", 1_204, 2_408, (*SOUND, ORDERS), ())


def test_a_proof_that_agrees_says_so_first() -> None:
    page = proof_page(AGREES)
    assert headline(AGREES) == "Stripe and NetSuite agree for 31 May 2026"
    assert '<h1 class="good">Stripe and NetSuite agree for 31 May 2026</h1>' in page
    assert "2,408 records were compared, of 1,204 invoices, charges and payouts" in page
    assert page.count("12,345.67") == 10
    assert "23.75" in page
    assert "What differs" not in page
    assert "What waits" not in page


def test_what_waits_is_no_difference_and_has_its_reason() -> None:
    proof = replace(AGREES, differences=(WAITING,))
    assert proof.agrees
    assert headline(proof) == "Stripe and NetSuite agree for 31 May 2026; 1 object still waiting"
    page = proof_page(proof)
    assert "What waits, and why (1)" in page
    assert "period_closed: May is closed." in page


def test_a_difference_has_both_sides_its_age_links_and_whether_it_can_be_fixed() -> None:
    off = equation(EquationName.UNDEPOSITED_FUNDS, 2500, 0)
    page = proof_page(replace(AGREES, equations=(off,), differences=(MISSING, WAITING)))
    assert '<h1 class="bad">Stripe and NetSuite do not agree for 31 May 2026: 1 difference</h1>' in page
    assert "What differs (1)" in page
    assert "Missing in NetSuite" in page
    assert "open since 30 May 2026" in page
    assert 'href="https://dashboard.stripe.com/invoices/in_1"' in page
    assert "1 record is missing in NetSuite and can be written by the settlement" in page
    assert '<td class="number wrong">25.00</td>' in page


def test_an_equation_that_is_off_without_a_difference_is_not_passed_over() -> None:
    proof = replace(AGREES, equations=(equation(EquationName.BANK, 100, 0),))
    assert not proof.agrees
    assert headline(proof) == "Stripe and NetSuite do not agree for 31 May 2026: an equation is off"


def test_foreign_text_is_shown_and_never_runs() -> None:
    hostile = replace(MISSING, netsuite="<script>alert(1)</script>", reason='"><img src=x onerror=alert(1)>')
    page = proof_page(replace(AGREES, differences=(hostile,)))
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page.replace("&#39;", "'")


def test_a_proof_of_nothing_says_that_there_is_nothing() -> None:
    assert "there is nothing to compare" in proof_page(replace(AGREES, equations=(), roots=0, records=0))


def test_a_page_shows_the_first_of_very_many_and_says_so() -> None:
    many = tuple(replace(MISSING, external_id=f"ch_{number}") for number in range(1_000))
    page = proof_page(replace(AGREES, differences=many))
    assert "What differs (1,000)" in page
    assert "The first 200 are shown" in page
    assert len(page) < 300_000


def test_the_channel_gets_one_line_with_counts_and_the_way_to_the_page() -> None:
    gone = ClosedDifference(DifferenceKind.AMOUNT, "in_9", "in_9", "7", "2026-05-29")
    new = replace(MISSING, external_id="ch_2", opened="2026-05-31")
    proof = replace(AGREES, differences=(MISSING, new, WAITING), closed=(gone,), previous="2026-05-30")
    text, (block,) = proof_line(proof, "https://console.example/proof").content
    assert text == "Stripe and NetSuite do not agree for 31 May 2026: 2 differences"
    line = block["text"]["text"]
    assert "1 new" in line
    assert "1 gone since 30 May 2026" in line
    assert "1 waiting" in line
    assert "<https://console.example/proof|Proof>" in line
    assert "25.00" not in line

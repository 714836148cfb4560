"""A night's proof as a page that a controller reads in a minute, and as one line for Slack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing.domain.settlement.proof import Difference, DifferenceKind, Equation, EquationName, Proof
from billing.pages.formatting import amount_words, counted, day_words
from billing.pages.rendering import kept_page
from billing.pages.slack_message import SlackMessage, escaped, link, section

TITLES: Final = {
    EquationName.RECEIVABLES: "Receivables, less unused credit",
    EquationName.UNDEPOSITED_FUNDS: "Undeposited Funds",
    EquationName.BANK: "Payouts on the bank account",
    EquationName.FEES: "Stripe's fees",
    EquationName.REVENUE: "Revenue, item by item",
    EquationName.ORDERS: "Quantity billed, order by order",
}
_SHOWN: Final = 200
"""Differences on the page; the file has all."""


@dataclass(frozen=True, slots=True)
class Row:
    """An equation as the page shows it."""

    title: str
    stripe: str
    netsuite: str
    waiting: str
    difference: str
    agrees: bool


def headline(proof: Proof) -> str:
    """What the proof says, in one sentence without amounts."""
    day = day_words(proof.day)
    if proof.agrees:
        waits = f"; {counted(len(proof.explained), 'object')} still waiting" if proof.explained else ""
        return f"Stripe and NetSuite agree for {day}{waits}"
    found = counted(len(proof.wrong), "difference")
    return (
        f"Stripe and NetSuite do not agree for {day}: {found}"
        if proof.wrong
        else (f"Stripe and NetSuite do not agree for {day}: an equation is off")
    )


def proof_page(proof: Proof) -> str:
    """One file of HTML that needs nothing else and runs nothing: what agrees, what waits and why, what differs."""
    return kept_page(
        "proof_page.html.j2",
        {
            "proof": proof,
            "title": headline(proof),
            "tables": [(currency, _rows(proof, currency)) for currency in _currencies(proof)],
            "wrong": proof.wrong[:_SHOWN],
            "waiting": proof.explained[:_SHOWN],
            "wrong_count": len(proof.wrong),
            "waiting_count": len(proof.explained),
            "fixable": sum(one.fix for one in proof.wrong),
            "difference_words": difference_words,
            "off_by": off_by,
        },
    )


def proof_line(proof: Proof, page_url: str) -> SlackMessage:
    """The night's line: whether both agree, how much differs and waits, what is new, and the way to the page."""
    text = headline(proof)
    parts = [f"{':white_check_mark:' if proof.agrees else ':warning:'} {escaped(text, 300)}"]
    new = sum(one.opened == proof.day for one in proof.wrong)
    if proof.wrong:
        parts.append(f"{new} new")
    if proof.closed:
        parts.append(f"{len(proof.closed)} gone since {day_words(proof.previous)}")
    if proof.explained and not proof.agrees:
        parts.append(f"{len(proof.explained)} waiting")
    parts.append(link(page_url, "Proof"))
    return SlackMessage(text=escaped(text, 300), blocks=[section(" · ".join(parts))])


def difference_words(kind: DifferenceKind) -> str:
    """A difference's name for a controller, who has no "here" and "there"."""
    words = {
        DifferenceKind.MISSING_THERE: "missing in NetSuite",
        DifferenceKind.MISSING_HERE: "not asked for by Stripe",
    }
    return words.get(kind, kind.value).capitalize().replace("netsuite", "NetSuite").replace("stripe", "Stripe")


def off_by(one: Difference) -> str:
    """By how much, "" where the two sides are no amounts."""
    return f"{amount_words(one.off, one.currency)} {one.currency.upper()}" if one.off and one.currency else ""


def _currencies(proof: Proof) -> list[str]:
    return sorted({one.currency for one in proof.equations})


def _rows(proof: Proof, currency: str) -> Iterable[Row]:
    return [
        Row(
            TITLES[one.name],
            _number(one, one.stripe),
            _number(one, one.netsuite),
            _number(one, one.waiting) if one.waiting else "",
            _number(one, one.difference),
            not one.difference,
        )
        for one in proof.equations
        if one.currency == currency
    ]


def _number(one: Equation, value: int) -> str:
    if one.name is EquationName.ORDERS:
        return f"{Decimal(value).scaleb(-one.decimals).normalize():,f}"
    return amount_words(value, one.currency)

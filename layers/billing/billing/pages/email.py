"""A mail as parts, of which text and HTML are made: so both say the same thing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.mail import MailContent
from billing.pages.rendering import render
from billing.pages.untrusted_text import clean, cut

_WIDTH: Final = 76
_LONGEST_SUBJECT: Final = 180


@dataclass(frozen=True, slots=True)
class Listing:
    """Items under a heading; `more` of them are left out."""

    heading: str
    items: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """`amounts` are shown large; `facts` are (label, value); `link` is (label, address), alone on its line in text."""

    subject: str
    heading: str
    opening: Sequence[str]
    amounts: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, str]] = ()
    listings: Sequence[Listing] = ()
    link: tuple[str, str] | None = None
    closing: Sequence[str] = ()
    references: Sequence[tuple[str, str]] = ()


def mail_of(letter: Letter) -> MailContent:
    """The letter in both forms. Foreign texts in it may be anything: they are cleaned and escaped here."""
    return MailContent(
        subject=cut(clean(letter.subject), _LONGEST_SUBJECT),
        text=_text(letter),
        html=render("mail.html.j2", {"letter": letter}),
    )


def _text(letter: Letter) -> str:
    blocks = [_paragraph(letter.heading), *(_paragraph(paragraph) for paragraph in letter.opening)]
    if letter.amounts:
        width = max(len(amount) for amount, _ in letter.amounts)
        blocks.append("\n".join(f"    {amount:<{width}}   {note}".rstrip() for amount, note in letter.amounts))
    if letter.facts:
        blocks.append("\n".join(_hanging(f"{label}: {value}", "") for label, value in letter.facts))
    if letter.link:
        # The address alone on its line: mail programs that wrap or append a full stop would break it.
        blocks.append(f"{letter.link[0]}:\n\n{letter.link[1]}")
    for listing in letter.listings:
        lines = [_paragraph(listing.heading), *(_hanging(item, "- ") for item in listing.items)]
        blocks.append("\n".join([*lines, f"- and {listing.more:,} more"] if listing.more else lines))
    blocks += [_paragraph(paragraph) for paragraph in letter.closing]
    if letter.references:
        blocks.append("\n".join(f"{label}: {clean(address)}" for label, address in letter.references))
    return "\n\n".join(blocks) + "\n"


def _paragraph(text: str) -> str:
    return _hanging(text, "")


def _hanging(text: str, mark: str) -> str:
    return textwrap.fill(
        cut(clean(text), 2_000),
        _WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * (len(mark) or 0),
        break_long_words=False,
        break_on_hyphens=False,
    )

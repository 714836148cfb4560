"""A mail as parts, of which text and HTML are made: so both say the same thing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from billing.domain.mail import Importance, MailContent
from billing.domain.text import clean, truncate, unlinked
from billing.pages.rendering import render

_WIDTH: Final = 76
_LONGEST_SUBJECT: Final = 180
_LONGEST_PREVIEW: Final = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """Items under a heading; `more` of them are left out, and found `where` ("on the page", "" if nowhere)."""

    heading: str
    items: tuple[str, ...]
    more: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount that is shown large, what it counts, and what it is compared with ("" for nothing)."""

    amount: str
    note: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Email:
    """`preview` is what a mail program shows beside the subject, before the mail is opened; it repeats what the mail
    says. `first` comes before the link. `facts` are (label, value); `link` is (label, address), alone on its line in
    text."""

    subject: str
    heading: str
    opening: Sequence[str]
    preview: str = ""
    amounts: Sequence[Figure] = ()
    first: Listing | None = None
    facts: Sequence[tuple[str, str]] = ()
    listings: Sequence[Listing] = ()
    link: tuple[str, str] | None = None
    closing: Sequence[str] = ()
    references: Sequence[tuple[str, str]] = ()
    importance: Importance = "normal"


def mail_of(email: Email) -> MailContent:
    """The e-mail as HTML and as text. Untrusted texts in it may be anything: they are cleaned and escaped here, and an
    address in one of them is no link: the only links are `link` and `references`."""
    safe = replace(
        email,
        heading=unlinked(email.heading),
        opening=[unlinked(paragraph) for paragraph in email.opening],
        facts=[(label, unlinked(value)) for label, value in email.facts],
        preview=truncate(unlinked(email.preview), _LONGEST_PREVIEW),
        first=_safe(email.first) if email.first else None,
        listings=[_safe(one) for one in email.listings],
        closing=[unlinked(paragraph) for paragraph in email.closing],
    )
    return MailContent(
        subject=truncate(clean(email.subject), _LONGEST_SUBJECT),
        text=_text(safe),
        html=render("mail.html.j2", {"email": safe}),
        importance=email.importance,
    )


def _safe(listing: Listing) -> Listing:
    return replace(listing, items=tuple(unlinked(item) for item in listing.items))


def _text(email: Email) -> str:
    blocks = [_paragraph(email.heading), *(_paragraph(paragraph) for paragraph in email.opening)]
    if email.amounts:
        width = max(len(one.amount) for one in email.amounts)
        rows = [
            f"    {amount:<{width}}   {note}".rstrip()
            for one in email.amounts
            for amount, note in ((one.amount, one.note), *([("", one.beside)] if one.beside else []))
        ]
        blocks.append("\n".join(rows))
    if email.first:
        blocks.append(_listing(email.first))
    if email.link:
        # The address alone on its line: mail programs that wrap or append a full stop would break it.
        blocks.append(f"{email.link[0]}:\n\n{email.link[1]}")
    if email.facts:
        blocks.append("\n".join(_hanging(f"{label}: {value}", "") for label, value in email.facts))
    blocks += [_listing(listing) for listing in email.listings]
    blocks += [_paragraph(paragraph) for paragraph in email.closing]
    if email.references:
        blocks.append("\n".join(f"{label}: {clean(address)}" for label, address in email.references))
    return "\n\n".join(blocks) + "\n"


def _listing(listing: Listing) -> str:
    lines = [_paragraph(listing.heading), *(_hanging(item, "- ") for item in listing.items)]
    return "\n".join([*lines, f"- and {listing.more:,} more {listing.where}".rstrip()] if listing.more else lines)


def _paragraph(text: str) -> str:
    return _hanging(text, "")


def _hanging(text: str, mark: str) -> str:
    return textwrap.fill(
        truncate(clean(text), 2_000),
        _WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * (len(mark) or 0),
        break_long_words=False,
        break_on_hyphens=False,
    )

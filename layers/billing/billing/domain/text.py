"""Text that others wrote: what is refused in it, what is kept of it, and how it is shown. Names, descriptions and
reasons are hostile until proven otherwise.

Escaping is the template's work. What escaping does not cure is done here: characters that hide, reorder or overprint
their neighbours, line breaks where none belong, and ten thousand characters where thirty are expected.

Three strengths, for three uses. An identifier is refused where it has a control character (`has_control`) or, where a
person types it, any that cannot be seen (`has_unseen`): one that we altered would be another one. What goes on an
invoice keeps all that a language needs (`one_line`). What a page or a message shows loses whatever moves or covers its
neighbours (`clean`, `shown`).
"""

from __future__ import annotations

import unicodedata
from typing import Final

BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Directional overrides can make a text read as another one, and no order needs them."""
_JOINERS: Final = "\u200c\u200d"  # Scripts such as Persian and emoji need them; they move nothing.
_INVISIBLE: Final = "\u115f\u1160\u3164\uffa0\u2800"  # Fillers that are letters by category and show as nothing.
_MOST_MARKS: Final = 3  # Marks on one letter; no language writes more, and piles of them cover other lines.


def has_control(text: str) -> bool:
    """Whether it has control characters, which are in no name, or half of a surrogate pair, which JSON can write as an
    escape and which is in no encoding."""
    return any(unicodedata.category(one) in ("Cc", "Cs") for one in text)


def has_unseen(text: str) -> bool:
    """Whether it has control, format (zero-width, bidirectional) or unassigned characters."""
    return any(unicodedata.category(one).startswith("C") for one in text)


def one_line(text: str) -> str:
    """`text` with line ends and control characters as single blanks, without directional overrides."""
    kept = (
        " " if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} else character
        for character in text
        if character not in BIDI_CONTROLS
    )
    return " ".join("".join(kept).split())


def clean(text: str) -> str:
    """`text` in one line, without control, format (bidi, zero-width) and surrogate characters."""
    kept: list[str] = []
    marks = 0
    for character in text:
        if character.isspace() or character in "\u2028\u2029":
            kept.append(" ")
            marks = 0
            continue
        category = unicodedata.category(character)
        if (category in ("Cc", "Cf", "Cs") and character not in _JOINERS) or character in _INVISIBLE:
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return " ".join("".join(kept).split())


def truncate(text: str, most: int) -> str:
    """`text` if it has at most `most` characters, else its beginning with an ellipsis, `most` characters together."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def shown(text: object, most: int = 120) -> str:
    """A foreign text as it is displayed: clean and short. What is empty then is shown as a dash, never as nothing."""
    # Cutting first keeps the work bounded whatever comes in; what cleaning removes is rarely more than a few signs.
    return truncate(clean(str(text)[: most * 20]), most) or "–"


def unlinked(text: str) -> str:
    """`text` without addresses that a mail program would make a link of by itself: nobody should be able to put one
    into our mail by calling a client after it. A bare domain stays, for firms are called that ("Example.com Inc.")."""
    return text.replace("//", "/ /")

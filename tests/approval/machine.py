"""A mail scanner that runs scripts and posts forms: what it types into fields whose meaning it does not know."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.sandbox.person import Form, FormField, Page

Filled = dict[str, str]

WORDS = ("", " ", "1", "0", "-1", "123", "999999999", "test", "yes", "true", "on", "approve", "reject", "hold")
WORDS += ("release", "delegate", "John Smith", "test@example.com", "admin@firm.example", "2026-06-01", "<b>x</b>")
"""What it types without having read anything."""


_ALONE = 10
"""How many of those it types into one field and leaves the others empty, which no form of two fields takes."""


def numbers_in(text: str) -> list[str]:
    """Every number that can be seen, as it stands and without its separators."""
    found = re.findall(r"(?<![0-9A-Za-z])(?:\d[\d.,]*\d|\d)(?![0-9A-Za-z])", text)
    return list(dict.fromkeys([*found, *(re.sub(r"\D", "", one) for one in found)]))


def words_in(text: str) -> list[str]:
    """What can be seen beside numbers: words and codes, sentences, addresses."""
    codes = re.findall(r"[A-Z]+-\d+", text)
    addresses = re.findall(r"[^\s<>,;:()]+@[^\s<>,;:()]+\w", text)
    sentences = [one.strip() for one in re.split(r"[.?!]\s", text) if one.strip()]
    return list(dict.fromkeys([*codes, *addresses, *text.split()[:20], *sentences[:10]]))


def guesses(form: Form, page: Page, mail: str) -> Iterator[Filled]:
    """Every way in which the machine fills this form: as it stands; the same in every field; one seen field and nothing
    else; each seen field by its kind, and those by every pair. A button is always pressed. What the page hides in the
    form is left out: whoever sends a filling sends that as it is, as every browser and every such machine does."""
    form = replace(form, fields=[field for field in form.fields if field.kind != "hidden"])
    seen_text = f"{page.text} {mail}"
    captions = [button.text for button in form.buttons]
    read = [*numbers_in(seen_text), *words_in(seen_text), *words_in(form.text), *captions]
    everything = list(dict.fromkeys([*WORDS, *read]))
    hidden = {field.name: field.value for field in form.fields if field.kind == "hidden"}
    fields = [field for field in form.fields if field.kind != "hidden"]
    seen = [field for field in fields if field.attributes.get("tabindex") != "-1"]
    filled: list[Filled] = [{field.name: field.value for field in fields}]
    filled += [{field.name: guess for field in fields} for guess in everything]
    filled += [{field.name: guess for field in seen} for guess in everything]
    filled += [{field.name: guess} for field in seen for guess in read[:_ALONE]]
    by_kind = [_by_kind(field, seen_text, form.text) for field in fields]
    filled += [dict(zip([field.name for field in fields], values, strict=True)) for values in zip(*by_kind)]  # noqa: B905
    seen_kinds = [_by_kind(field, seen_text, form.text)[:8] for field in seen]
    filled += [
        dict(zip([field.name for field in seen], values, strict=True)) for values in itertools.product(*seen_kinds)
    ]
    for button in form.buttons:
        for pairs in dict.fromkeys(tuple(sorted({**data, button.name: button.value}.items())) for data in filled):
            yield {**dict(pairs), **hidden}


def _by_kind(field: FormField, seen: str, beside: str) -> Sequence[str]:
    """What it types by what the field says of itself: a number, an address, a text. What stands beside the field comes
    first."""
    attributes = field.attributes
    if field.kind == "number" or attributes.get("inputmode") == "numeric":
        bounds = [attributes[name] for name in ("min", "max") if name in attributes]
        return [*numbers_in(beside), "1", "0", *bounds, *numbers_in(seen)]
    if field.kind == "email":
        return [*(word for word in words_in(f"{beside} {seen}") if "@" in word), "test@example.com"]
    return [*words_in(beside)[:6], *words_in(seen), "test"]

"""A person with a browser and no script: opens a page, reads it, types what it asks for, presses a button."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tests.sandbox.aws.errors import SandboxError

_REQUEST_SECONDS = 60
_VOID_INPUTS = {"submit", "button", "image", "reset", "file"}


@dataclass
class FormField:
    """An input, textarea or select of a form. `kind` is the input's type (text, hidden, checkbox, ...)."""

    name: str
    kind: str
    value: str
    attributes: dict[str, str]


@dataclass
class Button:
    """A submit button with the name and value that pressing it sends, and its caption."""

    name: str
    value: str
    text: str = ""


@dataclass
class Form:
    """A form of a page; `text` is everything written inside it."""

    action: str
    method: str
    fields: list[FormField] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True)
class Page:
    """An answer as a browser shows it."""

    url: str
    status: int
    html: str
    text: str
    forms: tuple[Form, ...]
    headers: dict[str, str]


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self._form: Form | None = None
        self._button: Button | None = None
        self._area: FormField | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in ("style", "script", "title"):
            self._hidden += 1
        if tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._form)
        if self._form is None:
            return
        kind = found.get("type", "text").lower()
        if tag == "input" and kind == "submit":
            self._form.buttons.append(Button(found.get("name", ""), found.get("value", ""), found.get("value", "")))
        elif tag == "input" and kind not in _VOID_INPUTS and found.get("name"):
            if kind in ("checkbox", "radio") and "checked" not in found:
                return
            self._form.fields.append(FormField(found["name"], kind, found.get("value", ""), found))
        elif tag == "textarea" and found.get("name"):
            self._area = FormField(found["name"], "textarea", "", found)
            self._form.fields.append(self._area)
        elif tag == "button" and found.get("type", "submit") == "submit":
            self._button = Button(found.get("name", ""), found.get("value", ""))
            self._form.buttons.append(self._button)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._hidden -= 1
        elif tag == "form":
            self._form = None
        elif tag == "button":
            self._button = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.text.append(data)
        if self._form is not None:
            self._form.text += data
        if self._button is not None:
            self._button.text += data
        if self._area is not None:
            self._area.value += data


def read_page(url: str, status: int, html: str, headers: dict[str, str]) -> Page:
    """Parse a page's forms and text."""
    parser = _PageParser()
    parser.feed(html)
    text = re.sub(r"\s+", " ", " ".join(parser.text)).strip()
    return Page(url, status, html, text, tuple(parser.forms), headers)


def hidden_in(page: Page) -> dict[str, str]:
    """What every form of the page carries unseen: a browser sends it back with whatever button is pressed."""
    posts = [form for form in page.forms if form.method == "post"]
    return {item.name: item.value for form in posts for item in form.fields if item.kind == "hidden"}


class Person:
    """One person's browser: cookies stay, redirects are followed."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "Mozilla/5.0 (a person in the sandbox)"

    def open(self, link: str) -> Page:
        """GET a page."""
        return self._page(self._session.get(link, timeout=_REQUEST_SECONDS))

    def submit(self, page: Page, form: Form, button: Button | None, typed: dict[str, str]) -> Page:
        """Press a button of a form, with these values typed over what the fields hold."""
        values = {item.name: item.value for item in form.fields}
        values.update(typed)
        if button is not None and button.name:
            values[button.name] = button.value
        target = urljoin(page.url, form.action) if form.action else page.url
        if form.method == "post":
            answer = self._session.post(target, data=values, timeout=_REQUEST_SECONDS)
        else:
            answer = self._session.get(target, params=values, timeout=_REQUEST_SECONDS)
        return self._page(answer)

    def decide(self, link: str, decision: str, reason: str) -> Page:
        """Open the approval page and approve or reject as it asks: the number of invoices that it shows, or
        the reason. SandboxError if the page has no form for it."""
        page = self.open(link)
        form, button = _form_for(page, decision)
        typed = {}
        for item in form.fields:
            if item.attributes.get("tabindex") == "-1":
                continue  # No key leads there, and nobody sees it.
            if item.kind == "textarea" or item.name == "reason":
                typed[item.name] = reason
            elif item.kind in ("text", "number", "tel") and _wants_number(item, form):
                typed[item.name] = _number_shown(form, page)
        return self.submit(page, form, button, typed)

    def close(self) -> None:
        """Close the browser."""
        self._session.close()

    @staticmethod
    def _page(answer: requests.Response) -> Page:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return read_page(answer.url, answer.status_code, answer.text, headers)


def _form_for(page: Page, decision: str) -> tuple[Form, Button]:
    for form in page.forms:
        for button in form.buttons:
            if form.method == "post" and decision in (button.value.lower(), button.text.strip().lower().split(" ")[0]):
                return form, button
    shown = f"status {page.status}: {page.text[:300]}"
    raise SandboxError(f"the page at {page.url[:60]}... has no way to {decision}; it shows {shown}")


def _wants_number(item: FormField, form: Form) -> bool:
    return item.attributes.get("inputmode") == "numeric" or item.kind == "number" or "number of" in form.text.lower()


def _number_shown(form: Form, page: Page) -> str:
    # What stands beside the field counts first: elsewhere on the page there are counts per currency, too.
    for pattern, text in (
        (r"There (?:is|are)\s+(\d[\d,]*)", form.text),
        (r"(\d[\d,]*)\s+invoices?\b", form.text),
        (r"(\d[\d,]*)\s+draft invoices?\b", page.text),
        (r"(\d[\d,]*)\s+invoices?\b", page.text),
    ):
        found = re.search(pattern, text)
        if found:
            return found.group(1).replace(",", "")
    raise SandboxError("the page asks for the number of invoices and shows none")

"""Templates, the one stylesheet, and the headers under which a page may be shown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from billing.domain.money.money import plain_amount
from billing.domain.period_name import period_name
from billing.domain.text import shown
from billing.pages.formatting import (
    amount_words,
    counted,
    customer_words,
    day_words,
    due_words,
    instant_words,
    money_words,
    slot_words,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page and the Content-Security-Policy under which its stylesheet, and nothing else, is in force."""

    html: str
    csp: str

    @property
    def headers(self) -> dict[str, str]:
        """Those under which it is served."""
        return private_headers("text/html; charset=utf-8", self.csp)


def private_headers(content_type: str, csp: str) -> dict[str, str]:
    """Every header that an answer about money needs: nothing is kept, nothing is told to others, nothing foreign is
    loaded, nobody frames it (source: OWASP, "HTTP Security Response Headers")."""
    return {
        "content-type": content_type,
        "content-security-policy": csp,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "strict-transport-security": "max-age=63072000; includeSubDomains",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "x-robots-tag": "noindex, nofollow",
    }


def page(template: str, values: Mapping[str, Any]) -> Shown:
    """Render a page that a browser shows under `Shown.csp`."""
    return Shown(render(template, {"style": stylesheet(), "meta_csp": None, **values}), page_csp())


def kept_page(template: str, values: Mapping[str, Any]) -> str:
    """Render a page that is kept as a file: its policy is in a meta element, since a file has no headers."""
    csp = f"default-src 'none'; style-src '{style_hash()}'; base-uri 'none'; form-action 'none'"
    return render(template, {"style": stylesheet(), "meta_csp": csp, **values})


def page_csp() -> str:
    """The policy of every page: one stylesheet by its hash, forms to ourselves, and nothing else whatever."""
    return (
        f"default-src 'none'; style-src '{style_hash()}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def render(template: str, values: Mapping[str, Any]) -> str:
    """A template of this package, filled. A value that the template names and `values` lacks is an error."""
    return _environment().get_template(template).render(values)


@cache
def stylesheet() -> str:
    """The one stylesheet, inlined in every page."""
    return "\n" + (_TEMPLATES / "style.css").read_text(encoding="utf-8").strip() + "\n"


@cache
def style_hash() -> str:
    """The stylesheet's source expression: what is between <style> and </style>, by SHA-256."""
    digest = hashlib.sha256(stylesheet().encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _environment() -> Environment:
    # Here and not above: the functions that only write to Slack have no template engine.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )

    def foreign(text: object, most: int = 120) -> Markup:
        """A foreign text, clean, short, escaped, and isolated from the direction of the text around it."""
        return Markup("<bdi>{}</bdi>").format(shown(text, most))

    environment.filters.update(
        foreign=foreign,
        shown=shown,
        instant=instant_words,
        day=day_words,
        period=period_name,
        due=due_words,
        customer=customer_words,
        slot=slot_words,
    )
    environment.globals.update(money=money_words, amount=amount_words, plain_amount=plain_amount, counted=counted)
    return environment

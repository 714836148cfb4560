"""The page between an answer and its record, where a second factor is asked for. It carries the whole answer along,
unseen, so that nothing but the code has to be typed; the code is what a machine does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from billing.domain.approval.second_factor import GOOD_FOR
from billing.domain.period_name import period_name
from billing.pages.approval.approval_page import RequestView
from billing.pages.formatting import counted
from billing.pages.rendering import Shown
from billing.pages.rendering import page as render_page

CARRIED: Final = (
    "answer", "content", "day", "seen", "invoices", "number", "reason", "comment", "order", "picked", "together",
    "delegate", "question",
)  # fmt: skip
"""The fields of every form of the approval page. A field that is not named here would be lost on the way."""

_DOES: Final[Mapping[str, str]] = {
    "approve": "approve",
    "reject": "reject the whole batch of",
    "hold": "hold an order among",
    "release": "release an order among",
    "delegate": "delegate the approval of",
}
_SAID: Final[Mapping[str, str]] = {
    "sent": "We sent a code to {to}. It may take a minute to arrive.",
    "sent before": (
        "We sent a code to {to} a moment ago, or as many as we may: use the newest one, or ask for another in a minute."
    ),
    "wrong": "That is not the code. Type the six digits from the newest email.",
    "over": "This code is too old, or was tried too often. Ask for a new one.",
    "unsent": "The code could not be sent. Ask for another in a minute, or tell the billing team.",
}


def confirm_page(view: RequestView, typed: Mapping[str, str], why: str) -> Shown:
    """Ask for the code. `typed` is the form as it was sent, `why` one of the reasons for which it is asked for."""
    what = f"{counted(view.request.invoices, 'invoice')} for {period_name(view.request.period)}"
    does = _DOES.get(typed.get("answer", ""), "answer about")
    return render_page(
        "confirm_page.html.j2",
        {
            "title": f"Type your code to {does} {what}",
            "approver": view.approver,
            "said": _SAID[why].format(to=view.approver),
            "mistake": why not in ("sent", "sent before"),
            "carried": [(name, typed[name]) for name in CARRIED if typed.get(name)],
            "minutes": GOOD_FOR // 60,
        },
    )

"""The firm's choices about how invoices are made, checked when they are set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from billing.domain.orders.due_date import LONGEST_DAYS

LineStyle = Literal["amount", "quantity"]
TaxMode = Literal["netsuite", "stripe", "none"]
Grouping = Literal["order", "client"]

TEMPLATE_FIELDS: Final = ("orders", "client", "client_number", "po", "memo", "period")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")


class PolicyInvalid(ValueError):
    """A choice that cannot be followed; the sentence names the field."""


@dataclass(frozen=True, slots=True)
class BillingPolicy:
    """How invoices are made.

    `line_style`: "amount" gives amount lines, "quantity" gives quantity and unit price where Stripe's
    arithmetic is exact. `tax`: NetSuite's tax lines, Stripe's automatic tax, or none; never two of them.
    `default_due_days`: for orders without terms. `email_fields`: row columns in which the billing e-mail
    is looked for, first hit wins. Templates may hold {orders} {client} {client_number} {po} {memo}
    {period}; `period` is the text for {period}. `invoice_in_advance` is NetSuite's accounting preference "Invoice in
    Advance of Fulfillment": False bills only what has been delivered of items that are fulfilled at all.

    Raises PolicyInvalid.
    """

    line_style: LineStyle = "amount"
    tax: TaxMode = "netsuite"
    default_due_days: int = 30
    description_template: str = "Services for {orders}"
    footer_template: str = ""
    email_fields: tuple[str, ...] = ("orderemail", "clientemail")
    grouping: Grouping = "order"
    period: str = ""
    invoice_in_advance: bool = False

    def __post_init__(self) -> None:
        _one_of("line_style", self.line_style, get_args(LineStyle))
        _one_of("tax", self.tax, get_args(TaxMode))
        _one_of("grouping", self.grouping, get_args(Grouping))
        if not 0 <= self.default_due_days <= LONGEST_DAYS:
            raise PolicyInvalid(f"default_due_days must lie between 0 and {LONGEST_DAYS}")
        if not self.email_fields or any(not field or field != field.lower() for field in self.email_fields):
            raise PolicyInvalid("email_fields must name at least one column, in lower case")
        _template("description_template", self.description_template)
        _template("footer_template", self.footer_template)


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """`template` with every {field} replaced once; braces inside a value are text, never a field."""
    return _FIELD.sub(lambda match: values.get(match[1], ""), template)


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PolicyInvalid(f"{field} must be one of {', '.join(allowed)}, not {value!r}")


def _template(field: str, template: str) -> None:
    for name in _FIELD.findall(template):
        if name not in TEMPLATE_FIELDS:
            allowed = ", ".join("{" + known + "}" for known in TEMPLATE_FIELDS)
            raise PolicyInvalid(f"{field} has a field {{{name}}} that does not exist; there are {allowed}")
    if set("{}") & set(_FIELD.sub("", template)):
        raise PolicyInvalid(f"{field} has a brace without its partner")

"""How invoices are written, as the stack's parameters say."""

from __future__ import annotations

from billing.domain.errors import InputInvalid
from billing.domain.invoices.billing_policy import BillingPolicy, PolicyInvalid
from billing.domain.period_name import period_name
from billing.runtime.settings import Environment


def billing_policy(env: Environment, period: str, email_columns: tuple[str, ...]) -> BillingPolicy:
    """Return the policy for a period such as "2026-05". InputInvalid names the parameter that cannot be followed."""
    try:
        return BillingPolicy(
            line_style=env.text("LINE_STYLE"),  # type: ignore[arg-type]
            tax=env.text("TAX_MODE"),  # type: ignore[arg-type]
            grouping=env.text("INVOICE_GROUPING"),  # type: ignore[arg-type]
            invoice_in_advance=env.flag("INVOICE_IN_ADVANCE"),
            default_due_days=env.number("DEFAULT_DUE_DAYS"),
            description_template=env.text("DESCRIPTION_TEMPLATE"),
            footer_template=env.optional("FOOTER_TEMPLATE"),
            email_fields=email_columns,
            period=period_name(period),
        )
    except PolicyInvalid as error:
        raise InputInvalid(f"A parameter of the stack cannot be followed: {error}.") from None

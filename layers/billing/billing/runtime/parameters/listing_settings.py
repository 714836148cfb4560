"""The parameters of a listing."""

from __future__ import annotations

from billing.runtime.settings import Environment
from billing.workflows.monthly_billing.list_the_sales_orders import ListingSettings


def listing_settings(env: Environment) -> ListingSettings:
    """Return the settings. InputInvalid names a variable that cannot be read."""
    return ListingSettings(
        env.texts("ORDER_STATUSES"),
        env.texts("BILLING_EMAIL_FIELDS"),
        env.optional("STRIPE_ID_FIELD"),
        env.texts("SUBSIDIARIES"),
    )

"""A stateful, strict stand-in for Stripe's API; see README.md in this folder."""

from tests.sandbox.stripe.balance import Fee
from tests.sandbox.stripe.credit_notes import CreditLine
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.event_objects import API_VERSION
from tests.sandbox.stripe.executions import LockTimeout, SlowExecution, StoredError
from tests.sandbox.stripe.made_invoices import InvoiceExtras, InvoiceLine
from tests.sandbox.stripe.rate_limits import RateLimits
from tests.sandbox.stripe.server import StripeServer
from tests.sandbox.stripe.webhooks import Delivery, signature

__all__ = [
    "API_VERSION",
    "CreditLine",
    "Delivery",
    "Fee",
    "InvoiceExtras",
    "InvoiceLine",
    "LockTimeout",
    "RateLimits",
    "Refusal",
    "SlowExecution",
    "StoredError",
    "StripeServer",
    "signature",
]

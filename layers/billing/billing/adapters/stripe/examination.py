"""Harmless reads of Stripe: lists with a limit of one, for each endpoint that the product reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import stripe

from billing.adapters.stripe.client import Caller
from billing.domain.doctor.stripe import Allowed, ReadFound, WebhookFound

_NAMED: Final = re.compile(r"\brak_[a-z_]+\b")


@dataclass(frozen=True, slots=True)
class StripeSetup:
    """One account, looked at with the product's key."""

    client: stripe.StripeClient
    call: Caller

    def reads(self, settles: bool) -> list[ReadFound]:
        """Whether each endpoint may be read. Raises PassingError, PersonNeeded (the request itself is refused)."""
        return [
            self._read(endpoint, permission, request)
            for endpoint, (permission, request) in self._endpoints(settles).items()
        ]

    def versions(self) -> tuple[str, str]:
        """The API version that the SDK asks for, and the one in which Stripe answers ("" if it does not say)."""
        answer = self.call("list customers", lambda: self.client.v1.customers.list({"limit": 1}))
        headers = answer.last_response.headers if answer.last_response is not None else {}
        named = {str(name).lower(): str(value) for name, value in headers.items()}
        return stripe.api_version or "", named.get("stripe-version", "")

    def webhooks(self) -> list[WebhookFound] | None:
        """The endpoints of the key's mode, None if it may not read them."""
        found: list[WebhookFound] = []

        def request() -> None:
            listed = self.client.v1.webhook_endpoints.list({"limit": 100}).to_dict(for_json=True)
            found.extend(_webhook(one) for one in listed.get("data", []))

        read = self._read("webhook endpoints", "Webhook Endpoints", request)
        return found if read.allowed is Allowed.YES else None

    def _read(self, endpoint: str, permission: str, request: Callable[[], Any]) -> ReadFound:
        def ask() -> ReadFound:
            try:
                request()
            except stripe.PermissionError as error:
                named = _NAMED.search(str(error.user_message or ""))
                return ReadFound(endpoint, permission, Allowed.NO, named[0] if named else "")
            except stripe.AuthenticationError:
                return ReadFound(endpoint, permission, Allowed.KEY_REFUSED)
            return ReadFound(endpoint, permission, Allowed.YES)

        return self.call(f"read {endpoint}", ask)

    def _endpoints(self, settles: bool) -> dict[str, tuple[str, Callable[[], Any]]]:
        v1 = self.client.v1
        monthly: dict[str, tuple[str, Callable[[], Any]]] = {
            "customers": ("Customers: Write", lambda: v1.customers.list({"limit": 1})),
            "the customer search": (
                "Customers: Write",
                lambda: v1.customers.search({"query": "email:'nobody@month-end-billing.invalid'", "limit": 1}),
            ),
            "invoices": ("Invoices: Write", lambda: v1.invoices.list({"limit": 1})),
        }
        if not settles:
            return monthly
        return {
            **monthly,
            "invoice payments": ("Invoices: Write", lambda: v1.invoice_payments.list({"limit": 1})),
            "credit notes": ("Credit notes: Write", lambda: v1.credit_notes.list({"limit": 1})),
            "charges": ("Charges and Refunds: Write", lambda: v1.charges.list({"limit": 1})),
            "refunds": ("Charges and Refunds: Write", lambda: v1.refunds.list({"limit": 1})),
            "disputes": ("Disputes: Write", lambda: v1.disputes.list({"limit": 1})),
            "balance transactions": (
                "Balance and Balance transaction sources: Read",
                lambda: v1.balance_transactions.list({"limit": 1}),
            ),
            "payouts": ("Payouts: Write", lambda: v1.payouts.list({"limit": 1})),
            "events": ("Events: Read", lambda: v1.events.list({"limit": 1})),
        }


def _webhook(found: Mapping[str, Any]) -> WebhookFound:
    return WebhookFound(
        str(found.get("url", "")),
        found.get("status") == "enabled",
        bool(found.get("livemode")),
        tuple(str(one) for one in found.get("enabled_events") or ()),
    )

"""Stripe's metadata, the only thing of Stripe's that the settlement writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import stripe

from billing.adapters.stripe.client import Caller
from billing.domain.canonical import canonical_json, sha256_hex
from billing.domain.errors import OurFault
from billing.domain.stripe_failures import CustomerMissing, ObjectMissing


@dataclass(frozen=True, slots=True)
class StripeMetadata:
    """Adds keys to an object's metadata and leaves its other keys alone."""

    client: stripe.StripeClient
    call: Caller

    def __call__(self, stripe_object: str, metadata: Mapping[str, str]) -> None:
        """Repeated, it changes nothing. An object that is gone needs none."""
        update, what = self._update_of(stripe_object)
        digest = sha256_hex(canonical_json([stripe_object, dict(metadata)]))[:40]
        options = {"idempotency_key": f"settlement-metadata-{digest}"}
        params = {"metadata": dict(metadata)}
        try:
            self.call(f"update {what}", lambda: update(stripe_object, params, options))
        except (ObjectMissing, CustomerMissing):
            return

    def _update_of(self, stripe_object: str) -> tuple[Callable[..., Any], str]:
        v1 = self.client.v1
        updates: dict[str, tuple[Callable[..., Any], str]] = {
            "in": (v1.invoices.update, "invoice"),
            "ch": (v1.charges.update, "charge"),
            "py": (v1.charges.update, "charge"),
            "re": (v1.refunds.update, "refund"),
            "pyr": (v1.refunds.update, "refund"),
            "cn": (v1.credit_notes.update, "credit note"),
            "dp": (v1.disputes.update, "dispute"),
            "du": (v1.disputes.update, "dispute"),
            "po": (v1.payouts.update, "payout"),
            "cus": (v1.customers.update, "customer"),
        }
        prefix = stripe_object.partition("_")[0]
        if prefix not in updates:
            raise OurFault(f"Nothing is written back to {stripe_object}.")
        return updates[prefix]

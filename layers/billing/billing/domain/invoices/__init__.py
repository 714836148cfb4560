"""Invoice plans: what an order becomes in Stripe."""

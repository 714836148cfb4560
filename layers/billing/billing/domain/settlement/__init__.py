"""What NetSuite should hold for what happened in Stripe. Pure: Stripe's present state in, NetSuite's records out."""

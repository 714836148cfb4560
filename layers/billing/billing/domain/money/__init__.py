"""Money as integers of minor units, and the currencies that Stripe holds."""

"""One pass over one object of Stripe: what NetSuite should hold is computed, and what is missing is written."""

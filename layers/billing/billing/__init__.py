"""Monthly billing: NetSuite sales orders, an approval, Stripe draft invoices."""

"""Stripe through its SDK."""

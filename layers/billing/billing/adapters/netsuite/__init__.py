"""NetSuite over REST."""

"""The approval page as an HTTP API."""

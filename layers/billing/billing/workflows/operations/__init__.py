"""What people on call start by hand, and what other services call."""

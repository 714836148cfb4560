"""What was billed before, and what that means now."""

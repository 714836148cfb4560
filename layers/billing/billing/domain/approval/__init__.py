"""Who signs, what they said, and when it counts."""

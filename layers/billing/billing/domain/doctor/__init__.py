"""Is a stack set up as the product needs it? What was found outside becomes one line a check."""

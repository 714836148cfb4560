"""How a function starts: its entry, its environment, its connections."""

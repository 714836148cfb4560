"""Sales orders as NetSuite gives them: rows, lines, totals, and what is still open."""

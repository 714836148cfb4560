"""The monthly run: one module for each state."""

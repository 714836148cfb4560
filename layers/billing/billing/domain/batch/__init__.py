"""The batch that is shown and signed, with its comparisons."""

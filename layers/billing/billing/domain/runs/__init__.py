"""A run: its input, its period, its report, and what comes back in the next one."""

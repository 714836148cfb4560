"""The commands, one module for each of what they are about."""

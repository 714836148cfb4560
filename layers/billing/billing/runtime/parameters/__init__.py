"""The stack's parameters, as the domain wants them; InputInvalid names the one that cannot be followed."""

"""What can go wrong in the sandbox itself, as opposed to in the product."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox was used wrongly or cannot do what was asked; the text says what to do."""


class DeployError(SandboxError):
    """The template cannot be deployed, with the place in it and the reason."""

"""The local world: the product deployed on one machine, with stand-ins for everything outside; see README.md."""

from tests.sandbox.aws.errors import DeployError, SandboxError
from tests.sandbox.aws.mail import Mail
from tests.sandbox.sandbox import Run, RunResult, Sandbox

__all__ = ["DeployError", "Mail", "Run", "RunResult", "Sandbox", "SandboxError"]

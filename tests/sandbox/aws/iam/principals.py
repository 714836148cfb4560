"""Who is calling: access keys of the sandbox, each bound to a role (or to the tests' administrator)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.iam.evaluate import Statement, statements_of
from tests.sandbox.aws.iam.managed import MANAGED_POLICIES


@dataclass(frozen=True)
class Caller:
    """The holder of an access key. `function` and `process` (its process id) are set for function processes;
    `session` is the last part of the assumed role's ARN."""

    role_arn: str | None
    session: str
    function: str | None = None
    instance: str | None = None

    @property
    def is_admin(self) -> bool:
        """True for the tests' own credentials, which no policy limits."""
        return self.role_arn is None

    @property
    def arn(self) -> str:
        """As AWS names the caller in its refusals: arn:aws:sts::<account>:assumed-role/<role>/<session>."""
        if self.role_arn is None:
            return "arn:aws:iam::123456789012:root"
        role = self.role_arn.rpartition("/")[2]
        account = self.role_arn.split(":")[4]
        return f"arn:aws:sts::{account}:assumed-role/{role}/{self.session}"


@dataclass(frozen=True)
class Credentials:
    """What a process needs to sign its requests."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class Roles:
    """Roles with their statements, and the access keys that act for them. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statements: dict[str, list[Statement]] = {}
        self._trusted: dict[str, list[Statement]] = {}
        self._callers: dict[str, Caller] = {}
        self._boundaries: dict[str, list[Statement]] = {}
        self._bound: dict[str, str] = {}

    def set_role(
        self,
        role_arn: str,
        trust: Mapping[str, Any],
        policies: Sequence[Mapping[str, Any]],
        managed: Sequence[str],
    ) -> None:
        """Register a role with these policies and no others; `trust` is its AssumeRolePolicyDocument, `managed` are
        ARNs of managed policies that the sandbox knows. DeployError for others."""
        documents = [*policies, *(_managed(role_arn, policy_arn) for policy_arn in managed)]
        with self._lock:
            self._statements[role_arn] = [one for document in documents for one in statements_of(document)]
            self._trusted[role_arn] = statements_of(trust)

    def add_policy(self, role_arn: str, document: Mapping[str, Any]) -> None:
        """Attach the statements of a policy document to the role."""
        with self._lock:
            self._statements[role_arn].extend(statements_of(document))

    def add_boundary(self, policy_arn: str, document: Mapping[str, Any]) -> None:
        """Register a managed policy that may be the boundary of roles."""
        with self._lock:
            self._boundaries[policy_arn] = statements_of(document)

    def bound(self, role_arn: str, policy_arn: str | None) -> None:
        """Give the role a permissions boundary. One that no stack has made is kept and not evaluated."""
        with self._lock:
            self._bound[role_arn] = policy_arn or ""

    def boundary(self, role_arn: str) -> list[Statement] | None:
        """The statements of the role's boundary; None if it has none, or one that is not of a stack."""
        with self._lock:
            return self._boundaries.get(self._bound.get(role_arn, ""))

    def statements(self, role_arn: str) -> list[Statement]:
        """The role's statements; empty for a role that does not exist."""
        with self._lock:
            return list(self._statements.get(role_arn, []))

    def names(self) -> list[str]:
        """The ARNs of all roles."""
        with self._lock:
            return sorted(self._statements)

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether the role's trust policy lets the service (lambda.amazonaws.com) assume it."""
        with self._lock:
            statements = self._trusted.get(role_arn, [])
        for statement in statements:
            principal = statement.get("Principal", {})
            services = principal.get("Service", []) if isinstance(principal, Mapping) else []
            names = [services] if isinstance(services, str) else services
            if statement.get("Effect") == "Allow" and service in names:
                return True
        return False

    def issue(self, caller: Caller) -> Credentials:
        """A new access key for the caller."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        key = "ASIA" + "".join(secrets.choice(alphabet) for _ in range(16))
        with self._lock:
            self._callers[key] = caller
        return Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(60))

    def caller(self, access_key_id: str) -> Caller | None:
        """Who holds the key; None for a key that was never issued or was revoked."""
        with self._lock:
            return self._callers.get(access_key_id)

    def revoke(self, access_key_id: str) -> None:
        """Forget a key, as when its process has ended."""
        with self._lock:
            self._callers.pop(access_key_id, None)


def _managed(role_arn: str, policy_arn: str) -> Mapping[str, Any]:
    document = MANAGED_POLICIES.get(policy_arn)
    if document is None:
        raise DeployError(
            f"{role_arn}: the managed policy {policy_arn} is not known to the sandbox; "
            "add its statements to tests/sandbox/aws/iam/managed.py"
        )
    return document

"""Which function creates which resource type, and the strict view of properties that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.template import LocalCode
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.frontdoor import FrontDoor
from tests.sandbox.aws.gateway import Gateway
from tests.sandbox.aws.iam.principals import Roles
from tests.sandbox.aws.iam.requests import Lookup
from tests.sandbox.aws.queues import SourceMapping
from tests.sandbox.aws.runtime.functions import Functions

_MISSING = object()
_SUFFIX = "1A2B3C4D5E6F"


class Properties:
    """A resource's resolved properties; what nobody takes is an error."""

    def __init__(self, logical_id: str, kind: str, values: Mapping[str, Any]) -> None:
        self.logical_id = logical_id
        self.kind = kind
        self._values = dict(values)

    def take(self, name: str, default: Any = _MISSING) -> Any:
        """The property's value; DeployError if it is required (no default) and missing."""
        if name in self._values:
            return self._values.pop(name)
        if default is _MISSING:
            raise DeployError(f"{self.logical_id} ({self.kind}): {name} is missing")
        return default

    def take_present(self, *names: str) -> dict[str, Any]:
        """Those of the named properties that are given, under their own names."""
        return {name: self._values.pop(name) for name in names if name in self._values}

    def take_all(self) -> dict[str, Any]:
        """Whatever nobody has taken yet."""
        rest, self._values = self._values, {}
        return rest

    def finish(self) -> None:
        """DeployError if a property was not taken."""
        if self._values:
            raise DeployError(
                f"{self.logical_id} ({self.kind}): the sandbox does not handle {sorted(self._values)}; "
                "remove them or teach tests/sandbox/aws/deploy"
            )


@dataclass(frozen=True)
class Permission:
    """A resource-based permission to invoke a function."""

    logical_id: str
    function_arn: str
    principal: str
    source_arn: str | None


@dataclass(frozen=True)
class Machine:
    """A deployed state machine."""

    logical_id: str
    arn: str
    name: str
    role_arn: str
    definition: str


@dataclass(frozen=True)
class EventRule:
    """A rule of EventBridge on a bus that others put events on, with its targets."""

    logical_id: str
    arn: str
    bus: str
    pattern: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...]


@dataclass
class Deployment:
    """What the creating functions work with, and what they leave behind."""

    stack_name: str
    region: str
    account: str
    clients: Callable[[str], Any]
    roles: Roles
    functions: Functions
    lookup: Lookup
    door: FrontDoor
    gateway: Gateway
    code: Mapping[str, LocalCode]
    layers: dict[str, LocalCode] = field(default_factory=dict)
    permissions: list[Permission] = field(default_factory=list)
    machines: dict[str, Machine] = field(default_factory=dict)
    event_destinations: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    source_mappings: list[SourceMapping] = field(default_factory=list)
    event_rules: list[EventRule] = field(default_factory=list)
    schedules: list[tuple[str, str]] = field(default_factory=list)
    """(group, name) of every schedule."""

    def name(self, logical_id: str, limit: int = 64) -> str:
        """A generated physical name as CloudFormation makes them, at most `limit` characters."""
        tail = f"-{logical_id}-{_SUFFIX}"
        return f"{self.stack_name}{tail}" if len(self.stack_name + tail) <= limit else (
            f"{self.stack_name[: max(1, limit - len(tail))]}{tail}"[:limit]
        )  # fmt: skip

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Create = Callable[[Deployment, str, Properties], Physical]
_CREATORS: dict[str, Create] = {}


def creates(kind: str) -> Callable[[Create], Create]:
    """Register the decorated function as the creator of a resource type."""

    def register(create: Create) -> Create:
        _CREATORS[kind] = create
        return create

    return register


def creator_of(kind: str) -> Create:
    """The creator of a type; DeployError for an unknown one."""
    found = _CREATORS.get("Custom::*" if kind.startswith("Custom::") else kind)
    if found is None:
        raise DeployError(f"{kind} is not known to the sandbox; teach tests/sandbox/aws/deploy how to create it")
    return found


def tags_as_list(tags: Any) -> list[dict[str, str]]:
    """CloudFormation's tags, list or object, as a list of Key and Value."""
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    return [{"Key": str(tag["Key"]), "Value": str(tag["Value"])} for tag in tags or []]


def tags_as_object(tags: Any) -> dict[str, str]:
    """CloudFormation's tags, list or object, as an object."""
    return {tag["Key"]: tag["Value"] for tag in tags_as_list(tags)}


def whole(value: Any, place: str) -> int:
    """A whole number that may stand as text (a Number parameter gives text)."""
    try:
        return int(str(value))
    except ValueError:
        raise DeployError(f"{place}: {value!r} is not a whole number") from None


def flag(value: Any, place: str) -> bool:
    """A boolean that may stand as text."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise DeployError(f"{place}: {value!r} is neither true nor false")

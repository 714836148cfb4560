"""The deployed stack: which function, state machine, table and bucket a command means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from oncall.exits import NotFound

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

LONGEST_FUNCTION_SECONDS = 900
"""The longest time-out of a function that a command waits for (template.yaml)."""

_READING = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=10, read_timeout=60)
# A function is invoked once: it says what it did, and a second answer would say that nothing was left to do.
_INVOKING = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=LONGEST_FUNCTION_SECONDS + 30,
)


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation says of it. `resources` maps logical ids to physical ones."""

    name: str
    session: boto3.Session
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, str]

    @property
    def region(self) -> str:
        """Where it is deployed."""
        return str(self.session.region_name)

    @property
    def settles(self) -> bool:
        """Whether the parameter Settlement is on."""
        return self.parameters.get("Settlement") == "on"

    def resource(self, logical_id: str) -> str:
        """The physical id. Raises NotFound if this stack has none, as an older version would."""
        found = self.resources.get(logical_id)
        if found is None:
            raise NotFound(f"The stack {self.name} has no {logical_id}: it is of another version than this command.")
        return found

    def client(self, service: str) -> Any:
        """A client in the stack's region; Lambda's waits as long as a function may take and never repeats."""
        made: Any = self.session.client
        return made(service, config=_INVOKING if service == "lambda" else _READING)


def find_stack(name: str, session: boto3.Session) -> Stack:
    """Ask CloudFormation. Raises NotFound if there is no such stack in this account and region.

    Resources come from ListStackResources: DescribeStackResources leaves out whatever lies beyond the first hundred
    (AWS CloudFormation, API reference), and a function with its role and permission counts as three.
    """
    cloudformation: CloudFormationClient = session.client("cloudformation", config=_READING)
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            raise NotFound(
                f"There is no stack {name} in {session.region_name} of this account; name yours with --stack, "
                "--region and --profile."
            ) from None
        raise
    resources = {
        one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        for one in page["StackResourceSummaries"]
    }
    return Stack(
        name=name,
        session=session,
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in described.get("Parameters", [])},
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
        resources=resources,
    )

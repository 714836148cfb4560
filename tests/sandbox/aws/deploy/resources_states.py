"""AWS::StepFunctions::StateMachine and AWS::Scheduler::*."""

from __future__ import annotations

import re
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import (
    Deployment,
    Machine,
    Properties,
    creates,
    tags_as_list,
    whole,
)
from tests.sandbox.aws.deploy.template import LOCAL_BUCKET
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.iam.evaluate import Access

_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_LOG_ACTIONS = (
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)  # fmt: skip
"""What the role needs before a state machine may log ("Logging using CloudWatch Logs", Step Functions guide)."""


@creates("AWS::StepFunctions::StateMachine")
def create_state_machine(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A state machine from its file, with every substitution used and every placeholder filled."""
    name = properties.take("StateMachineName", None) or deployment.name(logical_id, 80)
    place = properties.take("DefinitionS3Location")
    if place.get("Bucket") != LOCAL_BUCKET or place.get("Key") not in deployment.code:
        raise DeployError(f"{logical_id}: DefinitionUri must be a local file, not {place!r}")
    file = deployment.code[place["Key"]].path
    substitutions = properties.take("DefinitionSubstitutions", {})
    definition = fill_definition(logical_id, file.read_text(encoding="utf-8"), substitutions)
    role = properties.take("RoleArn")
    if not deployment.roles.trusts(role, "states.amazonaws.com"):
        raise DeployError(f"{logical_id}: the role {role} does not exist or does not trust states.amazonaws.com")
    logging = properties.take("LoggingConfiguration", None)
    extra: dict[str, Any] = {}
    if logging is not None:
        _check_logging(deployment, logical_id, role, logging)
        extra["loggingConfiguration"] = _camel(logging)
    tracing = properties.take("TracingConfiguration", None)
    if tracing is not None:
        extra["tracingConfiguration"] = {"enabled": bool(tracing["Enabled"])}
    tags = tags_as_list(properties.take("Tags", []))
    created = deployment.clients("stepfunctions").create_state_machine(
        name=name,
        definition=definition,
        roleArn=role,
        type=properties.take("StateMachineType", "STANDARD"),
        tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in tags],
        **extra,
    )
    properties.finish()
    arn = created["stateMachineArn"]
    deployment.machines[arn] = Machine(logical_id, arn, name, role, definition)
    return Physical(arn, {"Arn": arn, "Name": name})


def fill_definition(logical_id: str, text: str, substitutions: dict[str, Any]) -> str:
    """The definition with `${Name}` replaced. DeployError for one without a value, or a value without use."""
    wanted = set(_SUBSTITUTION.findall(text))
    missing = sorted(wanted - set(substitutions))
    unused = sorted(set(substitutions) - wanted)
    if missing:
        raise DeployError(f"{logical_id}: the state machine file has ${{{missing[0]}}}, which nothing substitutes")
    if unused:
        raise DeployError(f"{logical_id}: DefinitionSubstitutions {unused} are not used in the state machine file")
    return _SUBSTITUTION.sub(lambda match: str(substitutions[match.group(1)]), text)


def _check_logging(deployment: Deployment, logical_id: str, role: str, logging: dict[str, Any]) -> None:
    if logging.get("Level", "OFF") == "OFF":
        return
    for action in _LOG_ACTIONS:
        refusal = deployment.door.allows(role, Access(action, "*"))
        if refusal is not None:
            raise DeployError(
                f"{logical_id}: The state machine IAM Role is not authorized to access the Log Destination: {refusal}"
            )


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value


@creates("AWS::Scheduler::ScheduleGroup")
def create_schedule_group(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A group of schedules."""
    name = properties.take("Name", None) or deployment.name(logical_id)
    created = deployment.clients("scheduler").create_schedule_group(
        Name=name, Tags=tags_as_list(properties.take("Tags", []))
    )
    properties.finish()
    return Physical(name, {"Arn": created["ScheduleGroupArn"]})


@creates("AWS::Scheduler::Schedule")
def create_schedule(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A schedule; `Sandbox.fire_schedule` fires it."""
    name = properties.take("Name", None) or deployment.name(logical_id)
    asked = schedule_of(deployment, properties)
    created = deployment.clients("scheduler").create_schedule(Name=name, **asked)
    deployment.schedules.append((asked["GroupName"], name))
    return Physical(name, {"Arn": created["ScheduleArn"]})


def schedule_of(deployment: Deployment, properties: Properties) -> dict[str, Any]:
    """What CreateSchedule and UpdateSchedule are asked beside the name."""
    logical_id = properties.logical_id
    target = properties.take("Target")
    retry = target.get("RetryPolicy")
    if retry:
        target = {**target, "RetryPolicy": {key: whole(item, f"{logical_id}.{key}") for key, item in retry.items()}}
    if not deployment.roles.trusts(target["RoleArn"], "scheduler.amazonaws.com"):
        raise DeployError(f"{logical_id}: the target's role does not trust scheduler.amazonaws.com")
    asked = {
        "GroupName": properties.take("GroupName", "default"),
        "Target": target,
        "ScheduleExpression": properties.take("ScheduleExpression"),
        "FlexibleTimeWindow": properties.take("FlexibleTimeWindow"),
        **properties.take_present(
            "ScheduleExpressionTimezone", "Description", "State", "StartDate", "EndDate", "KmsKeyArn"
        ),
    }
    properties.finish()
    return asked

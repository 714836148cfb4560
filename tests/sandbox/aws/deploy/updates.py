"""What a deployment onto a living stack changes, by type, and what it deletes.

Source: "Update behaviors of stack resources" (CloudFormation user guide): where the sandbox knows a change, it is one
without interruption; a change that would replace a table, a queue or a key is an error here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.sandbox.aws.deploy import resources_custom, resources_http, resources_iam, resources_lambda
from tests.sandbox.aws.deploy import resources_states as states
from tests.sandbox.aws.deploy import resources_storage as storage
from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Machine, Properties, creator_of, flag, whole
from tests.sandbox.aws.errors import DeployError

Change = Callable[[Deployment, Physical, Mapping[str, Any], Properties], Physical]
_CHANGES: dict[str, Change] = {}
_HAVE_CODE = ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::StepFunctions::StateMachine")
_PUT_AGAIN = (
    # Their creation is a Put: the same name again is the same resource, changed.
    "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    # A layer is never changed: another version is published.
    "AWS::Lambda::LayerVersion",
)  # fmt: skip


def has_code(kind: str) -> bool:
    """Whether the resource may differ though its properties do not: its files may have changed."""
    return kind in _HAVE_CODE


def change(
    deployment: Deployment, kind: str, old: Physical, before: Mapping[str, Any], properties: Properties
) -> Physical:
    """The resource with these properties. DeployError for a change that the sandbox does not know."""
    if kind in _PUT_AGAIN:
        return creator_of(kind)(deployment, properties.logical_id, properties)
    if kind.startswith("Custom::"):
        asked = {"RequestType": "Update", "PhysicalResourceId": old.ref, "OldResourceProperties": dict(before)}
        return resources_custom.ask(deployment, properties.logical_id, properties, asked)
    found = _CHANGES.get(kind)
    if found is None:
        raise DeployError(
            f"{properties.logical_id} ({kind}): the sandbox cannot change it; teach tests/sandbox/aws/deploy/updates.py"
        )
    return found(deployment, old, before, properties)


def delete(deployment: Deployment, logical_id: str, kind: str, old: Physical) -> None:
    """Take away what is no longer in the template."""
    if kind == "AWS::CloudWatch::Alarm":
        deployment.clients("cloudwatch").delete_alarms(AlarmNames=[old.ref])
    elif kind == "AWS::Lambda::Permission":
        _forget_permission(deployment, old)
    elif kind == "AWS::IAM::Role":
        deployment.roles.set_role(old.attributes["Arn"], {"Statement": []}, [], [])
    else:
        raise DeployError(
            f"{logical_id} ({kind}): the sandbox cannot delete it; teach tests/sandbox/aws/deploy/updates.py"
        )


def _changes(kind: str) -> Callable[[Change], Change]:
    def register(function: Change) -> Change:
        _CHANGES[kind] = function
        return function

    return register


@_changes("AWS::Lambda::Function")
def _function(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    properties.take("FunctionName", None)
    settings, asked = resources_lambda.function_settings(deployment, properties.logical_id, old.ref, properties)
    # UpdateFunctionConfiguration knows neither of these; the architecture goes with the code.
    kept = {name: value for name, value in asked.items() if name not in ("Tags", "Architectures")}
    deployment.clients("lambda").update_function_configuration(**kept)
    deployment.functions.change(replace(settings, arn=old.attributes["Arn"]))
    return old


@_changes("AWS::IAM::Role")
def _role(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    trust = properties.take("AssumeRolePolicyDocument")
    inline, managed = properties.take("Policies", []), properties.take("ManagedPolicyArns", [])
    boundary = properties.take("PermissionsBoundary", None)
    for name in ("RoleName", "Tags", "Path", "Description", "MaxSessionDuration"):
        properties.take(name, None)
    properties.finish()
    if boundary is not None:
        deployment.clients("iam").put_role_permissions_boundary(RoleName=old.ref, PermissionsBoundary=boundary)
    deployment.roles.bound(old.attributes["Arn"], boundary)
    resources_iam.attach(deployment, old.ref, old.attributes["Arn"], trust, inline, managed)
    return old


@_changes("AWS::StepFunctions::StateMachine")
def _machine(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    """Executions that run keep the definition that they started with (UpdateStateMachine, API reference)."""
    known = deployment.machines[old.ref]
    file = deployment.code[properties.take("DefinitionS3Location")["Key"]].path
    substitutions = properties.take("DefinitionSubstitutions", {})
    definition = states.fill_definition(properties.logical_id, file.read_text(encoding="utf-8"), substitutions)
    role = properties.take("RoleArn")
    if properties.take("StateMachineName", known.name) != known.name:
        raise DeployError(f"{properties.logical_id}: another name would be another state machine")
    for name in ("LoggingConfiguration", "TracingConfiguration", "Tags", "StateMachineType"):
        properties.take(name, None)
    properties.finish()
    deployment.clients("stepfunctions").update_state_machine(
        stateMachineArn=old.ref, definition=definition, roleArn=role
    )
    deployment.machines[old.ref] = Machine(known.logical_id, old.ref, known.name, role, definition)
    return old


@_changes("AWS::Scheduler::Schedule")
def _schedule(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    properties.take("Name", None)
    asked = states.schedule_of(deployment, properties)
    deployment.clients("scheduler").update_schedule(Name=old.ref, **asked)
    return old


@_changes("AWS::Lambda::Permission")
def _permission(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    _forget_permission(deployment, old)
    return resources_lambda.create_permission(deployment, properties.logical_id, properties)


def _forget_permission(deployment: Deployment, old: Physical) -> None:
    (known,) = [one for one in deployment.permissions if one.logical_id == old.ref]
    deployment.permissions.remove(known)
    name = known.function_arn.rpartition(":")[2]
    deployment.clients("lambda").remove_permission(FunctionName=name, StatementId=old.ref)


@_changes("AWS::ApiGatewayV2::Api")
def _api(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    body = properties.take("Body")
    for name in ("Name", "Description", "Tags", "FailOnWarnings", "DisableExecuteApiEndpoint"):
        properties.take(name, None)
    properties.finish()
    deployment.clients("apigatewayv2").reimport_api(ApiId=old.ref, Body=json.dumps(body))
    deployment.gateway.add_api(old.ref, resources_http.routes_of(properties.logical_id, body))
    return old


@_changes("AWS::Logs::LogGroup")
def _log_group(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    days = properties.take("RetentionInDays", None)
    for name in ("LogGroupName", "Tags"):
        properties.take(name, None)
    properties.finish()
    if days is not None:
        deployment.clients("logs").put_retention_policy(
            logGroupName=old.ref, retentionInDays=whole(days, f"{properties.logical_id}.RetentionInDays")
        )
    return old


@_changes("AWS::DynamoDB::Table")
def _table(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    """Its protection and encryption; a difference of anything else is an error."""
    now = properties.take_all()
    differing = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    if differing - {"DeletionProtectionEnabled", "SSESpecification"}:
        raise DeployError(f"{properties.logical_id}: the sandbox changes no {sorted(differing)} of a table")
    encryption = {("Enabled" if key == "SSEEnabled" else key): value for key, value in now["SSESpecification"].items()}
    deployment.clients("dynamodb").update_table(
        TableName=old.ref,
        DeletionProtectionEnabled=flag(now.get("DeletionProtectionEnabled", False), properties.logical_id),
        SSESpecification=encryption,
    )
    return old


@_changes("AWS::S3::Bucket")
def _bucket(deployment: Deployment, old: Physical, before: Mapping[str, Any], properties: Properties) -> Physical:
    storage.configure_bucket(deployment, properties.logical_id, old.ref, properties)
    return old

"""AWS::Lambda::*: moto keeps the configuration, the sandbox's own runtime runs the code."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import (
    Deployment,
    Permission,
    Properties,
    creates,
    tags_as_object,
    whole,
)
from tests.sandbox.aws.deploy.template import LOCAL_BUCKET, LocalCode
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.iam.evaluate import Access
from tests.sandbox.aws.queues import SourceMapping
from tests.sandbox.aws.runtime.functions import FunctionSettings

_MOST_LAYERS = 5
_MOST_ENVIRONMENT_BYTES = 4096


def _empty_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("empty.txt", "the sandbox runs the code from the repository")
    return buffer.getvalue()


def _local_code(deployment: Deployment, logical_id: str, place: dict[str, Any]) -> LocalCode:
    if place.get("S3Bucket") != LOCAL_BUCKET or place.get("S3Key") not in deployment.code:
        raise DeployError(f"{logical_id}: code must be a local path of the template, not {place!r}")
    return deployment.code[place["S3Key"]]


@creates("AWS::Lambda::LayerVersion")
def create_layer(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A layer; its ARN stands for the local directory."""
    code = _local_code(deployment, logical_id, properties.take("Content"))
    created = deployment.clients("lambda").publish_layer_version(
        LayerName=properties.take("LayerName", None) or deployment.name(logical_id),
        Content={"ZipFile": _empty_zip()},
        **properties.take_present("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures"),
    )
    properties.finish()
    arn = created["LayerVersionArn"]
    deployment.layers[arn] = code
    return Physical(arn, {"LayerVersionArn": arn})


@creates("AWS::Lambda::Function")
def create_function(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A function with its role, environment, layers, memory, timeout and concurrency."""
    name = properties.take("FunctionName", None) or deployment.name(logical_id)
    settings, asked = function_settings(deployment, logical_id, name, properties)
    client = deployment.clients("lambda")
    created = client.create_function(Code={"ZipFile": _empty_zip()}, **asked)
    if settings.reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=settings.reserved)
    deployment.functions.add(replace(settings, arn=created["FunctionArn"]))
    return Physical(name, {"Arn": created["FunctionArn"]})


def function_settings(
    deployment: Deployment, logical_id: str, name: str, properties: Properties
) -> tuple[FunctionSettings, dict[str, Any]]:
    """What the sandbox runs, and what Lambda's CreateFunction is asked beside the code."""
    place = f"{logical_id} (AWS::Lambda::Function)"
    code = _local_code(deployment, logical_id, properties.take("Code"))
    layers = properties.take("Layers", [])
    if len(layers) > _MOST_LAYERS:
        raise DeployError(f"{place}: {len(layers)} layers; Lambda attaches at most {_MOST_LAYERS}")
    environment = properties.take("Environment", {})
    variables = {key: _variable(place, key, value) for key, value in environment.get("Variables", {}).items()}
    if sum(len(key) + len(value) for key, value in variables.items()) > _MOST_ENVIRONMENT_BYTES:
        raise DeployError(f"{place}: environment variables take more than 4 KB, Lambda's limit")
    role = properties.take("Role")
    if not deployment.roles.trusts(role, "lambda.amazonaws.com"):
        raise DeployError(f"{place}: the role {role} does not exist or does not trust lambda.amazonaws.com")
    memory = whole(properties.take("MemorySize", 128), f"{place}.MemorySize")
    timeout = whole(properties.take("Timeout", 3), f"{place}.Timeout")
    handler = properties.take("Handler")
    logging = properties.take("LoggingConfig", {})
    reserved = properties.take("ReservedConcurrentExecutions", None)
    key_of = properties.take_present("KmsKeyArn")
    asked = {
        "FunctionName": name,
        "Role": role,
        "Handler": handler,
        "Runtime": properties.take("Runtime"),
        "Environment": {"Variables": variables},
        "Layers": layers,
        "MemorySize": memory,
        "Timeout": timeout,
        "LoggingConfig": logging,
        "Tags": tags_as_object(properties.take("Tags", [])),
        **properties.take_present("Description", "Architectures", "TracingConfig", "EphemeralStorage", "VpcConfig"),
        **{"KMSKeyArn" if key == "KmsKeyArn" else key: value for key, value in key_of.items()},
    }
    properties.finish()
    settings = FunctionSettings(
        logical_id=logical_id,
        name=name,
        arn="",
        handler=handler,
        role_arn=role,
        code=code.path,
        layers=[deployment.layers[arn] for arn in layers],
        environment=variables,
        memory_mb=memory,
        timeout_seconds=timeout,
        log_group=logging.get("LogGroup") or f"/aws/lambda/{name}",
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel", "INFO"),
        reserved=None if reserved is None else whole(reserved, f"{place}.ReservedConcurrentExecutions"),
        stack_name=deployment.stack_name,
    )
    return settings, asked


def _variable(place: str, name: str, value: Any) -> str:
    if name.startswith(("AWS_", "LAMBDA_", "_")):
        raise DeployError(f"{place}: the environment variable {name} is reserved by Lambda")
    if isinstance(value, (dict, list)):
        raise DeployError(f"{place}: the environment variable {name} is not text")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@creates("AWS::Lambda::Permission")
def create_permission(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Lets a service invoke a function."""
    function = properties.take("FunctionName")
    principal = properties.take("Principal")
    source = properties.take("SourceArn", None)
    action = properties.take("Action")
    present = {"SourceArn": source} if source else {}
    properties.finish()
    if action not in ("lambda:InvokeFunction", "lambda:*"):
        raise DeployError(f"{logical_id}: the sandbox knows no permission for {action}")
    settings = deployment.functions.settings(function)
    deployment.clients("lambda").add_permission(
        FunctionName=settings.name, StatementId=logical_id, Action=action, Principal=principal, **present
    )
    deployment.permissions.append(Permission(logical_id, settings.arn, principal, source))
    return Physical(logical_id, {"Id": logical_id})


_POLLING = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


@creates("AWS::Lambda::EventSourceMapping")
def create_event_source_mapping(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A queue that feeds a function (see tests.sandbox.aws.queues)."""
    settings = deployment.functions.settings(properties.take("FunctionName"))
    queue_arn = properties.take("EventSourceArn")
    batch_size = whole(properties.take("BatchSize", 10), f"{logical_id}.BatchSize")
    responses = properties.take("FunctionResponseTypes", [])
    properties.finish()
    if ":sqs:" not in queue_arn:
        raise DeployError(f"{logical_id}: the sandbox maps queues only, not {queue_arn}")
    if set(responses) - {"ReportBatchItemFailures"}:
        raise DeployError(f"{logical_id}: unknown FunctionResponseTypes {responses}")
    name = queue_arn.rpartition(":")[2]
    if name.endswith(".fifo") and batch_size > 10:
        raise DeployError(f"{logical_id}: a FIFO queue has batches of at most 10")
    for action in _POLLING:
        refusal = deployment.door.allows(settings.role_arn, Access(f"sqs:{action}", queue_arn))
        if refusal is not None:
            raise DeployError(
                f"{logical_id}: The provided execution role does not have permissions to call {action} on SQS: "
                f"{refusal}"
            )
    sqs = deployment.clients("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    visibility = float(attributes["VisibilityTimeout"])
    if visibility < settings.timeout_seconds:
        raise DeployError(
            f"{logical_id}: Queue visibility timeout: {visibility:.0f} seconds is less than Function timeout: "
            f"{settings.timeout_seconds:.0f} seconds"
        )
    deployment.source_mappings.append(
        SourceMapping(
            logical_id, url, queue_arn, settings.arn, batch_size, "ReportBatchItemFailures" in responses, visibility
        )
    )
    return Physical(logical_id, {"Id": logical_id})


@creates("AWS::Lambda::EventInvokeConfig")
def create_event_invoke_config(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """How asynchronous invocations are tried again."""
    name = properties.take("FunctionName")
    qualifier = properties.take("Qualifier", "$LATEST")
    settings = deployment.functions.settings(name)
    present = properties.take_present("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig")
    properties.finish()
    for key in ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
        if key in present:
            present[key] = whole(present[key], f"{logical_id}.{key}")
    deployment.clients("lambda").put_function_event_invoke_config(FunctionName=settings.name, **present)
    if "MaximumRetryAttempts" in present:
        settings = replace(settings, async_retries=present["MaximumRetryAttempts"])
    target = present.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if target:
        if ":sqs:" not in target:
            raise DeployError(f"{logical_id}: the sandbox sends failed events to queues only, not to {target}")
        settings = replace(settings, on_failure=lambda record: _send(deployment, target, record))
    deployment.functions.replace(settings)
    return Physical(f"{settings.name}|{qualifier}", {})


def _send(deployment: Deployment, queue_arn: str, record: str) -> None:
    sqs = deployment.clients("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"], MessageBody=record)

"""From an AWS API request on the wire to the actions and resources that IAM asks about.

Sources: the Service Authorization Reference (actions, resource types, condition keys per service) and
botocore's service models (which request is which operation). A request that this module cannot name is
an UnknownRequest, which the front door refuses: nothing is allowed by not being understood.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
import xmltodict

from tests.sandbox.aws.iam.evaluate import Access


class UnknownRequest(Exception):
    """The request is not one whose action and resource the sandbox can derive."""


@dataclass(frozen=True)
class WireRequest:
    """The parts of an HTTP request that name an AWS call. Header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    signing_name: str
    region: str
    account: str


@dataclass(frozen=True)
class ApiCall:
    """An AWS operation with its parameters, and the accesses it needs. `protocol` is json, query, rest-json
    or rest-xml and decides the form of a refusal."""

    service: str
    operation: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    accesses: Sequence[Access] = ()


class Lookup:
    """What the mapping must know about deployed resources; the deployed stack fills it."""

    def __init__(self) -> None:
        self.partition_keys: dict[str, str] = {}
        """DynamoDB table name -> name of its partition key."""
        self.secret_arns: dict[str, str] = {}
        """Secret name -> ARN with its six random characters."""
        self.key_aliases: dict[str, str] = {}
        """KMS alias name (alias/...) -> key id."""
        self.identities: set[str] = set()
        """Verified SES addresses and domains."""
        self.configuration_sets: set[str] = set()
        """SES configuration sets."""


_SERVICES = {  # signing name -> botocore service
    "dynamodb": "dynamodb", "kms": "kms", "secretsmanager": "secretsmanager", "states": "stepfunctions",
    "sqs": "sqs", "logs": "logs", "monitoring": "cloudwatch", "sns": "sns", "lambda": "lambda",
    "xray": "xray", "s3": "s3", "events": "events", "scheduler": "scheduler", "sts": "sts",
}  # fmt: skip


def read_request(request: WireRequest, lookup: Lookup) -> ApiCall:
    """Name the call and the accesses it needs. Raises UnknownRequest."""
    service = _service_of(request)
    if service == "s3":
        operation, accesses = _s3(request)
        return ApiCall("s3", operation, "rest-xml", {}, accesses)
    operation, protocol, parameters = _operation_of(service, request)
    derive = _DERIVE.get(service)
    if derive is None:
        raise UnknownRequest(f"the sandbox knows no actions of {service}")
    context = _Context(request.region, request.account, lookup)
    return ApiCall(service, operation, protocol, parameters, tuple(derive(operation, parameters, context)))


def _service_of(request: WireRequest) -> str:
    if request.signing_name == "ses":
        return "sesv2" if request.path.startswith("/v2/") else "ses"
    service = _SERVICES.get(request.signing_name)
    if service is None:
        raise UnknownRequest(f"the sandbox knows no service that signs as {request.signing_name!r}")
    return service


def _operation_of(service: str, request: WireRequest) -> tuple[str, str, dict[str, Any]]:
    target = request.headers.get("x-amz-target")
    if target is not None:
        parameters = json.loads(request.body) if request.body else {}
        return target.rpartition(".")[2], "json", parameters
    rpc = re.fullmatch(r"/service/[^/]+/operation/(\w+)", request.path)
    if rpc:
        return rpc.group(1), "json", {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if "Action" in form:
            return form["Action"], "query", form
    for operation, method, pattern in _rest_operations(service):
        match = pattern.fullmatch(request.path) if method == request.method else None
        if match:
            body = json.loads(request.body) if request.body and operation != "Invoke" else {}
            labels = {name: unquote(value) for name, value in match.groupdict().items()}
            return operation, "rest-json", {**body, **labels}
    raise UnknownRequest(f"{request.method} {request.path} is no operation of {service} that the sandbox knows")


@lru_cache(maxsize=16)
def _rest_operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", pattern)
        found.append((name, http["method"], re.compile(pattern + "/?")))
    return sorted(found, key=lambda item: -len(item[2].pattern))


@dataclass(frozen=True)
class _Context:
    region: str
    account: str
    lookup: Lookup

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _plain_actions(prefix: str, known: Mapping[str, Callable[[Mapping[str, Any], _Context], str]]) -> Any:
    """Derivation for a service whose action bears its operation's name and whose resource is one parameter."""

    def derive(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
        resource = known.get(operation)
        if resource is None:
            raise UnknownRequest(f"the sandbox does not know the action {prefix}:{operation}")
        yield Access(f"{prefix}:{operation}", resource(parameters, context))

    return derive


# --- DynamoDB -------------------------------------------------------------------------------------------

_TABLE_ACTIONS = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable",
                  "DescribeTimeToLive", "DescribeContinuousBackups"}  # fmt: skip
_UNKNOWN_KEY = "(a key that the sandbox could not read)"
_WRITES = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _table_name(name: str) -> str:
    return name.rpartition("/")[2]


def _dynamodb(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation in _TABLE_ACTIONS:
        yield _table_access(operation, parameters, context)
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table, requests in parameters["RequestItems"].items():
            yield _batch_access(operation, table, requests, context)
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            ((kind, inner),) = item.items()
            yield _table_access(_WRITES.get(kind, "GetItem"), inner, context)
    else:
        raise UnknownRequest(f"the sandbox does not know the action dynamodb:{operation}")


def _table_access(operation: str, parameters: Mapping[str, Any], context: _Context) -> Access:
    table = _table_name(parameters["TableName"])
    resource = f"table/{table}"
    if parameters.get("IndexName"):
        resource += f"/index/{parameters['IndexName']}"
    keys = [] if operation.startswith("Describe") else [_leading_key(operation, table, parameters, context)]
    return Access(f"dynamodb:{operation}", context.arn("dynamodb", resource), _dynamodb_context(parameters, keys))


def _batch_access(operation: str, table: str, requests: Any, context: _Context) -> Access:
    name = _table_name(table)
    partition_key = context.lookup.partition_keys.get(name, "")
    if operation == "BatchGetItem":
        rows = requests["Keys"]
    else:
        rows = [next(iter(item.values())) for item in requests]
        rows = [row.get("Item", row.get("Key", {})) for row in rows]
    keys = [_attribute_text(row.get(partition_key)) for row in rows]
    resource = context.arn("dynamodb", f"table/{name}")
    return Access(f"dynamodb:{operation}", resource, {"dynamodb:leadingkeys": keys})


def _leading_key(operation: str, table: str, parameters: Mapping[str, Any], context: _Context) -> str:
    partition_key = context.lookup.partition_keys.get(table, "")
    row = parameters.get("Item") if operation == "PutItem" or "Item" in parameters else parameters.get("Key")
    if row is not None:
        return _attribute_text(row.get(partition_key))
    expression = parameters.get("KeyConditionExpression", "")
    names = parameters.get("ExpressionAttributeNames", {})
    for name, value in re.findall(r"([#\w.]+)\s*=\s*(:\w+)", expression):
        if names.get(name, name) == partition_key:
            return _attribute_text(parameters.get("ExpressionAttributeValues", {}).get(value))
    return _UNKNOWN_KEY


def _attribute_text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return _UNKNOWN_KEY
    return str(next(iter(value.values()), _UNKNOWN_KEY))


def _dynamodb_context(parameters: Mapping[str, Any], keys: list[str]) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {"dynamodb:leadingkeys": keys} if keys else {}
    if "ReturnValues" in parameters:
        found["dynamodb:returnvalues"] = [parameters["ReturnValues"]]
    if "Select" in parameters:
        found["dynamodb:select"] = [parameters["Select"]]
    return found


# --- S3 -------------------------------------------------------------------------------------------------

_S3_OBJECT_SUBRESOURCES = {
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", "tagging"): "PutObjectTagging",
    ("GET", "attributes"): "GetObjectAttributes",
}
_S3_BUCKET_SUBRESOURCES = {
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "uploads"): "ListBucketMultipartUploads",
}
_S3_BENIGN_QUERY = {
    "list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type",
    "fetch-owner", "marker", "versionId", "x-id", "partNumber", "uploadId", "uploads", "delete",
    "response-content-type", "response-content-disposition",
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
    "X-Amz-Signature", "X-Amz-Security-Token", "x-amz-checksum-mode",
}  # fmt: skip


def _s3(request: WireRequest) -> tuple[str, list[Access]]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    if not bucket:
        return "ListBuckets", [Access("s3:ListAllMyBuckets", "*")]
    bucket_arn = f"arn:aws:s3:::{bucket}"
    strange = [name for name in request.query if name not in _S3_BENIGN_QUERY]
    if not key:
        return _s3_bucket(request, bucket_arn, strange)
    resource = f"{bucket_arn}/{key}"
    for name in strange:
        action = _S3_OBJECT_SUBRESOURCES.get((request.method, name))
        if action is None:
            raise UnknownRequest(f"the sandbox does not know s3 {request.method} of an object with ?{name}")
        return action, [Access(f"s3:{action}", resource)]
    return _s3_object(request, resource)


def _s3_bucket(request: WireRequest, bucket_arn: str, strange: list[str]) -> tuple[str, list[Access]]:
    if request.method == "POST" and "delete" in request.query:
        found = xmltodict.parse(request.body)["Delete"]["Object"]
        rows = found if isinstance(found, list) else [found]
        return "DeleteObjects", [Access("s3:DeleteObject", f"{bucket_arn}/{row['Key']}") for row in rows]
    for name in strange:
        action = _S3_BUCKET_SUBRESOURCES.get((request.method, name))
        if action is None:
            raise UnknownRequest(f"the sandbox does not know s3 {request.method} of a bucket with ?{name}")
        return action, [Access(f"s3:{action}", bucket_arn)]
    if request.method not in ("GET", "HEAD"):
        raise UnknownRequest(f"the sandbox does not know s3 {request.method} of a bucket")
    context = {"s3:prefix": list(request.query.get("prefix", [""]))}
    if "delimiter" in request.query:
        context["s3:delimiter"] = list(request.query["delimiter"])
    operation = "HeadBucket" if request.method == "HEAD" else "ListObjectsV2"
    return operation, [Access("s3:ListBucket", bucket_arn, context)]


def _s3_object(request: WireRequest, resource: str) -> tuple[str, list[Access]]:
    if request.method in ("GET", "HEAD"):
        action = "GetObjectVersion" if "versionId" in request.query else "GetObject"
        return f"{request.method.title()}Object", [Access(f"s3:{action}", resource)]
    if request.method == "DELETE":
        if "uploadId" in request.query:
            return "AbortMultipartUpload", [Access("s3:AbortMultipartUpload", resource)]
        action = "DeleteObjectVersion" if "versionId" in request.query else "DeleteObject"
        return "DeleteObject", [Access(f"s3:{action}", resource)]
    if request.method == "PUT" or (request.method == "POST" and {"uploads", "uploadId"} & set(request.query)):
        accesses = [Access("s3:PutObject", resource, _s3_put_context(request.headers))]
        if "x-amz-tagging" in request.headers:
            accesses.append(Access("s3:PutObjectTagging", resource))
        source = request.headers.get("x-amz-copy-source")
        if source:
            place = unquote(source).lstrip("/").partition("?")[0]
            accesses.append(Access("s3:GetObject", f"arn:aws:s3:::{place}"))
        return "CopyObject" if source else "PutObject", accesses
    raise UnknownRequest(f"the sandbox does not know s3 {request.method} of an object")


def _s3_put_context(headers: Mapping[str, str]) -> dict[str, Sequence[str]]:
    names = {
        "x-amz-server-side-encryption": "s3:x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id": "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "if-none-match": "s3:if-none-match",
        "if-match": "s3:if-match",
    }
    return {key: [headers[name]] for name, key in names.items() if name in headers}


# --- KMS, Secrets Manager -------------------------------------------------------------------------------

_KMS_ACTIONS = {"Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey",
                "GenerateMac", "VerifyMac", "Sign", "Verify", "GetPublicKey"}  # fmt: skip


def _kms(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation == "GenerateRandom":
        yield Access("kms:GenerateRandom", "*")
        return
    if operation not in _KMS_ACTIONS:
        raise UnknownRequest(f"the sandbox does not know the action kms:{operation}")
    key = _kms_key(parameters, context)
    found: dict[str, Sequence[str]] = {"kms:encryptioncontextkeys": []}
    for name, value in (parameters.get("EncryptionContext") or {}).items():
        found[f"kms:encryptioncontext:{name}".lower()] = [value]
        found["kms:encryptioncontextkeys"] = [*found["kms:encryptioncontextkeys"], name]
    yield Access(f"kms:{operation}", context.arn("kms", f"key/{key}"), found)


def _kms_key(parameters: Mapping[str, Any], context: _Context) -> str:
    name = parameters.get("KeyId")
    if name is None:
        # moto writes the key's id in front of what it encrypts, as AWS hides it in its own header.
        blob = base64.b64decode(parameters.get("CiphertextBlob", ""))
        return blob[:36].decode("ascii", "replace")
    if ":alias/" in name:
        name = "alias/" + name.partition(":alias/")[2]
    if name.startswith("alias/"):
        return context.lookup.key_aliases.get(name, str(name))
    return str(name).rpartition("/")[2]


def _secret_arn(parameters: Mapping[str, Any], context: _Context) -> str:
    name = str(parameters["SecretId"])
    if name.startswith("arn:"):
        return name
    return context.lookup.secret_arns.get(name, context.arn("secretsmanager", f"secret:{name}-??????"))


# --- SES ------------------------------------------------------------------------------------------------


def _sesv2(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation == "GetAccount":
        yield Access("ses:GetAccount", "*")
        return
    if operation == "GetEmailIdentity":
        yield Access("ses:GetEmailIdentity", context.arn("ses", f"identity/{parameters['EmailIdentity']}"))
        return
    if operation in ("GetConfigurationSet", "GetConfigurationSetEventDestinations"):
        named = context.arn("ses", f"configuration-set/{parameters['ConfigurationSetName']}")
        yield Access(f"ses:{operation}", named)
        return
    if operation != "SendEmail":
        raise UnknownRequest(f"the sandbox does not know the action ses:{operation} (API v2)")
    # Whether a raw message of API v2 asks for one or for both of these is told differently in different places; a
    # template that grants both is right either way, so both are asked for.
    raw = "Raw" in parameters.get("Content", {})
    for action in ("ses:SendRawEmail", "ses:SendEmail") if raw else ("ses:SendEmail",):
        yield from _send_access(
            action,
            str(parameters.get("FromEmailAddress", "")),
            parameters.get("ConfigurationSetName"),
            parameters.get("Destination", {}),
            context,
        )


def _ses(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation not in ("SendEmail", "SendRawEmail"):
        raise UnknownRequest(f"the sandbox does not know the action ses:{operation}")
    source = str(parameters.get("Source", ""))
    yield from _send_access(f"ses:{operation}", source, parameters.get("ConfigurationSetName"), {}, context)


def _send_access(
    action: str, source: str, configuration_set: str | None, destination: Mapping[str, Any], context: _Context
) -> Iterator[Access]:
    bracketed = re.search(r"<([^>]+)>", source)
    address = bracketed.group(1) if bracketed else source.strip()
    domain = address.rpartition("@")[2]
    identity = address if address in context.lookup.identities else domain
    recipients = [item for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for item in destination.get(kind, [])]
    found: dict[str, Sequence[str]] = {"ses:fromaddress": [address], "ses:recipients": recipients}
    yield Access(action, context.arn("ses", f"identity/{identity}"), found)
    if configuration_set:
        yield Access(action, context.arn("ses", f"configuration-set/{configuration_set}"), found)


# --- Step Functions, Lambda, Scheduler, messaging, observation ------------------------------------------


def _function_arn(parameters: Mapping[str, Any], context: _Context) -> str:
    name = str(parameters["FunctionName"])
    return name if name.startswith("arn:") else context.arn("lambda", f"function:{name}")


def _log_group(parameters: Mapping[str, Any], context: _Context) -> str:
    return context.arn("logs", f"log-group:{parameters['logGroupName']}:*")


def _queue_arn(parameters: Mapping[str, Any], context: _Context) -> str:
    return context.arn("sqs", str(parameters["QueueUrl"]).rpartition("/")[2])


def _anything(parameters: Mapping[str, Any], context: _Context) -> str:
    return "*"


def _scheduler(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation not in ("CreateSchedule", "UpdateSchedule", "DeleteSchedule", "GetSchedule"):
        raise UnknownRequest(f"the sandbox does not know the action scheduler:{operation}")
    group = parameters.get("GroupName", "default")
    yield Access(f"scheduler:{operation}", context.arn("scheduler", f"schedule/{group}/{parameters['Name']}"))
    target = parameters.get("Target")
    if target:
        service = {"iam:passedtoservice": ["scheduler.amazonaws.com"]}
        yield Access("iam:PassRole", target["RoleArn"], service)


def _cloudwatch(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation != "PutMetricData":
        raise UnknownRequest(f"the sandbox does not know the action cloudwatch:{operation}")
    namespace = parameters.get("Namespace")
    yield Access("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": [namespace]} if namespace else {})


def _events(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation != "PutEvents":
        raise UnknownRequest(f"the sandbox does not know the action events:{operation}")
    for entry in parameters.get("Entries", []):
        bus = entry.get("EventBusName", "default")
        resource = bus if bus.startswith("arn:") else context.arn("events", f"event-bus/{bus}")
        found = {
            "events:source": [entry.get("Source", "")],
            "events:detail-type": [entry.get("DetailType", "")],
        }
        yield Access("events:PutEvents", resource, found)


def _lambda(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation not in ("Invoke", "GetFunction", "GetFunctionConfiguration"):
        raise UnknownRequest(f"the sandbox does not know the action lambda:{operation}")
    action = "InvokeFunction" if operation == "Invoke" else operation
    yield Access(f"lambda:{action}", _function_arn(parameters, context))


def _execution(parameters: Mapping[str, Any], context: _Context) -> str:
    return str(parameters["executionArn"])


def _state_machine(parameters: Mapping[str, Any], context: _Context) -> str:
    return str(parameters["stateMachineArn"])


def _sts(operation: str, parameters: Mapping[str, Any], context: _Context) -> Iterator[Access]:
    if operation != "GetCallerIdentity":
        raise UnknownRequest(f"the sandbox does not know the action sts:{operation}")
    yield from ()  # AWS asks for no permission here


_QUEUE_ACTIONS = ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl",
                  "ChangeMessageVisibility")  # fmt: skip
_SECRET_ACTIONS = (
    "GetSecretValue",
    "DescribeSecret",
    "PutSecretValue",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)

_DERIVE: dict[str, Callable[[str, Mapping[str, Any], _Context], Iterator[Access]]] = {
    "dynamodb": _dynamodb,
    "kms": _kms,
    "secretsmanager": _plain_actions("secretsmanager", dict.fromkeys(_SECRET_ACTIONS, _secret_arn)),
    "ses": _ses,
    "sesv2": _sesv2,
    "stepfunctions": _plain_actions(
        "states",
        {
            # SendTask* have no resource type in the Service Authorization Reference: only "*" allows them.
            "SendTaskSuccess": _anything,
            "SendTaskFailure": _anything,
            "SendTaskHeartbeat": _anything,
            "StartExecution": _state_machine,
            "ListExecutions": _state_machine,
            "DescribeStateMachine": _state_machine,
            "DescribeExecution": _execution,
            "StopExecution": _execution,
            "RedriveExecution": _execution,
            "GetExecutionHistory": _execution,
        },
    ),
    "lambda": _lambda,
    "scheduler": _scheduler,
    "sns": _plain_actions("sns", {"Publish": lambda parameters, _: str(parameters.get("TopicArn", "*"))}),
    "sqs": _plain_actions("sqs", dict.fromkeys(_QUEUE_ACTIONS, _queue_arn)),
    "cloudwatch": _cloudwatch,
    "events": _events,
    "logs": _plain_actions("logs", dict.fromkeys(("CreateLogGroup", "CreateLogStream", "PutLogEvents"), _log_group)),
    "xray": _plain_actions(
        "xray",
        dict.fromkeys(("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"), _anything),
    ),
    "sts": _sts,
}

"""AWS::SQS::*, AWS::SNS::*, AWS::Events::Rule, AWS::SES::*."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import (
    Deployment,
    EventRule,
    Properties,
    creates,
    flag,
    tags_as_list,
    tags_as_object,
    whole,
)
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.iam.evaluate import statements_of

_QUEUE_ATTRIBUTES = (
    "MessageRetentionPeriod", "VisibilityTimeout", "DelaySeconds", "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication", "RedrivePolicy",
)  # fmt: skip

_MAIL_EVENTS = {
    "send", "reject", "bounce", "complaint", "delivery", "open", "click", "renderingFailure", "deliveryDelay",
    "subscription",
}  # fmt: skip


def _attribute(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


@creates("AWS::SQS::Queue")
def create_queue(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A queue."""
    attributes = properties.take_present(*_QUEUE_ATTRIBUTES)
    # CloudFormation ends the name that it makes for a FIFO queue as SQS wants it.
    ending = ".fifo" if str(attributes.get("FifoQueue", "")).lower() == "true" else ""
    name = properties.take("QueueName", None) or deployment.name(logical_id, 80 - len(ending)) + ending
    created = deployment.clients("sqs").create_queue(
        QueueName=name,
        Attributes={key: _attribute(value) for key, value in attributes.items()},
        tags=tags_as_object(properties.take("Tags", [])),
    )
    properties.finish()
    return Physical(
        created["QueueUrl"],
        {"Arn": deployment.arn("sqs", name), "QueueName": name, "QueueUrl": created["QueueUrl"]},
    )


@creates("AWS::SQS::QueuePolicy")
def create_queue_policy(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Who may send to queues."""
    document = properties.take("PolicyDocument")
    queues = properties.take("Queues")
    properties.finish()
    for url in queues:
        deployment.clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
        arn = deployment.arn("sqs", url.rpartition("/")[2])
        deployment.door.resource_policies[arn] = statements_of(document)
    return Physical(deployment.name(logical_id), {})


@creates("AWS::SNS::Topic")
def create_topic(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A topic with its subscriptions."""
    name = properties.take("TopicName", None) or deployment.name(logical_id, 256)
    subscriptions = properties.take("Subscription", [])
    attributes = properties.take_present("DisplayName", "KmsMasterKeyId", "FifoTopic")
    client = deployment.clients("sns")
    arn = client.create_topic(
        Name=name,
        Attributes={key: _attribute(value) for key, value in attributes.items()},
        Tags=tags_as_list(properties.take("Tags", [])),
    )["TopicArn"]
    properties.finish()
    for subscription in subscriptions:
        client.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
    return Physical(arn, {"TopicArn": arn, "TopicName": name})


@creates("AWS::SNS::TopicPolicy")
def create_topic_policy(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Who may publish to topics."""
    document = properties.take("PolicyDocument")
    topics = properties.take("Topics")
    properties.finish()
    for arn in topics:
        deployment.clients("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(document)
        )
        deployment.door.resource_policies[arn] = statements_of(document)
    return Physical(deployment.name(logical_id), {})


@creates("AWS::SNS::Subscription")
def create_subscription(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A subscription to a topic."""
    created = deployment.clients("sns").subscribe(
        TopicArn=properties.take("TopicArn"),
        Protocol=properties.take("Protocol"),
        Endpoint=properties.take("Endpoint", ""),
    )
    policy = properties.take("FilterPolicy", None)
    redrive = properties.take("RedrivePolicy", None)
    properties.finish()
    arn = created["SubscriptionArn"]
    if redrive is not None:
        deployment.clients("sns").set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=json.dumps(redrive)
        )
    if policy is not None:
        deployment.clients("sns").set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps(policy)
        )
    return Physical(arn, {"Arn": arn})


@creates("AWS::Events::Rule")
def create_rule(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """An EventBridge rule. moto keeps it; `tests.sandbox.aws.event_bus` delivers what is put on a partner's bus."""
    name = properties.take("Name", None) or deployment.name(logical_id)
    pattern = properties.take("EventPattern", None)
    targets = properties.take("Targets", [])
    client = deployment.clients("events")
    extra = {"EventPattern": json.dumps(pattern)} if pattern is not None else {}
    present = properties.take_present("Description", "ScheduleExpression", "State", "RoleArn", "EventBusName")
    bus = present.get("EventBusName", "default")
    if bus.startswith("aws.partner/"):
        # A partner's bus exists before the stack: a person has associated it with the partner's event source.
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_event_bus(Name=bus.rpartition("/")[2])  # moto knows it by the last part of its name
    arn = client.put_rule(
        Name=name,
        **extra,
        **present,
    )["RuleArn"]
    properties.finish()
    targets = [_numbers(target, logical_id) for target in targets]
    if targets:
        client.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    deployment.event_rules.append(EventRule(logical_id, arn, bus, pattern or {}, tuple(targets)))
    return Physical(name, {"Arn": arn})


def _numbers(target: dict[str, Any], logical_id: str) -> dict[str, Any]:
    retry = target.get("RetryPolicy")
    if not retry:
        return target
    return {**target, "RetryPolicy": {key: whole(value, f"{logical_id}.{key}") for key, value in retry.items()}}


@creates("AWS::SES::ConfigurationSet")
def create_configuration_set(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A configuration set (mails may name only one that exists)."""
    name = properties.take("Name", None) or deployment.name(logical_id)
    # moto's SES keeps the name only; botocore still checks the shapes of the rest.
    deployment.clients("sesv2").create_configuration_set(
        ConfigurationSetName=name,
        **properties.take_present(
            "ReputationOptions", "SendingOptions", "TrackingOptions", "DeliveryOptions",
            "SuppressionOptions", "VdmOptions",
        ),
    )  # fmt: skip
    properties.finish()
    deployment.lookup.configuration_sets.add(name)
    return Physical(name, {})


@creates("AWS::SES::ConfigurationSetEventDestination")
def create_event_destination(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Where a configuration set reports bounces and complaints; `tests.sandbox.aws.ses` sends them there."""
    name = properties.take("ConfigurationSetName")
    destination = dict(properties.take("EventDestination"))
    properties.finish()
    if name not in deployment.lookup.configuration_sets:
        raise DeployError(f"{logical_id}: Configuration set <{name}> does not exist.")
    unknown = set(destination["MatchingEventTypes"]) - _MAIL_EVENTS
    if unknown:
        raise DeployError(f"{logical_id}: SES knows no events of the types {sorted(unknown)}")
    destination["Enabled"] = flag(destination.get("Enabled", False), f"{logical_id}.Enabled")
    label = destination.pop("Name", None) or deployment.name(logical_id)
    if "SnsDestination" in destination:
        topic = destination["SnsDestination"].get("TopicARN") or destination["SnsDestination"].get("TopicArn")
        destination["SnsDestination"] = {"TopicArn": topic}
    deployment.event_destinations.append((name, label, destination))
    return Physical(label, {"Id": label})


@creates("AWS::SES::EmailIdentity")
def create_email_identity(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A sender, verified at once."""
    identity = properties.take("EmailIdentity")
    present = properties.take_present("ConfigurationSetAttributes")
    present |= dict.fromkeys(properties.take_present("FeedbackAttributes", "MailFromAttributes"))
    properties.finish()
    extra = present.get("ConfigurationSetAttributes") or {}
    deployment.clients("sesv2").create_email_identity(EmailIdentity=identity, **extra)
    deployment.lookup.identities.add(identity)
    return Physical(identity, {})

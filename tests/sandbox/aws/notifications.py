"""SNS: from a topic to the functions that are subscribed to it.

moto keeps topics and subscriptions; delivering is done here, for moto would start a container. Sources: "Amazon SNS
message delivery" and "Using Lambda with Amazon SNS" (the event's form), "Resource-based policy" of Lambda.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.aws.deploy.registry import Deployment
from tests.sandbox.aws.iam.evaluate import Access, PolicyError, decide_for_principal, matches
from tests.sandbox.aws.ses_events import instant


@dataclass
class Delivery:
    """Who heard of a message (logical ids of functions), and what kept it from others, a sentence each."""

    heard: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def publish(
    deployment: Deployment, topic: str, publisher: str, source: str, subject: str, message: str, at: float
) -> Delivery:
    """A service publishes to a topic, if the topic's policy lets it. `publisher` is its principal, `source` the ARN of
    what it acts for."""
    delivery = Delivery()
    refusal = _refusal(deployment, topic, publisher, source)
    if refusal:
        delivery.lost.append(refusal)
        return delivery
    sns = deployment.clients("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if not subscriptions:
        delivery.lost.append(f"nobody is subscribed to {topic}")
    for subscription in subscriptions:
        arn, endpoint = subscription["SubscriptionArn"], subscription["Endpoint"]
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        if subscription["Protocol"] != "lambda":
            delivery.lost.append(f"the sandbox delivers nothing by {subscription['Protocol']} ({arn})")
        elif "FilterPolicy" in attributes:
            # A service's messages carry no attributes that a policy could match.
            delivery.lost.append(f"the filter policy of {arn} lets nothing without attributes through")
        elif not _may_invoke(deployment, endpoint, topic):
            delivery.lost.append(f"no AWS::Lambda::Permission lets sns.amazonaws.com invoke {endpoint} for {topic}")
            _put_aside(deployment, attributes, topic, _event(topic, arn, subject, message, at))
        else:
            event = _event(topic, arn, subject, message, at)
            deployment.functions.invoke_later(endpoint, json.dumps(event).encode())
            delivery.heard.append(deployment.functions.settings(endpoint).logical_id)
    return delivery


def _put_aside(deployment: Deployment, subscription: dict[str, str], topic: str, event: dict[str, Any]) -> None:
    """Into the subscription's dead-letter queue, if it has one whose policy lets SNS in ("Amazon SNS dead-letter
    queues")."""
    redrive = subscription.get("RedrivePolicy")
    if not redrive:
        return
    queue = str(json.loads(redrive)["deadLetterTargetArn"])
    access = Access("sqs:SendMessage", queue, {"aws:sourcearn": [topic], "aws:securetransport": ["true"]})
    statements = deployment.door.resource_policies.get(queue, [])
    denied, allowed = decide_for_principal(statements, access, ["sns.amazonaws.com"])
    if denied or not allowed:
        return
    sqs = deployment.clients("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event["Records"][0]["Sns"]))


def _refusal(deployment: Deployment, topic: str, publisher: str, source: str) -> str:
    sns = deployment.clients("sns")
    try:
        attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    except sns.exceptions.NotFoundException:
        return f"there is no topic {topic}"
    context = {
        "aws:sourceaccount": [deployment.account],
        "aws:sourcearn": [source],
        "aws:securetransport": ["true"],
    }
    accesses = [(topic, Access("sns:Publish", topic, context))]
    if attributes.get("KmsMasterKeyId"):
        # "Key management" of SNS: the publishing service needs the key too, and AWS's own key lets no service in.
        key = str(attributes["KmsMasterKeyId"])
        key = key if key.startswith("arn:") else deployment.arn("kms", f"key/{key}")
        accesses += [(key, Access(f"kms:{action}", key, context)) for action in ("GenerateDataKey", "Decrypt")]
    for resource, access in accesses:
        # Without a policy of its own only the topic's owner may publish.
        statements = deployment.door.resource_policies.get(resource, [])
        try:
            denied, allowed = decide_for_principal(statements, access, [publisher])
        except PolicyError as broken:
            return f"the policy of {resource} cannot be read: {broken}"
        if denied or not allowed:
            return f"no resource-based policy lets {publisher} perform {access.action} on {resource}"
    return ""


def _may_invoke(deployment: Deployment, function_arn: str, topic: str) -> bool:
    return any(
        permission.function_arn == function_arn
        and permission.principal == "sns.amazonaws.com"
        and (permission.source_arn is None or matches(permission.source_arn, topic))
        for permission in deployment.permissions
    )


def _event(topic: str, subscription: str, subject: str, message: str, at: float) -> dict[str, Any]:
    host = f"https://sns.{topic.split(':')[3]}.amazonaws.com"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": str(uuid.uuid4()),
                    "TopicArn": topic,
                    "Subject": subject,
                    "Message": message,
                    "Timestamp": instant(at),
                    "SignatureVersion": "1",
                    "Signature": "(the sandbox signs nothing)",
                    "SigningCertUrl": f"{host}/SimpleNotificationService-0.pem",
                    "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
                    "MessageAttributes": {},
                },
            }
        ]
    }

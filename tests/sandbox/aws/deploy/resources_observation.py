"""AWS::Logs::*, AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creates, tags_as_list, tags_as_object, whole
from tests.sandbox.aws.errors import DeployError


@creates("AWS::Logs::LogGroup")
def create_log_group(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A log group."""
    name = properties.take("LogGroupName", None) or deployment.name(logical_id, 512)
    retention = properties.take("RetentionInDays", None)
    present = properties.take_present("KmsKeyId", "LogGroupClass")
    client = deployment.clients("logs")
    renamed = {key[0].lower() + key[1:]: value for key, value in present.items()}
    client.create_log_group(logGroupName=name, tags=tags_as_object(properties.take("Tags", [])), **renamed)
    properties.finish()
    if retention is not None:
        days = whole(retention, f"{logical_id}.RetentionInDays")
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    return Physical(name, {"Arn": deployment.arn("logs", f"log-group:{name}:*")})


@creates("AWS::Logs::MetricFilter")
def create_metric_filter(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A metric made from log lines."""
    name = properties.take("FilterName", None) or deployment.name(logical_id)
    group = properties.take("LogGroupName")
    pattern = properties.take("FilterPattern")
    metrics: list[dict[str, Any]] = []
    for item in properties.take("MetricTransformations"):
        metric = {key[0].lower() + key[1:]: value for key, value in item.items()}
        metric["metricValue"] = str(metric["metricValue"])
        metrics.append(metric)
    properties.finish()
    deployment.clients("logs").put_metric_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=metrics
    )
    return Physical(name, {})


@creates("AWS::CloudWatch::Alarm")
def create_alarm(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """An alarm. moto keeps it; nothing in the sandbox publishes service metrics."""
    name = properties.take("AlarmName", None) or deployment.name(logical_id, 255)
    numbers = properties.take_present("Period", "EvaluationPeriods", "DatapointsToAlarm")
    threshold = properties.take("Threshold", None)
    extra = {} if threshold is None else {"Threshold": float(threshold)}
    deployment.clients("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Tags=tags_as_list(properties.take("Tags", [])),
        **{key: whole(value, f"{logical_id}.{key}") for key, value in numbers.items()},
        **extra,
        **properties.take_present(
            "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic",
            "ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions",
            "InsufficientDataActions", "ActionsEnabled", "Unit", "Metrics",
        ),
    )  # fmt: skip
    properties.finish()
    return Physical(name, {"Arn": deployment.arn("cloudwatch", f"alarm:{name}")})


@creates("AWS::CloudWatch::Dashboard")
def create_dashboard(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A dashboard. CloudWatch refuses a body that is no JSON object with widgets, as this does."""
    name = properties.take("DashboardName", None) or deployment.name(logical_id, 255)
    body = properties.take("DashboardBody")
    properties.finish()
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, TypeError, KeyError) as error:
        raise DeployError(f"{logical_id}: its body is no JSON object with widgets ({error})") from None
    if not all(isinstance(one, dict) and {"type", "properties"} <= one.keys() for one in widgets):
        raise DeployError(f"{logical_id}: a widget lacks its type or its properties")
    deployment.clients("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
    return Physical(name, {})

"""EventBridge, as far as a partner's bus goes: what is put on it reaches the functions of the rules that match.

Source: "Receiving events from an Amazon EventBridge partner", "Event patterns" (EventBridge guide). Only patterns on
`source` with exact values and prefixes are read; another one is an error.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from tests.sandbox.aws.deploy.registry import Deployment, EventRule
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.iam.evaluate import matches
from tests.sandbox.aws.ses_events import instant


def put(deployment: Deployment, bus: str, detail: Mapping[str, Any], at: float, source: str = "") -> list[str]:
    """The partner puts an event on its bus; the logical ids of the functions that it reached."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": str(detail.get("type", "")),
        "source": source or bus,
        "account": deployment.account,
        "time": instant(at),
        "region": deployment.region,
        "resources": [],
        "detail": dict(detail),
    }
    reached = []
    for rule in deployment.event_rules:
        if rule.bus != bus or not _fits(rule, event):
            continue
        for target in rule.targets:
            if not _may_invoke(deployment, str(target["Arn"]), rule.arn):
                raise SandboxError(f"no AWS::Lambda::Permission lets events.amazonaws.com invoke {target['Arn']}")
            deployment.functions.invoke_later(str(target["Arn"]), json.dumps(event).encode())
            reached.append(deployment.functions.settings(str(target["Arn"])).logical_id)
    return reached


def _fits(rule: EventRule, event: Mapping[str, Any]) -> bool:
    if set(rule.pattern) - {"source"}:
        raise SandboxError(f"{rule.logical_id}: the sandbox reads patterns on source only")
    wanted = rule.pattern.get("source", [])
    return any(
        str(event["source"]).startswith(one["prefix"]) if isinstance(one, Mapping) else one == event["source"]
        for one in wanted
    )


def _may_invoke(deployment: Deployment, function_arn: str, rule_arn: str) -> bool:
    return any(
        permission.function_arn == function_arn
        and permission.principal == "events.amazonaws.com"
        and (permission.source_arn is None or matches(permission.source_arn, rule_arn))
        for permission in deployment.permissions
    )

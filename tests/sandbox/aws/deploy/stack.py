"""Deploys a plain CloudFormation template: parameters, order of creation, one creator per resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from tests.sandbox.aws.deploy import (  # noqa: F401 - importing registers the creators
    resources_custom,
    resources_http,
    resources_iam,
    resources_lambda,
    resources_messaging,
    resources_observation,
    resources_states,
    resources_storage,
    updates,
)
from tests.sandbox.aws.deploy.intrinsics import Physical, Scope, mentioned
from tests.sandbox.aws.deploy.parameters import resolve_parameters
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creator_of
from tests.sandbox.aws.errors import DeployError

_TEMPLATE_KEYS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions",
    "Resources", "Outputs",
}  # fmt: skip
_RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
}  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """What a deployment made. `id` is the stack's ARN."""

    id: str
    parameters: Mapping[str, str | list[str]]
    resources: Mapping[str, Physical]
    types: Mapping[str, str]
    outputs: Mapping[str, str]
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What each resource was made with, every intrinsic resolved."""
    kept: frozenset[str] = frozenset()
    """Those that stay when they are no longer in the template (DeletionPolicy)."""

    def of_type(self, kind: str) -> dict[str, Physical]:
        """Logical id -> resource, for one type."""
        return {name: self.resources[name] for name, found in self.types.items() if found == kind}


def deploy(template: Mapping[str, Any], given: Mapping[str, Any], deployment: Deployment) -> Stack:
    """Create every resource of the template. Raises DeployError, naming the resource, for whatever
    CloudFormation would refuse and for whatever the sandbox does not know."""
    return _deploy(template, given, deployment, None)


def update(template: Mapping[str, Any], given: Mapping[str, Any], deployment: Deployment, before: Stack) -> Stack:
    """Make the living stack what the template says: what is new is created, what differs is changed under its name,
    what is gone is deleted last, unless its DeletionPolicy keeps it. DeployError as for `deploy`, and for a change that
    the sandbox does not know (`tests.sandbox.aws.deploy.updates`)."""
    return _deploy(template, given, deployment, before)


def _deploy(
    template: Mapping[str, Any], given: Mapping[str, Any], deployment: Deployment, before: Stack | None
) -> Stack:
    strange = sorted(set(template) - _TEMPLATE_KEYS)
    if strange:
        raise DeployError(f"the template has {strange}, which the sandbox does not handle")
    parameters = resolve_parameters(template.get("Parameters", {}), given)
    stack_id = deployment.arn("cloudformation", f"stack/{deployment.stack_name}/sandbox")
    scope = Scope(
        parameters=parameters,
        pseudo={
            "AWS::Region": deployment.region,
            "AWS::AccountId": deployment.account,
            "AWS::StackName": deployment.stack_name,
            "AWS::StackId": stack_id,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        },
        mappings=template.get("Mappings", {}),
        conditions=template.get("Conditions", {}),
        declared=frozenset(template.get("Resources", {})),
        rewrite=deployment.gateway.localise,
    )
    for name in scope.conditions:
        scope.truth(name)
    wanted = {
        name: resource
        for name, resource in template.get("Resources", {}).items()
        if "Condition" not in resource or scope.truth(resource["Condition"])
    }
    properties: dict[str, Mapping[str, Any]] = {}
    for name in _in_order(wanted):
        properties[name] = _resolved(name, wanted[name], scope)
        scope.resources[name] = _make(name, wanted[name]["Type"], properties[name], deployment, before)
    if before is not None:
        for name in sorted(set(before.resources) - set(wanted) - before.kept):
            updates.delete(deployment, name, before.types[name], before.resources[name])
    outputs = {
        name: str(scope.resolve(output["Value"], f"Outputs.{name}"))
        for name, output in template.get("Outputs", {}).items()
        if "Condition" not in output or scope.truth(output["Condition"])
    }
    types = {name: resource["Type"] for name, resource in wanted.items()}
    kept = frozenset(
        name for name, resource in wanted.items() if resource.get("DeletionPolicy", "Delete").startswith("Retain")
    )
    return Stack(stack_id, parameters, dict(scope.resources), types, outputs, properties, kept)


def _resolved(name: str, resource: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    strange = sorted(set(resource) - _RESOURCE_KEYS)
    if strange:
        raise DeployError(f"{name} ({resource['Type']}): the sandbox does not handle {strange}")
    found: Mapping[str, Any] = scope.resolve(resource.get("Properties", {}), name)
    return found


def _make(
    name: str, kind: str, properties: Mapping[str, Any], deployment: Deployment, before: Stack | None
) -> Physical:
    try:
        if before is None or name not in before.resources:
            return creator_of(kind)(deployment, name, Properties(name, kind, properties))
        if before.types[name] != kind:
            raise DeployError(f"{name}: CloudFormation refuses to make a {kind} of a {before.types[name]}")
        old = before.resources[name]
        if properties == before.properties[name] and not updates.has_code(kind):
            return old
        return updates.change(deployment, kind, old, before.properties[name], Properties(name, kind, properties))
    except (ClientError, ParamValidationError) as refusal:
        raise DeployError(f"{name} ({kind}): {refusal}") from refusal


def _in_order(resources: Mapping[str, Any]) -> list[str]:
    waiting: dict[str, set[str]] = {}
    for name, resource in resources.items():
        found = set(mentioned(resource.get("Properties", {})))
        explicit = resource.get("DependsOn", [])
        found |= {explicit} if isinstance(explicit, str) else set(explicit)
        waiting[name] = {other for other in found if other in resources and other != name}
    ordered: list[str] = []
    while waiting:
        ready = sorted(name for name, needed in waiting.items() if not needed)
        if not ready:
            raise DeployError(f"Circular dependency between resources: {sorted(waiting)}")
        ordered += ready
        for name in ready:
            del waiting[name]
        for needed in waiting.values():
            needed.difference_update(ready)
    return ordered

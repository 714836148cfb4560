"""AWS::IAM::Role, Policy and ManagedPolicy."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creates, tags_as_list


@creates("AWS::IAM::Role")
def create_role(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A role, its inline policies and its managed ones."""
    name = properties.take("RoleName", None) or deployment.name(logical_id)
    trust = properties.take("AssumeRolePolicyDocument")
    inline: list[dict[str, Any]] = properties.take("Policies", [])
    managed: list[str] = properties.take("ManagedPolicyArns", [])
    iam = deployment.clients("iam")
    boundary = properties.take_present("PermissionsBoundary")
    created = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=tags_as_list(properties.take("Tags", [])),
        **properties.take_present("Path", "Description", "MaxSessionDuration"),
        **boundary,
    )["Role"]
    properties.finish()
    deployment.roles.bound(created["Arn"], boundary.get("PermissionsBoundary"))
    attach(deployment, name, created["Arn"], trust, inline, managed)
    return Physical(name, {"Arn": created["Arn"], "RoleId": created["RoleId"]})


def attach(
    deployment: Deployment,
    name: str,
    arn: str,
    trust: dict[str, Any],
    inline: list[dict[str, Any]],
    managed: list[str],
) -> None:
    """Give the role exactly these policies."""
    iam = deployment.clients("iam")
    wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in inline}
    for gone in set(iam.list_role_policies(RoleName=name)["PolicyNames"]) - set(wanted):
        iam.delete_role_policy(RoleName=name, PolicyName=gone)
    for label, document in wanted.items():
        iam.put_role_policy(RoleName=name, PolicyName=label, PolicyDocument=_for_moto(document))
    # moto knows AWS's own policies only when told to load all of them, which takes seconds; the sandbox's evaluation
    # has the few that SAM attaches.
    deployment.roles.set_role(arn, trust, list(wanted.values()), managed)


def _for_moto(document: dict[str, Any]) -> str:
    """moto wants a Version, which AWS lets a policy leave out (and SAM does)."""
    return json.dumps({"Version": "2012-10-17", **document})


@creates("AWS::IAM::ManagedPolicy")
def create_managed_policy(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A policy of the account's, as a boundary of roles."""
    name = properties.take("ManagedPolicyName", None) or deployment.name(logical_id)
    document = properties.take("PolicyDocument")
    created = deployment.clients("iam").create_policy(
        PolicyName=name, PolicyDocument=json.dumps(document), **properties.take_present("Path", "Description")
    )
    properties.finish()
    arn = created["Policy"]["Arn"]
    deployment.roles.add_boundary(arn, document)
    return Physical(arn, {"PolicyArn": arn})


@creates("AWS::IAM::Policy")
def create_policy(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """An inline policy attached to roles."""
    name = properties.take("PolicyName")
    document = properties.take("PolicyDocument")
    roles = properties.take("Roles")
    properties.finish()
    iam = deployment.clients("iam")
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=_for_moto(document))
        deployment.roles.add_policy(iam.get_role(RoleName=role)["Role"]["Arn"], document)
    return Physical(deployment.name(logical_id), {})

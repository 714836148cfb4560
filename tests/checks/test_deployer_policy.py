"""docs/deployer-policy.json holds what CloudFormation needs for what template.yaml makes, and nothing else.

The truth is AWS's own: the schema of each resource type names the permissions of its handlers (create, read, update,
delete). cfn-lint brings those schemas. What a handler asks for features that the template has not is named here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.sandbox.aws.deploy.template import load_template
from tests.sandbox.aws.iam.evaluate import matches

REPOSITORY = Path(__file__).parents[2]
POLICY = json.loads((REPOSITORY / "docs" / "deployer-policy.json").read_text(encoding="utf-8"))
SCHEMAS = files("cfnlint") / "data" / "schemas"
ITSELF = ("SamDeploys", "SamUploads")
"""Statements for SAM's command line, which is no resource of the template."""

MOST_CHARACTERS = 10_240
"""Of a role's inline policies together, white space not counted ("IAM and AWS STS quotas"); a managed one has 6,144."""

NOT_OURS = {
    "data itself, which a deployment neither reads nor writes": (
        "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
        "dynamodb:Scan", "dynamodb:UpdateItem", "s3:DeleteObject", "s3:*Object*Version", "s3:GetObjectMetadata",
        "s3:PutObjectAcl", "s3:REST.PUT.OBJECT", "kinesis:*", "logs:PutLogEvents", "logs:CreateLogStream",
        "logs:DescribeLogStreams", "secretsmanager:GetSecretValue",
    ),
    "tables: replicas, imports, streams to Kinesis, insights, resource policies": (
        "dynamodb:*Replica", "dynamodb:ImportTable", "dynamodb:EnableKinesis*", "dynamodb:DisableKinesis*",
        "dynamodb:UpdateKinesis*", "dynamodb:UpdateContributorInsights", "dynamodb:PutResourcePolicy",
        "dynamodb:DeleteResourcePolicy",
    ),
    "buckets: website, CORS, replication, logging, inventories, metadata tables, object lock and the like": (
        "s3:*Website", "s3:*BucketCors", "s3:PutBucketCORS", "s3:*Replication*", "s3:PutBucketLogging", "s3:*Metadata*",
        "s3:PutBucketNotification", "s3:*ObjectLock*", "s3:Put*Abac", "s3:Put*Acl", "s3:PutAccelerate*",
        "s3:*Put*Analytics*", "s3:DeleteBucketAnalytics*", "s3:DeleteBucketMetrics*", "s3:PutMetrics*",
        "s3:PutInventory*", "s3:PutIntelligentTiering*", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle",
        "s3tables:*", "s3:ListBucket",
    ),
    "functions: file systems, signing, recursion, versions, capacity": (
        "elasticfilesystem:*", "s3files:*", "lambda:*CodeSigning*", "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig", "lambda:PutRuntimeManagementConfig", "lambda:AssociateRuntimeAlias",
        "lambda:PassCapacityProvider", "lambda:PublishVersion", "iam:CreateServiceLinkedRole",
    ),
    "logs: firehose, masking, indexes, tokens": (
        "firehose:*", "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:*IndexPolicy",
        "logs:PutBearerTokenAuthentication", "logs:PutLogGroupDeletionProtection",
    ),
    "policies of users and groups; secrets in other regions; grants that AWS revokes itself": (
        "iam:*GroupPolicy", "iam:*UserPolicy", "secretsmanager:*Region*", "kms:RevokeGrant",
    ),
    "mail: archives, suppression, tracking, virtual deliverability; topics: masking": (
        "ses:Put*ArchivingOptions", "ses:Put*SuppressionOptions", "ses:Put*TrackingOptions", "ses:Put*VdmOptions",
        "sns:PutDataProtectionPolicy",
    ),
}  # fmt: skip

OUTSIDE_THE_SCHEMAS = {
    "lambda:InvokeFunction": "CloudFormation asks the function behind CheckedParameters in the deployer's name",
    "s3:GetObject": "Lambda's and the layers' code, from the bucket that SAM uploads to: in SamUploads",
}


@cache
def _made() -> frozenset[str]:
    """The types of everything that the template may make."""
    plain = load_template(REPOSITORY / "template.yaml", {}).plain
    return frozenset(resource["Type"] for resource in plain["Resources"].values())


@cache
def _handlers() -> Mapping[str, frozenset[str]]:
    """Type -> every permission of its handlers for a resource's life."""
    index = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    found: dict[str, frozenset[str]] = {}
    for kind in _made() & set(index):
        schema = json.loads((SCHEMAS / "resources" / f"{index[kind]}.json").read_text(encoding="utf-8"))
        handlers = schema.get("handlers", {})
        found[kind] = frozenset(
            permission
            for life in ("create", "read", "update", "delete")
            for permission in handlers.get(life, {}).get("permissions", [])
        )
    return found


def _needed() -> set[str]:
    """What the template's own resources need."""
    others = [pattern for patterns in NOT_OURS.values() for pattern in patterns]
    asked = {permission for permissions in _handlers().values() for permission in permissions}
    return {one for one in asked if not any(matches(pattern.lower(), one.lower()) for pattern in others)}


def _granted(itself: bool | None = None) -> Iterator[str]:
    for statement in POLICY["Statement"]:
        if itself is None or (statement["Sid"] in ITSELF) == itself:
            yield from statement["Action"]


def _covers(pattern: str, action: str) -> bool:
    return bool(matches(pattern.lower(), action.lower()))


def test_every_type_that_the_template_makes_has_its_schema() -> None:
    assert {kind for kind in _made() if not kind.startswith("Custom::")} == set(_handlers())
    assert all(_handlers().values())


def test_whatever_the_template_makes_may_be_made_changed_and_deleted() -> None:
    granted = set(_granted())
    missing = {one for one in _needed() if not any(_covers(pattern, one) for pattern in granted)}
    assert not missing


def test_nothing_is_granted_that_no_resource_needs() -> None:
    needed = _needed() | set(OUTSIDE_THE_SCHEMAS)
    for pattern in _granted(itself=False):
        assert any(_covers(pattern, one) for one in needed), pattern


def test_no_feature_is_left_out_that_no_handler_asks_for() -> None:
    asked = {permission for permissions in _handlers().values() for permission in permissions}
    for patterns in NOT_OURS.values():
        for pattern in patterns:
            assert any(_covers(pattern, one) for one in asked), pattern


def test_a_policy_of_this_size_can_be_made() -> None:
    text = re.sub(r"\s", "", json.dumps(POLICY))
    text = text.replace("ACCOUNT", "123456789012").replace("REGION", "ap-southeast-2").replace("STACK", "x" * 48)
    assert len(text) < MOST_CHARACTERS, len(text)


def test_what_has_a_name_is_granted_under_the_stacks_name_alone() -> None:
    unnamed = {"QueuesFeedFunctions", "Logs", "SecretAndKey", "MailPageAndDomain"}
    for statement in POLICY["Statement"]:
        resources = statement["Resource"]
        listed: list[Any] = [resources] if isinstance(resources, str) else resources
        assert ("*" in listed) == (statement["Sid"] in unnamed), statement["Sid"]

"""AWS::DynamoDB::Table, AWS::S3::*, AWS::SecretsManager::Secret, AWS::KMS::*."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creates, flag, tags_as_list, whole
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.iam.evaluate import statements_of


@creates("AWS::DynamoDB::Table")
def create_table(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A table with its indexes, TTL, encryption and point-in-time recovery."""
    name = properties.take("TableName", None) or deployment.name(logical_id, 255)
    ttl = properties.take("TimeToLiveSpecification", None)
    recovery = properties.take("PointInTimeRecoverySpecification", None)
    encryption = properties.take("SSESpecification", None)
    keys = properties.take("KeySchema")
    client = deployment.clients("dynamodb")
    extra: dict[str, Any] = {}
    if encryption is not None:
        renamed = {"SSEEnabled": "Enabled"}
        extra["SSESpecification"] = {renamed.get(key, key): item for key, item in encryption.items()}
    created = client.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=properties.take("AttributeDefinitions"),
        BillingMode=properties.take("BillingMode", "PROVISIONED"),
        Tags=tags_as_list(properties.take("Tags", [])),
        **properties.take_present(
            "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "ProvisionedThroughput",
            "StreamSpecification", "DeletionProtectionEnabled", "TableClass",
        ),
        **extra,
    )["TableDescription"]  # fmt: skip
    properties.finish()
    if ttl is not None:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    if recovery is not None:
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    deployment.lookup.partition_keys[name] = next(key["AttributeName"] for key in keys if key["KeyType"] == "HASH")
    attributes = {"Arn": created["TableArn"]}
    if "LatestStreamArn" in created:
        attributes["StreamArn"] = created["LatestStreamArn"]
    return Physical(name, attributes)


@creates("AWS::S3::Bucket")
def create_bucket(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A bucket with its encryption, versioning, lifecycle and public access settings."""
    name = properties.take("BucketName", None) or deployment.name(logical_id, 63).lower()
    client = deployment.clients("s3")
    place = (
        {}
        if deployment.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": deployment.region}}
    )
    client.create_bucket(Bucket=name, **place)
    configure_bucket(deployment, logical_id, name, properties)
    return Physical(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{deployment.region}.amazonaws.com",
        },
    )


def configure_bucket(deployment: Deployment, logical_id: str, name: str, properties: Properties) -> None:
    """Give a bucket its settings."""
    client = deployment.clients("s3")
    encryption = properties.take("BucketEncryption", None)
    if encryption is not None:
        rules = [_encryption_rule(rule) for rule in encryption["ServerSideEncryptionConfiguration"]]
        client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    public = properties.take("PublicAccessBlockConfiguration", None)
    if public is not None:
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=public)
    ownership = properties.take("OwnershipControls", None)
    if ownership is not None:
        client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
    versioning = properties.take("VersioningConfiguration", None)
    if versioning is not None:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    lifecycle = properties.take("LifecycleConfiguration", None)
    if lifecycle is not None:
        rules = [_lifecycle_rule(logical_id, rule) for rule in lifecycle["Rules"]]
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    tags = tags_as_list(properties.take("Tags", []))
    if tags:
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    properties.finish()


def _encryption_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        ("ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key): value
        for key, value in rule.items()
    }


def _lifecycle_rule(logical_id: str, rule: dict[str, Any]) -> dict[str, Any]:
    left = dict(rule)
    found: dict[str, Any] = {"Status": left.pop("Status"), "Filter": {"Prefix": left.pop("Prefix", "")}}
    if "Id" in left:
        found["ID"] = left.pop("Id")
    if "ExpirationInDays" in left:
        found["Expiration"] = {"Days": whole(left.pop("ExpirationInDays"), f"{logical_id}.ExpirationInDays")}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in left:
            renamed = {"DaysAfterInitiation": "DaysAfterInitiation", "NoncurrentDays": "NoncurrentDays"}
            inner = left.pop(key)
            found[key] = {renamed[name]: whole(item, f"{logical_id}.{key}") for name, item in inner.items()}
    if "Transitions" in left:
        found["Transitions"] = [
            {"Days": whole(item["TransitionInDays"], logical_id), "StorageClass": item["StorageClass"]}
            for item in left.pop("Transitions")
        ]
    if left:
        raise DeployError(f"{logical_id}: the sandbox does not handle {sorted(left)} of a lifecycle rule")
    return found


@creates("AWS::S3::BucketPolicy")
def create_bucket_policy(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A bucket's policy, kept in moto and evaluated by the front door."""
    bucket = properties.take("Bucket")
    document = properties.take("PolicyDocument")
    properties.finish()
    deployment.clients("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    deployment.door.resource_policies[f"arn:aws:s3:::{bucket}"] = statements_of(document)
    return Physical(bucket, {})


@creates("AWS::SecretsManager::Secret")
def create_secret(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A secret, given or generated."""
    name = properties.take("Name", None) or deployment.name(logical_id, 512)
    client = deployment.clients("secretsmanager")
    text = properties.take("SecretString", None)
    generate = properties.take("GenerateSecretString", None)
    if generate is not None:
        text = _generate(logical_id, client, dict(generate))
    created = client.create_secret(
        Name=name,
        Tags=tags_as_list(properties.take("Tags", [])),
        **({"SecretString": text} if text is not None else {}),
        **properties.take_present("Description", "KmsKeyId"),
    )
    properties.finish()
    deployment.lookup.secret_arns[name] = created["ARN"]
    return Physical(created["ARN"], {"Id": created["ARN"]})


def _generate(logical_id: str, client: Any, rules: dict[str, Any]) -> str:
    template = rules.pop("SecretStringTemplate", None)
    key = rules.pop("GenerateStringKey", None)
    if "PasswordLength" in rules:
        rules["PasswordLength"] = whole(rules["PasswordLength"], f"{logical_id}.PasswordLength")
    password = str(client.get_random_password(**rules)["RandomPassword"])
    if template is None:
        return password
    if key is None:
        raise DeployError(f"{logical_id}: SecretStringTemplate needs GenerateStringKey")
    return json.dumps({**json.loads(template), key: password})


@creates("AWS::KMS::Key")
def create_key(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A key; its policy is evaluated by the front door together with the caller's role."""
    policy = properties.take("KeyPolicy")
    rotate = flag(properties.take("EnableKeyRotation", False), f"{logical_id}.EnableKeyRotation")
    properties.take("PendingWindowInDays", None)
    client = deployment.clients("kms")
    tags = tags_as_list(properties.take("Tags", []))
    created = client.create_key(
        Policy=json.dumps(policy),
        Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags],
        **properties.take_present("Description", "KeyUsage", "KeySpec", "MultiRegion"),
    )["KeyMetadata"]
    properties.finish()
    if rotate:
        client.enable_key_rotation(KeyId=created["KeyId"])
    deployment.door.resource_policies[created["Arn"]] = statements_of(policy)
    return Physical(created["KeyId"], {"Arn": created["Arn"], "KeyId": created["KeyId"]})


@creates("AWS::KMS::Alias")
def create_alias(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Another name of a key."""
    name = properties.take("AliasName")
    key = str(properties.take("TargetKeyId")).rpartition("/")[2]
    properties.finish()
    deployment.clients("kms").create_alias(AliasName=name, TargetKeyId=key)
    deployment.lookup.key_aliases[name] = key
    return Physical(name, {})

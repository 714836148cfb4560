"""Every parameter for strict accounts is set at once, and a month is billed; empty, none of it is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.played.firm import ANN, firm, order
from tests.played.story import SECONDS, deployed
from tests.sandbox import Sandbox
from tests.sandbox.aws.iam.evaluate import Access, decide, statements_of
from tests.sandbox.aws.world import ACCOUNT, EmbeddedAws

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/firm/boundary"
SUBNETS, GROUPS = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"], ["sg-0a1b2c3d"]
DOMAIN = "billing.firm.example"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0b1c2d3e-0000-0000-0000-000000000000"
KEY_POLICY = Path(__file__).parents[2] / "docs" / "key-policy.json"


def _the_account(aws: EmbeddedAws) -> dict[str, str]:
    """A key of the firm's and a hosted zone, which are there before the stack."""
    policy = json.loads(_key_policy())
    key = aws.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    aws.door.resource_policies[key] = statements_of(policy)
    zone = aws.client("route53").create_hosted_zone(Name="firm.example", CallerReference="x")["HostedZone"]["Id"]
    return {"DataKeyArn": key, "ApprovalHostedZoneId": zone.rpartition("/")[2]}


def _key_policy() -> str:
    return KEY_POLICY.read_text(encoding="utf-8").replace("ACCOUNT", ACCOUNT).replace("REGION", "us-east-1")


@pytest.fixture(scope="module")
def strict() -> Iterator[Sandbox]:
    parameters = {
        "PermissionsBoundaryArn": BOUNDARY,
        "VpcSubnetIds": ",".join(SUBNETS),
        "VpcSecurityGroupIds": ",".join(GROUPS),
        "ApprovalDomainName": DOMAIN,
        "ApprovalCertificateArn": CERTIFICATE,
        "Settlement": "on",
    }
    with deployed(firm([order(1)]), parameters=parameters, account=_the_account) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def key(strict: Sandbox) -> str:
    return str(strict.stack.parameters["DataKeyArn"])


def test_every_role_has_the_boundary(strict: Sandbox) -> None:
    iam = strict.aws.client("iam")
    roles = strict.stack.of_type("AWS::IAM::Role")
    found = {
        name: iam.get_role(RoleName=role.ref)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        for name, role in roles.items()
    }
    assert len(found) > 35
    assert set(found.values()) == {BOUNDARY}, found
    assert "NetworkIsLeftAlone" not in strict.stack.resources


def test_every_function_is_in_the_vpc_and_its_variables_under_the_key(strict: Sandbox, key: str) -> None:
    properties = strict.stack.properties
    functions = strict.stack.of_type("AWS::Lambda::Function")
    assert len(functions) > 30
    for name in functions:
        assert properties[name]["VpcConfig"] == {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}, name
        assert properties[name]["KmsKeyArn"] == key, name


def test_whatever_is_kept_lies_under_the_key(strict: Sandbox, key: str) -> None:
    keyed = {
        "AWS::DynamoDB::Table": lambda one: one["SSESpecification"],
        "AWS::S3::Bucket": lambda one: one["BucketEncryption"],
        "AWS::SQS::Queue": lambda one: [one["KmsMasterKeyId"], one["SqsManagedSseEnabled"] is False],
        "AWS::SNS::Topic": lambda one: one["KmsMasterKeyId"],
        "AWS::Logs::LogGroup": lambda one: one["KmsKeyId"],
        "AWS::SecretsManager::Secret": lambda one: one["KmsKeyId"],
    }
    for kind, of in keyed.items():
        found = strict.stack.of_type(kind)
        assert found, kind
        for name in found:
            told = of(strict.stack.properties[name])
            assert key in str(told), name
            assert "False" not in str(told), name


def test_the_mail_leads_to_the_firms_own_domain(strict: Sandbox) -> None:
    run = strict.fire_schedule()
    while not [mail for mail in strict.mails() if ANN in mail.to]:
        assert strict.result(run).status == "RUNNING"
    while not strict.is_waiting(run):
        assert strict.result(run).status == "RUNNING"
    (mail,) = [mail for mail in strict.mails() if ANN in mail.to]
    link = next(link for link in mail.links if f"https://{DOMAIN}/approvals/" in link)
    assert strict.stack.outputs["ApprovalUrl"] == f"https://{DOMAIN}"
    assert strict.stack.outputs["StripeWebhookUrl"] == f"https://{DOMAIN}/stripe/events"
    # The domain's mapping leads to the API, which the sandbox serves at an address of its own.
    mapping = strict.stack.properties["ApprovalDomainMapping"]
    assert mapping["ApiId"] == strict.stack.resources["ApprovalApi"].ref
    api = strict.stack.resources["ApprovalApi"].attributes["ApiEndpoint"]
    strict.answer(link.replace(f"https://{DOMAIN}", api), "approve")
    assert strict.wait_for_end(run, SECONDS).status == "SUCCEEDED"
    assert len(strict.drafts()) == 1


def test_the_domain_has_its_record(strict: Sandbox) -> None:
    zone = str(strict.stack.parameters["ApprovalHostedZoneId"])
    records = strict.aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (record,) = [one for one in records if one["Name"].rstrip(".") == DOMAIN]
    assert record["AliasTarget"]["DNSName"].rstrip(".") == strict.stack.outputs["ApprovalDomainTarget"]


def test_a_bounce_is_told_of_through_the_encrypted_topic(strict: Sandbox) -> None:
    mail = next(mail for mail in strict.mails() if ANN in mail.to)
    event = strict.ses.reports(mail, "permanent")
    assert (event.heard, event.lost) == (("NoteTheBounceFunction",), ())


def test_empty_parameters_make_nothing_and_the_stacks_boundary_keeps_code_from_the_network(
    strict: Sandbox,
) -> None:
    with Sandbox(firm([order(1)]), stack_name="plain", beside=strict) as plain:
        strangers = ("AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping", "AWS::Route53::RecordSet")
        assert not [name for name, kind in plain.stack.types.items() if kind in strangers]
        written = json.dumps(plain.stack.properties)
        assert not [word for word in ("KmsKeyArn", "KmsMasterKeyId", "KMSMasterKey", "VpcConfig") if word in written]
        policy = plain.stack.resources["NetworkIsLeftAlone"].ref
        for name in plain.stack.of_type("AWS::Lambda::Function"):
            role = plain.stack.resources[f"{name}Role"]
            assert plain.stack.properties[f"{name}Role"]["PermissionsBoundary"] == policy
            statements = plain.aws.roles.boundary(role.attributes["Arn"])
            assert statements is not None
            code = {"lambda:sourcefunctionarn": ["arn:aws:lambda:us-east-1:1:function:x"]}
            assert not decide(statements, Access("ec2:CreateNetworkInterface", "*", code)).allowed
            assert decide(statements, Access("dynamodb:GetItem", "*", code)).allowed
            # Lambda itself, which acts for no function's code, needs them in a VPC, and when it leaves one.
            assert decide(statements, Access("ec2:DeleteNetworkInterface", "*")).allowed

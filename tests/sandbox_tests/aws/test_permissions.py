"""Policies are evaluated against the real action and the real resource."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.sandbox.aws.iam.evaluate import Access, PolicyError, decide, decide_for_principal, unused_grants
from tests.sandbox.aws.iam.requests import Lookup, UnknownRequest, WireRequest, read_request

ALLOW_TABLE = {"Effect": "Allow", "Action": ["dynamodb:Get*"], "Resource": "arn:aws:dynamodb:*:*:table/a"}


def _allowed(statements: list[Mapping[str, Any]], action: str, resource: str, **context: list[str]) -> bool:
    found = {key.replace("__", ":"): value for key, value in context.items()}
    return decide(statements, Access(action, resource, found)).allowed


def test_wildcards_match_actions_without_case_and_resources_with_it() -> None:
    table = "arn:aws:dynamodb:us-east-1:1:table/a"
    assert _allowed([ALLOW_TABLE], "dynamodb:getitem", table)
    assert not _allowed([ALLOW_TABLE], "dynamodb:PutItem", table)
    assert not _allowed([ALLOW_TABLE], "dynamodb:GetItem", table.upper())
    assert not _allowed([ALLOW_TABLE], "dynamodb:GetItem", table + "b")


def test_a_deny_wins_over_an_allow() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a:b": "false"}}}
    table = "arn:aws:dynamodb:us-east-1:1:table/a"
    assert _allowed([ALLOW_TABLE, deny], "dynamodb:GetItem", table, a__b=["true"])
    assert not _allowed([ALLOW_TABLE, deny], "dynamodb:GetItem", table, a__b=["false"])


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ({"StringEquals": {"k:x": "1"}}, ["1"], True),
        ({"StringEquals": {"k:x": "1"}}, None, False),
        ({"StringEqualsIfExists": {"k:x": "1"}}, None, True),
        ({"StringNotEquals": {"k:x": ["1", "2"]}}, ["3"], True),
        ({"StringNotEquals": {"k:x": ["1", "2"]}}, ["2"], False),
        ({"StringLike": {"k:x": "RUN#*"}}, ["RUN#7"], True),
        ({"ForAllValues:StringLike": {"k:x": ["RUN#*"]}}, ["RUN#7", "OTHER"], False),
        ({"ForAllValues:StringLike": {"k:x": ["RUN#*"]}}, ["RUN#7", "RUN#8"], True),
        ({"ForAnyValue:StringEquals": {"k:x": "a"}}, ["b", "a"], True),
        ({"Null": {"k:x": "true"}}, None, True),
        ({"Null": {"k:x": "true"}}, ["a"], False),
        ({"NumericLessThan": {"k:x": "5"}}, ["4"], True),
    ],
)
def test_conditions_hold_as_in_aws(condition: Any, values: list[str] | None, holds: bool) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    context = {} if values is None else {"k:x": values}
    assert decide([statement], Access("a:b", "r", context)).allowed is holds


def test_what_the_evaluator_does_not_know_never_allows() -> None:
    for odd in ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, {"NotPrincipal": "*"}):
        with pytest.raises(PolicyError):
            decide([{"Effect": "Allow", "Action": "*", "Resource": "*", **odd}], Access("a:b", "r"))


def test_a_resource_policy_asks_for_the_principal() -> None:
    root = {"Effect": "Allow", "Principal": {"AWS": "arn:root"}, "Action": "kms:*", "Resource": "*"}
    assert decide_for_principal([root], Access("kms:Encrypt", "k"), ["arn:root"]) == (False, True)
    assert decide_for_principal([root], Access("kms:Encrypt", "k"), ["arn:role"]) == (False, False)


def _wire(method: str, path: str, signing: str, body: bytes = b"", **extra: Any) -> WireRequest:
    headers = {name.replace("_", "-"): value for name, value in extra.pop("headers", {}).items()}
    return WireRequest(method, path, extra.get("query", {}), headers, body, signing, "us-east-1", "1")


def _lookup() -> Lookup:
    found = Lookup()
    found.partition_keys["rows"] = "pk"
    found.identities.add("billing@firm.example")
    found.key_aliases["alias/seal"] = "12345678-aaaa"
    return found


def _json_call(target: str, signing: str, **parameters: Any) -> list[Access]:
    request = _wire("POST", "/", signing, json.dumps(parameters).encode(), headers={"x_amz_target": target})
    return list(read_request(request, _lookup()).accesses)


def test_a_transaction_needs_the_permission_of_each_of_its_parts() -> None:
    accesses = _json_call(
        "DynamoDB_20120810.TransactWriteItems",
        "dynamodb",
        TransactItems=[
            {"Put": {"TableName": "rows", "Item": {"pk": {"S": "A"}}}},
            {"ConditionCheck": {"TableName": "other", "Key": {"pk": {"S": "B"}}}},
        ],
    )
    assert [(access.action, access.resource.rpartition(":")[2]) for access in accesses] == [
        ("dynamodb:PutItem", "table/rows"),
        ("dynamodb:ConditionCheckItem", "table/other"),
    ]
    assert accesses[0].context["dynamodb:leadingkeys"] == ["A"]


def test_a_query_names_its_index_and_its_leading_key() -> None:
    (access,) = _json_call(
        "DynamoDB_20120810.Query",
        "dynamodb",
        TableName="rows",
        IndexName="by-date",
        KeyConditionExpression="#p = :p AND begins_with(sk, :s)",
        ExpressionAttributeNames={"#p": "pk"},
        ExpressionAttributeValues={":p": {"S": "RUN#1"}, ":s": {"S": "x"}},
    )
    assert access.resource.endswith("table/rows/index/by-date")
    assert access.context["dynamodb:leadingkeys"] == ["RUN#1"]


def test_a_batch_is_asked_for_table_by_table() -> None:
    accesses = _json_call(
        "DynamoDB_20120810.BatchGetItem",
        "dynamodb",
        RequestItems={"rows": {"Keys": [{"pk": {"S": "A"}}]}, "other": {"Keys": []}},
    )
    assert [access.resource.rpartition("/")[2] for access in accesses] == ["rows", "other"]


def test_a_key_alias_and_a_ciphertext_lead_to_the_key() -> None:
    (sealed,) = _json_call(
        "TrentService.Encrypt", "kms", KeyId="alias/seal", Plaintext="", EncryptionContext={"run": "1"}
    )
    assert sealed.resource == "arn:aws:kms:us-east-1:1:key/12345678-aaaa"
    assert sealed.context["kms:encryptioncontext:run"] == ["1"]
    key = "1f2e3d4c-1111-2222-3333-444455556666"
    blob = base64.b64encode(key.encode() + b"...").decode()
    (opened,) = _json_call("TrentService.Decrypt", "kms", CiphertextBlob=blob)
    assert opened.resource.endswith(f"key/{key}")


def test_a_raw_mail_needs_both_ways_of_sending_on_the_identity_and_the_configuration_set() -> None:
    body = {
        "FromEmailAddress": "Billing <billing@firm.example>",
        "ConfigurationSetName": "plain",
        "Content": {"Raw": {"Data": ""}},
    }
    request = _wire("POST", "/v2/email/outbound-emails", "ses", json.dumps(body).encode())
    accesses = read_request(request, _lookup()).accesses
    assert [(access.action, access.resource.rpartition(":")[2]) for access in accesses] == [
        ("ses:SendRawEmail", "identity/billing@firm.example"),
        ("ses:SendRawEmail", "configuration-set/plain"),
        ("ses:SendEmail", "identity/billing@firm.example"),
        ("ses:SendEmail", "configuration-set/plain"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "expected"),
    [
        ("GET", "/b/a/k.json", {}, {}, [("s3:GetObject", "arn:aws:s3:::b/a/k.json")]),
        ("HEAD", "/b/k", {}, {}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
        ("GET", "/b/k", {"versionId": ["1"]}, {}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("GET", "/b", {"list-type": ["2"], "prefix": ["p/"]}, {}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        (
            "PUT",
            "/b/k",
            {},
            {"x_amz_copy_source": "c/d"},
            [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObject", "arn:aws:s3:::c/d")],
        ),
        ("DELETE", "/b/k", {}, {}, [("s3:DeleteObject", "arn:aws:s3:::b/k")]),
    ],
)
def test_s3_requests_name_bucket_and_key(
    method: str, path: str, query: Any, headers: Any, expected: list[tuple[str, str]]
) -> None:
    found = read_request(_wire(method, path, "s3", query=query, headers=headers), _lookup())
    assert [(access.action, access.resource) for access in found.accesses] == expected


@pytest.mark.parametrize(
    "request_",
    [
        _wire("PUT", "/b/k", "s3", query={"acl": [""]}),
        _wire("PUT", "/b", "s3"),
        _wire("POST", "/", "rds", b"Action=DescribeDBInstances"),
        _wire("POST", "/", "dynamodb", b"{}", headers={"x_amz_target": "DynamoDB_20120810.DeleteTable"}),
        _wire("DELETE", "/nowhere", "lambda"),
    ],
)
def test_a_request_that_is_not_understood_is_refused(request_: WireRequest) -> None:
    with pytest.raises(UnknownRequest):
        read_request(request_, _lookup())


def test_a_grant_that_nothing_needed_is_named() -> None:
    statement = {
        "Sid": "Both",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::b/in/*", "arn:aws:s3:::b/out/*"],
    }
    used = [Access("s3:GetObject", "arn:aws:s3:::b/in/x"), Access("s3:PutObject", "arn:aws:s3:::b/out/x")]
    assert unused_grants([statement], used) == [
        ("Both", "s3:GetObject", "arn:aws:s3:::b/out/*"),
        ("Both", "s3:PutObject", "arn:aws:s3:::b/in/*"),
    ]

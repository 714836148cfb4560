"""`make doctor` through the deployed template: all fine, with a role that is sufficient and minimal, nothing written;
and what is broken in the world around the stack is named by its one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.played.firm import ANN, BOB, NOW, OWNER, firm, order
from tests.played.story import deployed, stripe_error
from tests.sandbox import Sandbox
from tests.sandbox.faults import Answer, DropBefore
from tests.sandbox.netsuite import maintenance_fault
from tests.sandbox.netsuite.credentials import certificate_for
from tests.sandbox.slack import Refuse
from tests.sandbox.stripe.webhooks import Endpoint

EXAMINED = "ExamineTheSetupFunction"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    parameters = {"Settlement": "on", "PreviewPartlyBilled": "on"}
    with deployed(firm([order(1)]), parameters=parameters) as running:
        yield running


@pytest.fixture(scope="module")
def examined(sandbox: Sandbox) -> dict[str, Any]:
    before, written = sandbox.dump(), len(sandbox.stripe.calls)
    answer = dict(sandbox.invoke(EXAMINED, {}))
    assert sandbox.dump() == before, "an examination writes nothing anywhere"
    assert {call.method for call in sandbox.stripe.calls[written:]} == {"GET"}
    assert sandbox.posts() == []
    assert sandbox.mails() == []
    return answer


def test_everything_is_fine_in_the_sandbox(examined: dict[str, Any]) -> None:
    assert [line for line in examined["lines"] if not line.startswith("fine ")] == []
    assert examined["ok"]
    assert examined["counts"]["fine"] == len(examined["lines"]) == len(examined["findings"]) >= 25


def test_the_role_is_sufficient_and_nothing_of_it_is_unused(sandbox: Sandbox, examined: dict[str, Any]) -> None:
    assert sandbox.denials == []
    role = f"{EXAMINED}Role"
    assert [grant for grant in sandbox.unused_permissions() if grant[0] == role] == []


def test_no_grant_of_the_role_writes(sandbox: Sandbox) -> None:
    arn = sandbox.stack.resources[f"{EXAMINED}Role"].attributes["Arn"]
    actions = [
        action
        for statement in sandbox.aws.roles.statements(arn)
        for action in _actions(statement)
        if not action.startswith(("logs:", "xray:")) and action not in NETWORK
    ]
    assert len(actions) >= 9
    assert [one for one in actions if not one.partition(":")[2].startswith(("Get", "Describe"))] == []


def test_no_secret_and_no_address_is_told(sandbox: Sandbox, examined: dict[str, Any]) -> None:
    told = json.dumps(examined) + "".join(line for _, line in sandbox.logs(EXAMINED))
    secrets = [
        value
        for name in ("netsuite", "stripe", "slack")
        for key, value in json.loads(_secret(sandbox, name)).items()
        if key not in ("account", "algorithm")
    ]
    assert len(secrets) >= 6
    for hidden in (ANN, BOB, OWNER, "billing@firm.example", *secrets, *sandbox.webhook_secrets):
        assert hidden not in told


def test_the_environment_is_far_from_lambdas_limit(sandbox: Sandbox) -> None:
    """AWS, "Lambda quotas": 4 KB for all environment variables together."""
    name = sandbox.stack.resources[EXAMINED].ref
    variables = sandbox.aws.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert sum(len(key) + len(value) for key, value in variables.items()) < 2400


GRANTS = {
    ("UseTheSecrets", "secretsmanager:GetSecretValue"): "secret.netsuite",
    ("DescribeTheTables", "dynamodb:DescribeTable"): "aws.tables",
    ("DescribeTheTables", "dynamodb:DescribeContinuousBackups"): "aws.tables",
    ("DescribeTheBucket", "s3:GetBucketVersioning"): "aws.bucket",
    ("SeeWhetherAddressesAreVerified", "ses:GetEmailIdentity"): "mail.sender",
    ("DescribeTheConfigurationSet", "ses:GetConfigurationSet"): "mail.tracking",
    ("DescribeTheConfigurationSet", "ses:GetConfigurationSetEventDestinations"): "mail.tracking",
    ("SeeWhetherSesIsInItsSandbox", "ses:GetAccount"): "mail.account",
    ("UseTheWebhooksSecret", "secretsmanager:GetSecretValue"): "secret.webhook",
    ("DescribeTheSettlementsTable", "dynamodb:DescribeTable"): "aws.tables",
    ("DescribeTheSettlementsTable", "dynamodb:DescribeContinuousBackups"): "aws.tables",
    ("ReadThePolicies", "s3:GetObject"): "settlement.policies",
}


@pytest.mark.parametrize(("sid", "action"), GRANTS)
def test_each_grant_is_needed_and_one_that_is_missing_stops_no_other_check(
    sandbox: Sandbox, sid: str, action: str
) -> None:
    given = sandbox.aws.roles.statements

    def without(role_arn: str) -> list[Any]:
        return [
            {**one, "Action": [name for name in _actions(one) if one.get("Sid") != sid or name != action]}
            for one in given(role_arn)
        ]

    with having(sandbox.aws.roles, "statements", without):
        answer = sandbox.invoke(EXAMINED, {})
    sandbox.aws.door.denials.clear()
    wrong = {one["check"]: one["text"] for one in answer["findings"] if one["verdict"] == "wrong"}
    assert GRANTS[sid, action] in wrong, "\n".join(answer["lines"])
    assert "schedule.monthly" not in wrong
    if action != "s3:GetObject":  # S3 hides whether an object is there from whom may not list
        assert f"This function's role may not call {action.partition(':')[2]}." in wrong[GRANTS[sid, action]]


def test_these_are_all_the_grants(sandbox: Sandbox) -> None:
    arn = sandbox.stack.resources[f"{EXAMINED}Role"].attributes["Arn"]
    granted = {(str(one.get("Sid")), action) for one in sandbox.aws.roles.statements(arn) for action in _actions(one)}
    told = {grant for grant in granted if not grant[1].startswith(("logs:", "xray:")) and grant[1] not in NETWORK}
    assert told == set(GRANTS)


NETWORK = {
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
"""SAM gives them to every function that may run in a VPC, and NetworkIsLeftAlone keeps the code from them
(tests/played/test_a_strict_account.py)."""


def _actions(statement: Any) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


# ---- what is broken -------------------------------------------------------------------------------------------------


def _secret(sandbox: Sandbox, name: str) -> str:
    return str(sandbox.aws.client("secretsmanager").get_secret_value(SecretId=f"sandbox/{name}")["SecretString"])


@contextmanager
def secret_text(sandbox: Sandbox, name: str, text: str) -> Iterator[None]:
    manager, before = sandbox.aws.client("secretsmanager"), _secret(sandbox, name)
    manager.put_secret_value(SecretId=f"sandbox/{name}", SecretString=text)
    try:
        yield
    finally:
        manager.put_secret_value(SecretId=f"sandbox/{name}", SecretString=before)


@contextmanager
def secret(sandbox: Sandbox, name: str, **changes: str) -> Iterator[None]:
    fields = {**json.loads(_secret(sandbox, name)), **changes}
    with secret_text(sandbox, name, json.dumps({key: value for key, value in fields.items() if value})):
        yield


@contextmanager
def ring(sandbox: Sandbox, value: dict[str, Any]) -> Iterator[None]:
    manager, arn = sandbox.aws.client("secretsmanager"), sandbox.stack.resources["SigningSecret"].ref
    before = manager.get_secret_value(SecretId=arn)["SecretString"]
    manager.put_secret_value(SecretId=arn, SecretString=json.dumps(value))
    try:
        yield
    finally:
        manager.put_secret_value(SecretId=arn, SecretString=before)


@contextmanager
def netsuite(sandbox: Sandbox, **options: Any) -> Iterator[None]:
    before = {name: getattr(sandbox.netsuite.options, name) for name in options}
    sandbox.netsuite.set_options(**options)
    try:
        yield
    finally:
        sandbox.netsuite.set_options(**before)


@contextmanager
def fault(server: Any, action: Any, path: str = "") -> Iterator[None]:
    server.faults.add(action=action, path=path, times=None)
    try:
        yield
    finally:
        server.faults.clear()


@contextmanager
def having(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def endpoint(sandbox: Sandbox, *endpoints: Endpoint) -> Iterator[None]:
    with having(sandbox.stripe.webhooks, "_endpoints", list(endpoints)):
        yield


@contextmanager
def policies(sandbox: Sandbox, change: Callable[[str], str]) -> Iterator[None]:
    bucket, key = sandbox.stack.outputs["RunsBucketName"], "settlement/policies.toml"
    s3 = sandbox.aws.client("s3")
    before = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    s3.put_object(Bucket=bucket, Key=key, Body=change(before).encode())
    try:
        yield
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=before.encode())


@contextmanager
def no_recovery(sandbox: Sandbox) -> Iterator[None]:
    dynamodb, table = sandbox.aws.client("dynamodb"), sandbox.stack.resources["LedgerTable"].ref

    def recovery(enabled: bool) -> None:
        given = {"PointInTimeRecoveryEnabled": enabled}
        dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=given)

    recovery(False)
    try:
        yield
    finally:
        recovery(True)


@contextmanager
def no_versions(sandbox: Sandbox) -> Iterator[None]:
    s3, bucket = sandbox.aws.client("s3"), sandbox.stack.outputs["RunsBucketName"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    try:
        yield
    finally:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def opens_tracked(sandbox: Sandbox) -> Iterator[None]:
    ((_, _, destination),) = sandbox.deployment.event_destinations
    before = destination["MatchingEventTypes"]
    destination["MatchingEventTypes"] = [*before, "open"]
    try:
        yield
    finally:
        destination["MatchingEventTypes"] = before


def old_certificate(sandbox: Sandbox, days: int) -> str:
    """One of the secret's own key that ended, or ends, so many days from now."""
    from cryptography.hazmat.primitives import serialization

    key: Any = serialization.load_pem_private_key(
        json.loads(_secret(sandbox, "netsuite"))["private_key"].encode(), None
    )
    return certificate_for(key, NOW + timedelta(days=days - 700), 700).decode()


def lacking(permission: str) -> Answer:
    """Stripe's words for a restricted key that may not do something."""
    return stripe_error(
        "The provided key 'rk_test_*********************hidden' does not have the required permissions for this "
        f"endpoint on account 'acct_1SandboxBilling'. Having the '{permission}' permission would allow this request "
        "to continue.",
        403,
    )


def ours(sandbox: Sandbox, **changes: Any) -> Endpoint:
    given = {"url": sandbox.settlement.url, "secrets": tuple(sandbox.webhook_secrets), **changes}
    return Endpoint(**given)


Break = Callable[[Sandbox], Any]
BROKEN: dict[str, tuple[Break, str, str]] = {
    "NetSuite's secret is no JSON": (lambda s: secret_text(s, "netsuite", "oops"), "secret.netsuite", "JSON object"),
    "a field of the login is missing": (
        lambda s: secret(s, "netsuite", client_id=""), "secret.netsuite", "it lacks client_id"),
    "the account is no account id": (
        lambda s: secret(s, "netsuite", account="evil.example/"), "secret.netsuite", "not an account id"),
    "the certificate's mapping is gone": (
        lambda s: secret(s, "netsuite", certificate_id="wiped-by-a-refresh"), "netsuite.login", "invalid_client"),
    "NetSuite is down": (lambda s: fault(s.netsuite, maintenance_fault(), "suiteql"), "netsuite.login", "HTTP 50"),
    "NetSuite gives no answer": (lambda s: fault(s.netsuite, DropBefore(), "token"), "netsuite.login", "again later"),
    "the certificate has ended": (
        lambda s: secret(s, "netsuite", certificate=old_certificate(s, -3)), "netsuite.certificate", "it ended on"),
    "the certificate ends soon": (
        lambda s: secret(s, "netsuite", certificate=old_certificate(s, 20)), "netsuite.certificate", "in 20 days"),
    "another key's certificate": (
        lambda s: secret(s, "netsuite", certificate=s.netsuite.new_credentials(begins=NOW)["certificate"]),
        "netsuite.certificate", 'not that of its "private_key"'),
    "the role may not query": (
        lambda s: netsuite(s, may_query=False), "netsuite.columns", "SuiteAnalytics Workbook (Edit)"),
    "the role does not see items": (
        lambda s: netsuite(s, records_absent=["item"]), "netsuite.columns", "Lists > Items (View)"),
    "the role does not see periods": (
        lambda s: netsuite(s, records_absent=["accountingperiod"]), "netsuite.columns", "Accounting Periods (View)"),
    "a column that no run can do without": (
        lambda s: netsuite(s, columns_absent=["transactionline.kitmemberof"]), "netsuite.columns", "kitmemberof"),
    "the role may not make deposits": (
        lambda s: netsuite(s, may_not=["deposit:POST"]), "netsuite.records", "Deposit (Create)"),
    "Stripe's secret lacks its key": (lambda s: secret(s, "stripe", api_key=""), "secret.stripe", "api_key"),
    "a live key beside test events": (
        lambda s: secret(s, "stripe", api_key="rk_live_0123456789abcdef"), "stripe.key", "StripeEventMode is test"),
    "a publishable key": (lambda s: secret(s, "stripe", api_key="pk_test_0123456789"), "stripe.key", "restricted key"),
    "a key that was rolled": (
        lambda s: having(s.stripe, "api_keys", {"rk_test_new"}), "stripe.permissions", "does not know the key"),
    "the key may not read customers": (
        lambda s: fault(s.stripe, lacking("rak_customer_read"), "^/v1/customers"),
        "stripe.permissions", "Customers: Write (rak_customer_read)"),
    "the key may not read payouts": (
        lambda s: fault(s.stripe, lacking("rak_payout_read"), "^/v1/payouts"), "stripe.permissions", "Payouts: Write"),
    "no webhook endpoint": (endpoint, "stripe.webhook", "no endpoint in test mode"),
    "a disabled webhook endpoint": (
        lambda s: endpoint(s, ours(s, status="disabled")), "stripe.webhook", "disabled in Stripe"),
    "a webhook endpoint of live mode": (
        lambda s: endpoint(s, ours(s, livemode=True)), "stripe.webhook", "no endpoint in test mode"),
    "event types are missing": (
        lambda s: endpoint(s, ours(s, types=("invoice.*", "charge.succeeded"))), "stripe.webhook", "payout.paid"),
    "two endpoints and one secret": (lambda s: endpoint(s, ours(s), ours(s)), "stripe.webhook", "delete the others"),
    "the webhook's secret holds none": (
        lambda s: secret_text(s, "webhook", json.dumps({"signing_secrets": []})), "secret.webhook", "signing_secrets"),
    "Slack's secret lacks its token": (lambda s: secret(s, "slack", bot_token=""), "secret.slack", "bot_token"),
    "the bot was uninstalled": (
        lambda s: fault(s.slack, Refuse("account_inactive"), "auth.test"), "slack.token", "account_inactive"),
    "the bot may not write": (
        lambda s: having(s.slack, "scopes", ("channels:history",)), "slack.scopes", "lacks chat:write"),
    "the bot is not in the channel": (
        lambda s: fault(s.slack, Refuse("not_in_channel"), "history"), "slack.channel", "/invite it"),
    "there is no such channel": (
        lambda s: fault(s.slack, Refuse("channel_not_found"), "history"), "slack.channel", "SlackChannel"),
    "the sender is not verified": (
        lambda s: having(s.ses, "unverified", {"billing@firm.example"}), "mail.sender", "bi***@firm.example"),
    "SES's sandbox, approvers not verified": (
        lambda s: having(s.ses, "production_access", False), "mail.account", "an***@firm.example"),
    "SES's sending is paused": (lambda s: having(s.ses, "sending_enabled", False), "mail.account", "paused"),
    "opens are tracked": (opens_tracked, "mail.tracking", "open"),
    "a redirect domain": (
        lambda s: having(s.ses, "redirect_domain", "track.firm.example"), "mail.tracking", "redirect domain"),
    "a signing key is too short": (
        lambda s: ring(s, {"keys": [{"id": "2026-11", "key": "short"}]}), "links.keys", "shorter than 32"),
    "no signing key": (lambda s: ring(s, {"keys": []}), "links.keys", "holds no key"),
    "a table without recovery": (no_recovery, "aws.tables", "LedgerTable has no point-in-time recovery"),
    "a bucket without versions": (no_versions, "aws.bucket", "turn versioning on"),
    "a policy of another account": (
        lambda s: policies(s, lambda text: re.sub(r'undeposited_funds = "\d+"', 'undeposited_funds = "99"', text)),
        "settlement.policies", "accounts.undeposited_funds = 99 is no account of the account"),
    "a policy file with a misspelt key": (
        lambda s: policies(s, lambda text: "bank_acount = 1\n" + text), "settlement.policies", "bank_acount"),
    "currencies that are exchanged": (
        lambda s: policies(s, lambda text: text.replace("currencies.eur", "currencies.gbp")),
        "settlement.policies", "currencies.gbp.id"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_by_its_one_line(sandbox: Sandbox, name: str) -> None:
    breaking, check, sentence = BROKEN[name]
    with breaking(sandbox):
        answer = sandbox.invoke(EXAMINED, {})
    wrong = [one for one in answer["findings"] if one["verdict"] == "wrong"]
    assert [one["check"] for one in wrong] == [check], "\n".join(answer["lines"])
    assert sentence in wrong[0]["text"]
    assert not answer["ok"]
    unchecked = [one["text"] for one in answer["findings"] if one["verdict"] == "unchecked"]
    assert [text for text in unchecked if not re.fullmatch("correct [a-z.]+ first", text)] == []
    assert not re.search(r"[a-z.]{3,}@firm\.example|rk_test_\w{8}|xoxb-\w", json.dumps(answer))


def test_everything_is_fine_again(sandbox: Sandbox) -> None:
    assert sandbox.invoke(EXAMINED, {})["ok"], "what the tests broke is mended, so each broke one thing"

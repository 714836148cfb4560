"""What AWS, Stripe and Slack say of the set-up, read over their real protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from botocore.exceptions import ClientError

from billing.adapters.aws.secrets import forget
from billing.adapters.aws.setup_reads import MailSetup, bucket_versioning, readable_secret, table_states
from billing.adapters.slack import Slack, slack_client
from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.examination import StripeSetup
from billing.domain.doctor.stripe import Allowed
from billing.domain.errors import PassingError, PersonNeeded
from tests.adapters import aws_world
from tests.played.story import stripe_error
from tests.sandbox.faults import DropBefore
from tests.sandbox.slack import Refuse, SlackServer
from tests.sandbox.stripe import RateLimits, StripeServer
from tests.sandbox.stripe.event_objects import API_VERSION

NOW = 1_780_300_800.0


class Identities:
    """SES with these verified identities; others it does not have."""

    def __init__(self, *verified: str) -> None:
        self.verified, self.asked = verified, list[str]()

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        self.asked.append(EmailIdentity)
        if EmailIdentity in self.verified:
            return {"VerifiedForSendingStatus": True}
        raise ClientError({"Error": {"Code": "NotFoundException", "Message": "none"}}, "GetEmailIdentity")


def test_an_address_is_verified_by_itself_its_domain_or_a_domain_above() -> None:
    for verified in ("billing@mail.firm.example", "mail.firm.example", "firm.example"):
        assert MailSetup(Identities(verified)).is_verified("billing@mail.firm.example")  # type: ignore[arg-type]
    ses = Identities("example", "other.example", "bill@mail.firm.example")
    assert not MailSetup(ses).is_verified("billing@mail.firm.example")  # type: ignore[arg-type]
    assert ses.asked == ["billing@mail.firm.example", "mail.firm.example", "firm.example"]


def test_tables_and_buckets_that_are_gone_are_told_from_those_that_are_there() -> None:
    with aws_world.aws_world() as world:
        states = table_states(world.dynamodb, {"LedgerTable": aws_world.LEDGER, "RunsTable": "no-such-table"})
        assert [(one.name, one.status, one.recoverable) for one in states] == [
            ("LedgerTable", "ACTIVE", False),
            ("RunsTable", "", False),
        ]
        assert bucket_versioning(world.s3, aws_world.BUCKET) == ""
        assert bucket_versioning(world.s3, "no-such-bucket") is None


def test_a_secret_that_is_not_there_is_named_by_its_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws_world.REGION)
    forget()
    with aws_world.aws_world() as world:
        arn = world.secret("doctor", {"api_key": "", "other": 1})
        with pytest.raises(PersonNeeded, match="The secret of StripeSecretArn has no api_key"):
            readable_secret(arn, "StripeSecretArn", ("api_key",))
        with pytest.raises(PersonNeeded, match="StripeSecretArn names no secret"):
            readable_secret(arn.replace("doctor", "doktor"), "StripeSecretArn")
        aws_world.client("secretsmanager").delete_secret(SecretId="doctor")
        forget()
        with pytest.raises(PersonNeeded, match="marked for deletion"):
            readable_secret(arn, "StripeSecretArn")
    forget()


@pytest.fixture
def stripe_server() -> Iterator[StripeServer]:
    with StripeServer(lambda: NOW, rate_limits=RateLimits.off()) as running:
        yield running


def setup_of(server: StripeServer) -> StripeSetup:
    return StripeSetup(stripe_client("rk_test_sandbox", server.url), Caller(lambda _: None, lambda: 0.0, share=0))


def test_stripe_is_asked_by_reads_of_one_object_each(stripe_server: StripeServer) -> None:
    found = setup_of(stripe_server).reads(settles=True)
    assert {one.allowed for one in found} == {Allowed.YES}
    assert {call.method for call in stripe_server.calls} == {"GET"}
    assert len(found) == len(stripe_server.calls)
    assert setup_of(stripe_server).versions() == (API_VERSION, API_VERSION) == (sdk.api_version, API_VERSION)


def test_what_the_key_lacks_is_named_as_stripe_names_it(stripe_server: StripeServer) -> None:
    lacking = stripe_error("The key needs more. Having the 'rak_webhook_read' permission would allow this.", 403)
    stripe_server.faults.add(action=lacking, path="webhook_endpoints", times=None)
    assert setup_of(stripe_server).webhooks() is None
    stripe_server.faults.clear()
    assert setup_of(stripe_server).webhooks() == []
    stripe_server.faults.add(action=lacking, path="/v1/invoices", times=None)
    assert [(one.endpoint, one.named) for one in setup_of(stripe_server).reads(False) if one.allowed is Allowed.NO] == [
        ("invoices", "rak_webhook_read")
    ]


@pytest.mark.usefixtures("no_sdk_pauses")
def test_stripe_that_gives_no_answer_is_no_missing_permission(stripe_server: StripeServer) -> None:
    stripe_server.faults.add(action=DropBefore(), times=None)
    with pytest.raises(PassingError):
        setup_of(stripe_server).reads(settles=False)


def test_slack_tells_the_team_and_the_scopes_or_why_it_does_not() -> None:
    with SlackServer(lambda: NOW, scopes=("chat:write",)) as server:
        bot = Slack(slack_client("xoxb-1", f"{server.url}/api"), "C0BILLING1")
        assert (bot.identity().team, bot.identity().scopes) == ("Sandbox", frozenset({"chat:write"}))
        assert bot.why_hidden() == "missing_scope"
        server.scopes = ("chat:write", "groups:history")
        assert bot.why_hidden() == ""
        assert Slack(bot.client, "C0PRIVATE1").why_hidden() == "not_in_channel"
        assert Slack(bot.client, "C0UNKNOWN1").why_hidden() == "channel_not_found"
        server.tokens = {"xoxb-new"}
        assert bot.identity().refused == "invalid_auth"
        server.faults.add(action=Refuse("internal_error"), times=None)
        for ask in (bot.identity, bot.why_hidden):
            with pytest.raises(PassingError):
                ask()
        assert server.posts == []

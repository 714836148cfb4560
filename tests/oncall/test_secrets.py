"""Every secret is rotated while one run waits: the stack refuses what will not do, the run goes on, and the old link
opens until it has ended. The stand-ins take the new credentials only. No value is shown anywhere.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import requests

from billing.runtime import examination
from tests.docs.repository import README, RUNBOOK
from tests.oncall.spoken import Spoken, typed
from tests.played.firm import firm, only, order
from tests.played.story import SECONDS, deployed
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox.stripe import StripeServer

STRIPE, SLACK = f"rk_test_{'n' * 30}", f"xoxb-new-{'n' * 20}"
WEBHOOK = f"whsec_{'n' * 30}"


@dataclass
class Rotated:
    """What was said at each step, and what of the world was seen between them."""

    sandbox: Sandbox
    said: dict[str, Spoken] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)

    def put(self, name: str, line: str, values: dict[str, str] | None = None) -> Spoken:
        self.values += [value for key, value in (values or {}).items() if key not in ("account", "algorithm")]
        self.said[name] = typed(line, answers=json.dumps(values) if values else "")
        return self.said[name]

    def secret(self, name: str) -> Any:
        client = self.sandbox.aws.client("secretsmanager")
        arn = self.sandbox.stack.parameters.get(name) or self.sandbox.stack.resources[name].ref
        return json.loads(client.get_secret_value(SecretId=arn)["SecretString"])


@pytest.fixture(scope="module")
def rotated() -> Iterator[Rotated]:
    with (
        deployed(firm([order(1)]), parameters={"Settlement": "on"}) as sandbox,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in {**sandbox.aws.environment(), "ONCALL_STACK": "month-end"}.items():
            patched.setenv(name, value)
        patched.setattr("oncall.commands.secrets._now", sandbox.now)
        yield _played(Rotated(sandbox))


def _played(one: Rotated) -> Rotated:
    sandbox = one.sandbox
    run = sandbox.start(only(1))
    mail = sandbox.wait_for_approval(run, SECONDS)[0]
    (link, *_) = sandbox.asking_links(mail)

    before = {name: one.secret(name) for name in ("NetSuiteSecretArn", "StripeSecretArn", "SlackSecretArn")}
    one.seen["before"] = before
    fresh = NetSuiteServer.new_credentials(account=sandbox.netsuite.account, begins=sandbox.now())
    asked = {name: fresh[name] for name in ("client_id", "certificate_id", "private_key", "certificate", "algorithm")}

    sandbox.slack.tokens = {before["SlackSecretArn"]["bot_token"], SLACK}
    one.put("unknown token", "secrets put slack --yes", {"bot_token": "xoxb-nobodys-token"})
    one.put("unknown mapping", "secrets put netsuite --yes", asked)
    one.put("not a token", "secrets put slack --yes", {"bot_token": "hunter2-hunter2"})
    one.put("another field", "secrets put stripe --yes", {"apikey": "rk_test_hidden"})
    one.put("nobody answers", "secrets put stripe", {"api_key": STRIPE})
    one.seen["after refusals"] = {name: one.secret(name) for name in before}

    sandbox.netsuite.register(fresh)
    one.put("netsuite", "secrets put netsuite --yes", asked)
    one.put("stripe", "secrets put stripe --yes --json", {"api_key": STRIPE})
    one.put("slack", "secrets put slack --yes", {"bot_token": SLACK})
    one.put("webhook", "secrets put webhook --yes", {"signing_secret": WEBHOOK})
    one.put("links begun", "secrets rotate-links --yes")
    one.put("links too early", "secrets rotate-links --yes")
    one.put("retired too early", "secrets retire-links --yes")
    sandbox.clock.advance(timedelta(minutes=11))
    one.put("links", "secrets rotate-links --yes")
    one.put("retired before their time", "secrets retire-links --yes")
    sandbox.clock.advance(timedelta(minutes=11))

    # Outside, the old ones end now: whoever still used one would be refused.
    sandbox.netsuite.revoke_credentials()
    sandbox.netsuite.register(fresh)
    sandbox.stripe.api_keys = {STRIPE}
    sandbox.slack.tokens = {SLACK}
    one.seen["page"] = requests.get(link, timeout=60).status_code
    one.seen["inside"] = typed("run " + run.name)
    sandbox.answer(link, "approve")
    one.seen["result"] = sandbox.wait_for_end(run, SECONDS)
    one.seen["drafts"] = [invoice for invoice in sandbox.stripe.invoices() if invoice["status"] == "draft"]
    one.seen["posts"] = len(sandbox.posts())
    one.put("leaked", "secrets retire-links --leaked --yes")
    sandbox.clock.advance(timedelta(minutes=6))
    one.seen["page after"] = requests.get(link, timeout=60).status_code
    return one


def test_the_run_that_waited_goes_on_with_the_new_credentials_and_its_old_link(rotated: Rotated) -> None:
    assert rotated.seen["page"] == 200
    result = rotated.seen["result"]
    assert (result.status, result.error) == ("SUCCEEDED", None), result.cause
    assert len(rotated.seen["drafts"]) == 1
    assert rotated.seen["posts"] >= 2, "the announcement before and the summary after"


@pytest.mark.parametrize("name", ["netsuite", "stripe", "slack", "webhook", "links begun", "links"])
def test_each_rotation_says_what_it_will_do_and_is_examined_by_the_stack(rotated: Rotated, name: str) -> None:
    spoken = rotated.said[name]
    assert spoken.code == 0, spoken
    assert spoken.err, "what it will do"
    if name == "stripe":
        assert [one["check"] for one in spoken.json["findings"]][:2] == ["secret.stripe", "stripe.key"]
    else:
        assert "Every function reads it within five minutes" in spoken.out


def test_a_kept_field_keeps_its_value_and_a_webhook_keeps_its_other_secrets(rotated: Rotated) -> None:
    netsuite = rotated.secret("NetSuiteSecretArn")
    assert netsuite["account"] == rotated.seen["before"]["NetSuiteSecretArn"]["account"]
    assert netsuite["certificate_id"] != rotated.seen["before"]["NetSuiteSecretArn"]["certificate_id"]
    assert rotated.secret("StripeWebhookSecretArn") == {"signing_secrets": [WEBHOOK, *rotated.sandbox.webhook_secrets]}


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("unknown token", 4, "slack.token: Slack refuses bot_token (invalid_auth)"),
        ("unknown mapping", 4, "netsuite.login: NetSuite refused the OAuth 2.0 login"),
        ("not a token", 2, "bot_token does not begin with xoxb-"),
        ("another field", 2, "known are api_key"),
        ("nobody answers", 4, "Nothing was done."),
        ("links too early", 4, "a process may not know it yet"),
        ("retired too early", 4, "is not finished"),
        ("retired before their time", 4, "--leaked"),
    ],
)
def test_what_will_not_do_is_refused_by_its_reason(rotated: Rotated, name: str, code: int, said: str) -> None:
    spoken = rotated.said[name]
    assert (spoken.code, said in spoken.err) == (code, True), spoken


def test_what_was_refused_changed_nothing(rotated: Rotated) -> None:
    assert rotated.seen["after refusals"] == rotated.seen["before"]
    client = rotated.sandbox.aws.client("secretsmanager")
    for name in ("NetSuiteSecretArn", "StripeSecretArn", "SlackSecretArn", "StripeWebhookSecretArn"):
        described = client.describe_secret(SecretId=rotated.sandbox.stack.parameters[name])
        stages = [stage for each in described["VersionIdsToStages"].values() for stage in each]
        assert "AWSPENDING" not in stages, "no value that was refused is left to be read"


def test_a_key_that_leaked_is_taken_away_and_its_links_are_void(rotated: Rotated) -> None:
    assert rotated.said["leaked"].code == 0
    assert len(rotated.secret("SigningSecret")["keys"]) == 1
    assert rotated.secret("SigningSecret")["first"] == ""
    assert rotated.seen["page after"] == 404


def test_no_value_is_shown_logged_or_in_an_execution(rotated: Rotated) -> None:
    sandbox = rotated.sandbox
    told = "".join(one.out + one.err for one in rotated.said.values())
    told += "".join(line for _, line in sandbox.logs()) + json.dumps(sandbox.dump().decode("utf-8", "replace"))
    keys = [one["key"] for one in rotated.secret("SigningSecret")["keys"]]
    assert len(rotated.values) >= 9
    for value in (*rotated.values, *keys):
        assert value not in told
        assert value.strip().splitlines()[-1][:30] not in told or value.startswith("-----BEGIN ")


class Screen(io.StringIO):
    """A terminal at which a person sits."""

    def isatty(self) -> bool:
        return True


def test_a_person_is_asked_without_an_echo_and_a_key_by_its_path(
    rotated: Rotated, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    hidden: list[str] = []
    fresh = NetSuiteServer.new_credentials(account=rotated.sandbox.netsuite.account, begins=rotated.sandbox.now())
    rotated.sandbox.netsuite.register(fresh)
    (tmp_path / "key.pem").write_text(fresh["private_key"])
    (tmp_path / "certificate.pem").write_text(fresh["certificate"])

    def unseen(question: str) -> str:
        hidden.append(question)
        return fresh["client_id"] if "Client id" in question else fresh["certificate_id"]

    monkeypatch.setattr("click.termui.hidden_prompt_func", unseen)
    monkeypatch.setattr("tests.oncall.spoken.io.StringIO", Screen)
    spoken = typed("secrets put netsuite --yes", answers=f"\n{tmp_path}/key.pem\n{tmp_path}/certificate.pem\nES256\n")
    assert spoken.code == 0, spoken
    assert ["Client id" in hidden[0], "Certificate id" in hidden[1], len(hidden)] == [True, True, 2]
    for value in (fresh["client_id"], fresh["certificate_id"], fresh["private_key"]):
        assert value not in spoken.out + spoken.err
    assert rotated.secret("NetSuiteSecretArn") == fresh


def test_before_there_is_a_stack_a_value_is_tried_from_here_and_its_arn_is_said(
    rotated: Rotated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "env", examination.env)  # put back afterwards
    world = load_world("tiny")
    good = NetSuiteServer.new_credentials(account=world.account)
    unknown = NetSuiteServer.new_credentials(account=world.account)
    with NetSuiteServer(world, time.time, good) as netsuite, StripeServer(api_keys={STRIPE}) as stripe:
        asked = f"--api-url {netsuite.url} --yes"
        refused = typed(f"secrets create netsuite --name first/netsuite {asked}", answers=json.dumps(unknown))
        stored = typed(f"secrets create netsuite --name first/netsuite {asked}", answers=json.dumps(good))
        again = typed(f"secrets create netsuite --name first/netsuite {asked}", answers=json.dumps(good))
        key = typed(
            f"secrets create stripe --name first/stripe --api-url {stripe.url} --yes --json",
            answers=json.dumps({"api_key": STRIPE}),
        )
        wrong = typed(
            f"secrets create stripe --name first/wrong --api-url {stripe.url} --yes",
            answers=json.dumps({"api_key": STRIPE.replace("n", "m")}),
        )
    assert (refused.code, "netsuite.login: NetSuite refused" in refused.err) == (4, True), refused
    assert (stored.code, ":secret:first/netsuite-" in stored.out) == (0, True), stored
    assert (again.code, "already" in again.err) == (4, True), again
    assert (key.code, ":secret:first/stripe-" in key.json["secret"]) == (0, True), key
    assert (wrong.code, "stripe.permissions" in wrong.err) == (4, True), wrong
    client = rotated.sandbox.aws.client("secretsmanager")
    assert json.loads(client.get_secret_value(SecretId="first/netsuite")["SecretString"]) == good
    names = {one["Name"] for one in client.list_secrets()["SecretList"]}
    assert "first/wrong" not in names
    for value in (STRIPE, good["client_id"], unknown["client_id"]):
        assert value not in "".join(one.out + one.err for one in (refused, stored, again, key, wrong))


def test_the_documents_name_these_commands() -> None:
    text = README.read_text(encoding="utf-8") + RUNBOOK.read_text(encoding="utf-8")
    for command in ("secrets put netsuite", "secrets put stripe", "secrets put slack", "secrets put webhook",
                    "secrets rotate-links", "secrets retire-links"):  # fmt: skip
        assert f"oncall {command}" in text
    for service in ("netsuite", "stripe", "slack"):
        assert f"secrets create {service} --name month-end-billing/{service}" in text

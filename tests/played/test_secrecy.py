"""What must not be readable by whoever may read logs and histories: people, money, tokens, links, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.played.firm import ANN, BOB, OWNER, PERIOD, client, firm, order, work
from tests.played.story import SECONDS, deployed, posted, stripe_error
from tests.sandbox import Mail, Run, Sandbox
from tests.sandbox.aws.world import STACK_NAME

SENDER = "billing@firm.example"
REASON = "Ms Quillfeather has not released these hours."
AMOUNTS = ("913.57", "91357", "1,827.14", "1827.14", "182714", "7,771.13", "7771.13", "777113")


@dataclass(frozen=True)
class Evidence:
    """Everything that was written down, by where."""

    sandbox: Sandbox
    texts: dict[str, str]
    mails: list[Mail]
    tokens: list[str]


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    orders = [
        order(1, work("2", "913.57", "Quarterly secret planning")),
        order(2, work("1", "7771.13")),
        order(3, work("1", "10.00"), customer=3),
        {**order(4, work("1", "7771.13")), "total": "913.57"},
    ]
    with deployed(firm(orders, [client(3, email=None)]), parameters={"LogLevel": "DEBUG"}) as sandbox:
        sandbox.stripe.faults.add(
            method="POST",
            path="^/v1/customers$",
            body="payables2%40",
            times=None,
            action=stripe_error(
                "Invalid email address: payables2@zephyrine.example for 7,771.13", code="email_invalid"
            ),
        )
        mails: list[Mail] = []
        runs: list[Run] = []
        for decision, typed in (("reject", {"reason": REASON, "number": "2"}), ("approve", {"invoices": "2"})):
            run = sandbox.start({"period": PERIOD})
            asked = sandbox.wait_for_approval(run, SECONDS)
            link = sandbox.page_links(asked[0])[0]
            sandbox.person().open(f"{link}?q=Zephyrine")
            sandbox.person().open(f"{link}x")
            posted(sandbox, link, decision, {"invoices": "99"})
            posted(sandbox, link, decision, typed)
            assert sandbox.wait_for_end(run, SECONDS).status == "FAILED"
            mails += asked
            runs.append(run)
        yield Evidence(sandbox, _texts(sandbox, runs), mails, _tokens(sandbox, runs))


def _tokens(sandbox: Sandbox, runs: list[Run]) -> list[str]:
    scheduled = [event.get("taskScheduledEventDetails", {}) for run in runs for event in sandbox.history(run)]
    payloads = [json.loads(details["parameters"])["Payload"] for details in scheduled if details]
    return [payload["taskToken"] for payload in payloads if "taskToken" in payload]


def _texts(sandbox: Sandbox, runs: list[Run]) -> dict[str, str]:
    texts = {f"log of {name}": "" for name in sandbox.stack.of_type("AWS::Lambda::Function")}
    for name, line in sandbox.logs():
        texts[f"log of {name}"] += line + "\n"
    for place, run in enumerate(runs):
        events = [_without_token(event) for event in sandbox.history(run)]
        texts[f"history {place}"] = json.dumps(events, default=str, ensure_ascii=False)
        texts[f"children {place}"] = json.dumps(
            [[child.input, child.output, child.error, child.cause, child.events] for child in sandbox.children(run)],
            default=str,
            ensure_ascii=False,
        )
    logs = sandbox.aws.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        found = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        texts[f"group {group['logGroupName']}"] = "\n".join(event["message"] for event in found)
    return texts


def _without_token(event: dict[str, Any]) -> dict[str, Any]:
    """The token of a wait is inherent in the event by which Step Functions hands it over, and in no other."""
    if "taskScheduledEventDetails" not in event:
        return event
    details = json.loads(event["taskScheduledEventDetails"]["parameters"])
    details["Payload"].pop("taskToken", None)
    return {**event, "taskScheduledEventDetails": details}


def _found(evidence: Evidence, words: list[str]) -> list[tuple[str, str]]:
    return [(where, word) for where, text in evidence.texts.items() for word in words if word and word in text]


def test_there_is_something_to_read(evidence: Evidence) -> None:
    assert len(evidence.tokens) == 2
    for where in ("log of DraftTheInvoiceFunction", "log of ApprovalPageFunction", "history 1", "children 1"):
        assert len(evidence.texts[where]) > 200, where
    access = [text for where, text in evidence.texts.items() if "ccess" in where]
    assert any("POST /approvals/{link}" in text for text in access), list(evidence.texts)


def test_no_address_of_a_person_is_in_any_log_or_history(evidence: Evidence) -> None:
    addresses = [
        ANN,
        BOB,
        OWNER,
        SENDER,
        *(f"payables{place}@zephyrine.example" for place in (1, 2, 4)),
        "zephyrine.example",
    ]
    assert _found(evidence, addresses) == []


def test_no_client_and_no_description_is_in_any_log_or_history(evidence: Evidence) -> None:
    assert _found(evidence, ["Zephyrine", "secret planning", "Quillfeather"]) == []


def test_no_amount_is_in_any_log_or_history(evidence: Evidence) -> None:
    assert _found(evidence, list(AMOUNTS)) == []


def test_no_task_token_is_anywhere_but_in_the_event_that_hands_it_over(evidence: Evidence) -> None:
    assert _found(evidence, evidence.tokens) == []


def test_no_signed_link_is_in_any_log_or_history_and_no_token_in_any_link(evidence: Evidence) -> None:
    links = [link for mail in evidence.mails for link in evidence.sandbox.page_links(mail)]
    assert len(set(links)) == 8, "to decide, and to the inbox"
    assert _found(evidence, [link.rpartition("/")[2] for link in links]) == []
    assert not [link for link in links for token in evidence.tokens if token in link]


def test_no_secret_is_in_any_log_or_history(evidence: Evidence) -> None:
    client_ = evidence.sandbox.aws.client("secretsmanager")
    values: list[str] = []
    for listed in client_.list_secrets()["SecretList"]:
        text = client_.get_secret_value(SecretId=listed["ARN"])["SecretString"]
        found = json.loads(text) if text.startswith("{") else {"": text}
        values += [str(value) for value in found.values() if len(str(value)) > 15]
    assert len(values) >= 4
    assert _found(evidence, values + [value[:24] for value in values if "KEY" not in value]) == []


def test_the_run_is_named_in_every_line_of_our_own_that_a_states_function_logs(evidence: Evidence) -> None:
    lines = [json.loads(line) for name, line in evidence.sandbox.logs() if line.startswith('{"level"')]
    ours = [line for line in lines if line.get("service") == STACK_NAME and "request_id" in line]
    assert ours
    assert all(line["run_id"] for line in ours)

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.sandbox.faults import DropAfter
from tests.sandbox.slack import Refuse, SlackServer

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*36* drafted"}}
METADATA = {"event_type": "billing_run", "event_payload": {"run": "2026-05"}}


def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    error: str = caught.value.response["error"]
    return error


def test_the_bot_knows_who_it_is(client: WebClient) -> None:
    assert client.auth_test()["bot_id"] == "B0BILLING1"


def test_a_message_is_kept_with_its_blocks_and_metadata(server: SlackServer, client: WebClient) -> None:
    answer = client.chat_postMessage(channel="#billing", text="done", blocks=[SECTION], metadata=METADATA)
    assert (answer["ok"], answer["channel"], answer["message"]["text"]) == (True, "C0BILLING1", "done")
    (post,) = server.posts
    assert (post.channel_name, post.text, post.blocks, post.metadata) == ("billing", "done", [SECTION], METADATA)
    assert post.ts == answer["ts"]


def test_form_and_json_post_the_same(server: SlackServer) -> None:
    headers = {"Authorization": "Bearer xoxb-a"}
    url = f"{server.url}/api/chat.postMessage"
    body = {"channel": "C0BILLING1", "text": "t"}
    form = {**body, "blocks": json.dumps([SECTION]), "metadata": json.dumps(METADATA)}
    assert requests.post(url, data=form, headers=headers, timeout=5).json()["ok"]
    whole = {**body, "blocks": [SECTION], "metadata": METADATA}
    assert requests.post(url, json=whole, headers=headers, timeout=5).json()["ok"]
    first, second = server.posts
    assert (first.text, first.blocks, first.metadata) == (second.text, second.blocks, second.metadata)


def test_history_is_newest_first_and_shows_metadata_on_demand(server: SlackServer, client: WebClient) -> None:
    sent = [client.chat_postMessage(channel="C0BILLING1", text=str(n), metadata=METADATA)["ts"] for n in range(5)]
    plain = client.conversations_history(channel="C0BILLING1")["messages"]
    assert [message["ts"] for message in plain] == sent[::-1]
    assert "metadata" not in plain[0]
    whole = client.conversations_history(channel="C0BILLING1", include_all_metadata=True, oldest=sent[1], limit=2)
    assert [message["ts"] for message in whole["messages"]] == [sent[4], sent[3]]
    assert whole["messages"][0]["metadata"] == METADATA
    following = client.conversations_history(
        channel="C0BILLING1", oldest=sent[1], limit=2, cursor=whole["response_metadata"]["next_cursor"]
    )
    assert ([message["ts"] for message in following["messages"]], following["has_more"]) == ([sent[2]], False)
    inclusive = client.conversations_history(channel="C0BILLING1", oldest=sent[4], inclusive=True)["messages"]
    assert [message["ts"] for message in inclusive] == [sent[4]]


@pytest.mark.parametrize(
    ("token", "error"), [("xoxp-user", "invalid_auth"), ("nonsense", "invalid_auth"), ("", "not_authed")]
)
def test_only_a_bot_token_is_let_in(server: SlackServer, token: str, error: str) -> None:
    client = WebClient(token=token, base_url=f"{server.url}/api/")
    assert refused(lambda: client.chat_postMessage(channel="C0BILLING1", text="t")) == error
    assert server.posts == []


def section(characters: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * characters}}


HEADER_OF_MARKUP = {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}
LARGE = {"event_type": "x", "event_payload": {"a": "b" * 9000}}


@pytest.mark.filterwarnings("ignore:The top-level `text` argument")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "t"}, "channel_not_found"),
        ({"channel": "not-invited", "text": "t"}, "not_in_channel"),
        ({"channel": "archived", "text": "t"}, "is_archived"),
        ({"channel": "billing"}, "no_text"),
        ({"channel": "billing", "text": "t" * 40_001}, "msg_too_long"),
        ({"channel": "billing", "text": "t", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"channel": "billing", "text": "t", "blocks": [{"type": "sektion"}]}, "invalid_blocks"),
        ({"channel": "billing", "text": "t", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"channel": "billing", "text": "t", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": "billing", "text": "t", "blocks": [section(3001)]}, "invalid_blocks"),
        ({"channel": "billing", "text": "t", "blocks": [section(3000)] * 5}, "msg_blocks_too_long"),
        ({"channel": "billing", "text": "t", "blocks": [HEADER_OF_MARKUP]}, "invalid_blocks"),
        ({"channel": "billing", "text": "t", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": "billing", "text": "t", "metadata": LARGE}, "metadata_too_large"),
        ({"channel": "billing", "text": "t", "colour": "red"}, "invalid_arguments"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_message_is_refused_and_not_posted(
    server: SlackServer, client: WebClient, arguments: Any, error: str
) -> None:
    for _ in range(2):
        assert refused(lambda: client.chat_postMessage(**arguments)) == error
    assert server.posts == []


def test_what_is_wrong_with_a_block_is_pointed_at(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="billing", text="t", blocks=[SECTION, {**SECTION, "colour": "red"}])
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] additional property: colour [json-pointer:/blocks/1]"]


def test_fifty_blocks_and_3000_characters_are_taken(server: SlackServer, client: WebClient) -> None:
    client.chat_postMessage(channel="billing", text="t", blocks=[SECTION] * 50)
    client.chat_postMessage(channel="billing", text="t", blocks=[section(3000)])
    assert len(server.posts) == 2


def test_a_second_message_within_a_second_is_limited_where_that_is_on() -> None:
    with SlackServer(rate_limited=True) as server:
        client = WebClient(token="xoxb-a", base_url=f"{server.url}/api/")
        answers = []
        for _ in range(3):
            try:
                client.chat_postMessage(channel="billing", text="t")
                answers.append("ok")
            except SlackApiError as error:
                limited = error.response.status_code == 429 and error.response.headers["Retry-After"] == "1"
                answers.append(error.response["error"] if limited else "?")
        assert answers[0] == "ok"
        assert "ratelimited" in answers
        assert len(server.posts) == answers.count("ok")


def test_scripted_faults_refuse_or_lose_the_answer(server: SlackServer, client: WebClient) -> None:
    server.faults.add(path="chat.postMessage", action=Refuse("fatal_error"), times=2)
    for _ in range(2):
        assert refused(lambda: client.chat_postMessage(channel="billing", text="t")) == "fatal_error"
    server.faults.add(path="chat.postMessage", action=DropAfter())
    client.chat_postMessage(channel="billing", text="t")  # the SDK's own retry posts it again
    assert len(server.posts) == 2
    server.reset()
    assert (server.posts, server.calls, server.dump()) == ([], [], b"[]")


def test_unknown_methods_and_bodies_are_told(server: SlackServer) -> None:
    headers = {"Authorization": "Bearer xoxb-a", "Content-Type": "application/json"}
    for path, body, error in (
        ("chat.shout", b"{}", "unknown_method"),
        ("chat.postMessage", b"{", "invalid_json"),
        ("chat.postMessage", b"[]", "json_not_object"),
    ):
        answer = requests.post(f"{server.url}/api/{path}", data=body, headers=headers, timeout=5)
        assert answer.json() == {"ok": False, "error": error}

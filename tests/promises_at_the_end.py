"""Every sandbox that a test opens is looked at when it closes: were the six promises kept in it?

What is looked at is read from outside the product: Stripe's and NetSuite's stand-ins, the executions, the mails and
posts, the votes in the table and every version of every page that they were about. A test that breaks a promise on
purpose says so: `sandbox.breaks["I3"] = "why"`, with as much of the sentence's beginning as tells it from others; what
is excused and did not happen fails as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from tests.histories.promises import Evidence, RunEnded, Settled, Signed, broken_promises, signed_on
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import Run

GIVES_WAY = "Another run holds the period"
NOT_YET = {
    "test_approval_page_browser",
    "test_asked_anew",
    "test_call_counts",
    "test_closing_notices",
    "test_every_permission_is_used",
    "test_full_pages",
    "test_how_it_went_on",
    "test_in_a_browser",
    "test_killed_after_a_call",
    "test_killed_before_a_call",
    "test_killed_while_answering",
    "test_log_level",
    "test_lost_mail_needs_the_template",
    "test_on_call",
    "test_replay",
    "test_secrecy",
    "test_settled_money",
    "test_settled_orders",
    "test_settlement_goes_on",
    "test_settlement_intake",
    "test_the_books_agree",
    "test_the_setup_is_examined",
    "test_token_based_login",
    "test_two_cycles",
}
"""Modules whose worlds are not looked at yet: what they break on purpose has to be written down first."""


@pytest.fixture(scope="module", autouse=True)
def promises_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Import it into a conftest: what its tests open is looked at."""
    if request.module.__name__.rpartition(".")[2] in NOT_YET:
        yield
        return
    with every_sandbox_looked_at():
        yield


@contextmanager
def every_sandbox_looked_at() -> Iterator[None]:
    before, Sandbox.at_the_end = Sandbox.at_the_end, staticmethod(keeps_its_promises)
    try:
        yield
    finally:
        Sandbox.at_the_end = before


def keeps_its_promises(sandbox: Sandbox) -> None:
    """AssertionError with a sentence for each promise that was broken without an excuse, or excused without need."""
    found = broken_promises(evidence_of(sandbox))
    unexcused = [one for one in found if not any(one.startswith(excuse) for excuse in sandbox.breaks)]
    unneeded = [excuse for excuse in sandbox.breaks if not any(one.startswith(excuse) for one in found)]
    assert not unexcused, "\n".join(unexcused)
    assert not unneeded, f"nothing of this was broken: {unneeded}"


def evidence_of(sandbox: Sandbox) -> Evidence:
    """What lies in a sandbox now."""
    runs = [Run(one["executionArn"], one["name"], 0) for one in _executions(sandbox)]
    objects, texts = sandbox.objects(), _texts(sandbox)
    return Evidence(
        invoices=[dict(one) for one in sandbox.stripe.invoices()],
        signed=_signed(sandbox),
        settled=_settled(sandbox) if sandbox.stack.parameters.get("Settlement") == "on" else None,
        runs=[ended for run in runs if (ended := _ended(sandbox, run, objects, texts)) is not None],
    )


def _settled(sandbox: Sandbox) -> Settled:
    kinds = ("invoice", "creditMemo", "customerPayment", "customerRefund", "deposit")
    records = [{**one, "recordType": kind} for kind in kinds for one in sandbox.netsuite.records(kind)]
    bells = sandbox.settlement.bells()
    return Settled(
        [one for one in records if one.get("externalId")],
        frozenset(root for root, row in bells.items() if row.get("list")),
        frozenset(bells),
    )


def _executions(sandbox: Sandbox) -> list[dict[str, Any]]:
    pages = sandbox.aws.client("stepfunctions").get_paginator("list_executions")
    return [one for page in pages.paginate(stateMachineArn=sandbox.state_machine_arn) for one in page["executions"]]


def _ended(sandbox: Sandbox, run: Run, objects: Mapping[str, bytes], texts: Sequence[str]) -> RunEnded | None:
    """None of one that a person stopped, that is still at work, or that gave way to another."""
    status = sandbox.result(run).status
    if status in ("ABORTED", "RUNNING") or sandbox.states(run)[-1].name == GIVES_WAY:
        return None
    closed = sandbox.closed(run)
    key = (closed or {}).get("reportKey")
    report = json.loads(objects[key]) if key in objects else None
    told = [text for text in texts if run.name in text]
    return RunEnded(run.name, status, report, _listed(report, objects), tuple(told))


def _listed(report: dict[str, Any] | None, objects: Mapping[str, bytes]) -> tuple[str, ...]:
    """The ids of the orders in the run's snapshot of NetSuite."""
    snapshot = objects.get(f"{report['run']['prefix']}orders.json") if report else None
    if snapshot is None:
        return ()
    listing = json.loads(snapshot)
    columns = listing.get("columns", ())  # none, where a test altered it
    return tuple(sorted({row[columns.index("id")] for row in listing["rows"]} - {None})) if "id" in columns else ()


def _texts(sandbox: Sandbox) -> list[str]:
    """A post whose line names no run bears it in its metadata."""
    posts = [json.dumps([post.text, post.blocks, post.metadata], ensure_ascii=False) for post in sandbox.slack.posts]
    return posts + [f"{mail.text} {mail.html}" for mail in sandbox.mails()]


def _signed(sandbox: Sandbox) -> dict[str, Signed]:
    """What people approved: of each vote in a request that ended as approved, the version of the page that it names,
    less what was held back when it was given."""
    pages = _pages(sandbox)
    requests: dict[str, dict[str, Any]] = {}
    for row in sandbox.tables()["ApprovalsTable"]:
        requests.setdefault(str(row["pk"]), {})[str(row["sk"])] = row
    found: dict[str, Signed] = {}
    for rows in requests.values():
        if rows.get("OUTCOME", {}).get("outcome") != "approved":
            continue
        holds = _holds(rows)
        for vote in [_payload(row["signed"]) for key, row in rows.items() if key.startswith("VOTE#")]:
            for sha256, page in pages.items():
                for held in holds if vote["answer"] == "approve" else []:
                    if vote["batch_sha256"] == _hash_of_request(sha256, held):
                        found.update(signed_on(page, sha256, held))
    return found


def _holds(rows: Mapping[str, Any]) -> list[frozenset[str]]:
    """The plans that were held back, after each entry of a request in turn."""
    found = [frozenset[str]()]
    for _, row in sorted(one for one in rows.items() if one[0].startswith("ENTRY#")):
        entry = _payload(row["signed"])["entry"]
        plans = frozenset(entry.get("plans", ()))
        found.append(found[-1] | plans if entry["kind"] == "hold" else found[-1] - plans)
    return found


def _hash_of_request(sha256: str, held: Iterable[str]) -> str:
    """What a person signs: the page's own hash, and where plans are held back a hash over it and them."""
    keys = sorted(held)
    return hashlib.sha256(json.dumps([sha256, keys], separators=(",", ":")).encode()).hexdigest() if keys else sha256


def _payload(text: str) -> dict[str, Any]:
    return dict(URLSafeSerializer("").loads_unsafe(text)[1])


def _pages(sandbox: Sandbox) -> dict[str, bytes]:
    """Every version of every batch.json, by its hash."""
    client = sandbox.aws.client("s3")
    bucket = sandbox.stack.resources["RunsBucket"].ref
    found: dict[str, bytes] = {}
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="runs/"):
        for one in page.get("Versions", []):
            if one["Key"].endswith("/batch.json"):
                answer = client.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
                body = answer["Body"].read()
                found[hashlib.sha256(body).hexdigest()] = body
    return found

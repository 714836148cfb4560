"""Whatever breaks a promise in a sandbox is seen when it closes; and what is excused must have happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.histories.promises import broken_promises
from tests.played.firm import firm, only, order
from tests.played.story import billed, deployed
from tests.promises_at_the_end import every_sandbox_looked_at, evidence_of, keeps_its_promises
from tests.sandbox import Run, Sandbox


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Sandbox, Run]]:
    with deployed(firm([order(1), order(2)])) as sandbox:
        run, result = billed(sandbox, only(1, 2))
        assert result.status == "SUCCEEDED"
        yield sandbox, run


def test_a_run_that_went_well_breaks_none_and_all_of_it_was_looked_at(played: tuple[Sandbox, Run]) -> None:
    sandbox, run = played
    evidence = evidence_of(sandbox)
    assert broken_promises(evidence) == []
    assert (len(evidence.invoices), len(evidence.signed)) == (2, 2)
    (ended,) = evidence.runs
    assert (ended.name, ended.status, (ended.report or {})["listed"]) == (run.name, "SUCCEEDED", 2)
    assert len(ended.listed) == 2
    assert len(ended.told) >= 2, "Slack and an owner"


def test_what_is_broken_in_a_sandbox_is_named(played: tuple[Sandbox, Run]) -> None:
    sandbox, run = played

    def broken() -> list[str]:
        return [one.partition(":")[0] for one in broken_promises(evidence_of(sandbox))]

    # I1: somebody copies a draft, metadata and all.
    first = sandbox.stripe.invoices()[0]
    copied = sandbox.stripe.as_person(
        "POST", "/v1/invoices", {"customer": first["customer"], "metadata": dict(first["metadata"])}
    )
    assert broken() == ["I1"]
    sandbox.stripe.delete(copied["id"])

    # I2: a line that nobody signed for.
    line = first["lines"]["data"][0]
    sandbox.stripe.edit_line(first["id"], line["id"], amount=line["amount"] + 1)
    assert broken() == ["I2"]
    sandbox.stripe.edit_line(first["id"], line["id"], amount=line["amount"])

    # I3 and I4: a report that lost an order, and a decision without its person.
    closed = sandbox.closed(run)
    assert closed is not None
    report = sandbox.report(run)
    bucket = sandbox.stack.resources["RunsBucket"].ref

    def write(changed: dict[str, Any]) -> None:
        body = json.dumps({**report, **changed}).encode()
        sandbox.aws.client("s3").put_object(Bucket=bucket, Key=closed["reportKey"], Body=body)

    write({"lines": report["lines"][1:]})
    assert set(broken()) == {"I3"}
    write({"votes": [{**report["votes"][0], "approver": ""}]})
    assert broken() == ["I4"]
    write({})
    assert broken() == []

    # I2: the votes are gone.
    table = sandbox.stack.resources["ApprovalsTable"].ref
    votes = [one for one in sandbox.tables()["ApprovalsTable"] if str(one["sk"]).startswith("VOTE#")]
    client = sandbox.aws.client("dynamodb")
    (vote,) = votes
    kept = client.get_item(TableName=table, Key={"pk": {"S": vote["pk"]}, "sk": {"S": vote["sk"]}})["Item"]
    client.delete_item(TableName=table, Key={"pk": kept["pk"], "sk": kept["sk"]})
    assert broken() == ["I2", "I2"]
    client.put_item(TableName=table, Item=kept)
    assert broken() == []


def test_what_is_excused_must_have_happened(played: tuple[Sandbox, Run]) -> None:
    sandbox, _ = played
    keeps_its_promises(sandbox)
    sandbox.breaks["I2"] = "nothing is broken, in truth"
    with pytest.raises(AssertionError, match="nothing of this was broken"):
        keeps_its_promises(sandbox)
    sandbox.breaks.clear()


def test_every_sandbox_of_these_folders_is_looked_at() -> None:
    assert Sandbox.at_the_end is keeps_its_promises
    with every_sandbox_looked_at():
        assert Sandbox.at_the_end is keeps_its_promises

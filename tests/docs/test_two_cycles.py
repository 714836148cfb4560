"""docs/examples/second-cycle.yaml, merged into the template, deployed and fired beside the first cycle; and what the
architecture says about tables, bucket, history and Stripe's endpoints, compared with what these runs left behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.docs.repository import ARCHITECTURE, README, ROOT, RUNBOOK, only_fenced, section, table_rows
from tests.played.firm import client, firm, order, work
from tests.played.story import amounts, decided, live
from tests.sandbox import Sandbox
from tests.sandbox.sandbox import Run

# Past 09:00 on the first of June in New York; in Sydney the first of June began many hours before.
NOW = datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)
EXAMPLE = ROOT / "docs" / "examples" / "second-cycle.yaml"


def merged(base: Any, more: Any) -> Any:
    """`more` laid over `base`, mappings merged at every depth."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in more.items()}}
    return more


@dataclass(frozen=True)
class Played:
    """A sandbox in which both schedules of June have fired and were approved."""

    sandbox: Sandbox
    first: Run
    second: Run


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("deployed")
    for name in ("functions", "layers", "statemachine"):
        (folder / name).symlink_to(ROOT / name)
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    both = merged(template, yaml_parse(EXAMPLE.read_text(encoding="utf-8")))
    path = folder / "template.yaml"
    path.write_text(json.dumps(both), encoding="utf-8")
    # Subsidiaries get ids in the order of their appearance: Oceania is number 3, as in the example.
    orders = [
        order(1, work("1", "100.00"), subsidiary="America"),
        order(2, work("1", "200.00"), subsidiary="Europe"),
        order(3, work("1", "300.00"), subsidiary="Oceania", customer=1),
        order(4, work("1", "400.00"), subsidiary="Oceania"),
    ]
    with Sandbox(firm(orders, [client(4, email=None)]), now=NOW, template=path, retry_delay_scale=0.02) as sandbox:
        first_name, second_name = schedules(sandbox)
        second = sandbox.fire_schedule(second_name)
        answered = decided(sandbox, second)
        assert answered.status == "SUCCEEDED", answered.cause
        assert {number for number in (1, 2, 3, 4) if live(sandbox, number)} == {3}
        first = sandbox.fire_schedule(first_name)
        assert decided(sandbox, first).status == "SUCCEEDED"
        ended = {**json.loads(only_fenced(RUNBOOK, "json", "end-the-order")), "order": "SO-4"}
        assert sandbox.invoke("EndTheOrderFunction", ended)["state"] == "ended"
        yield Played(sandbox, first, second)


def schedules(sandbox: Sandbox) -> tuple[str, str]:
    """The names of the two schedules that bill."""
    names = [name for _, name in sandbox.deployment.schedules]
    (second,) = [name for name in names if name.endswith("-apac-billing")]
    (first,) = [name for name in names if "MonthlySchedule" in name]
    return first, second


def test_the_second_schedule_bills_its_subsidiary_under_its_own_cycle_and_zone(played: Played) -> None:
    report = played.sandbox.report(played.second)
    assert (report["run"]["cycle"], report["run"]["zone"]) == ("apac", "Australia/Sydney")
    assert report["run"]["period"] == "2026-05"
    assert report["run"]["invoice_date"] == "2026-06-01"
    assert (report["listed"], report["counts"]["drafted"], report["counts"]["problem"]) == (2, 1, 1)
    assert [amounts(invoice) for invoice in live(played.sandbox, 3)] == [[30000]]


def test_a_first_cycle_without_a_filter_skips_what_the_second_has_billed(played: Played) -> None:
    report = played.sandbox.report(played.first)
    assert report["run"]["cycle"] == "monthly"
    assert (report["listed"], report["counts"]["drafted"], report["counts"]["skipped"]) == (4, 2, 1)
    assert len(live(played.sandbox)) == 3


def test_the_second_schedule_fires_at_nine_in_sydney_and_has_a_dead_letter_queue(played: Played) -> None:
    _, second = schedules(played.sandbox)
    assert played.sandbox.next_occurrence(second) == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    given = played.sandbox.aws.client("scheduler").get_schedule(Name=second)
    assert (
        given["Target"]["DeadLetterConfig"]["Arn"] == played.sandbox.stack.resources["LostSchedules"].attributes["Arn"]
    )


def documented(cell: str) -> re.Pattern[str]:
    """A key of the architecture's tables as a pattern: `RUN#<run id>` -> RUN#(anything)."""
    pattern = ".+".join(re.escape(part) for part in re.split(r"<[^>]+>", cell.strip("`")))
    return re.compile(pattern.replace(r"\*", ".+"))


def test_every_row_that_the_runs_wrote_is_in_the_architecture_and_nothing_else_is(played: Played) -> None:
    rows = [row for row in table_rows(section(ARCHITECTURE, "What lies where")) if row[0].endswith("Table")]
    # The narrowest key first: "<plan>" alone would fit everything.
    known = [(row[0], documented(row[1]), documented(row[2])) for row in rows]
    known.sort(key=lambda one: one[1].pattern == ".+")
    used = set()
    for table, found in played.sandbox.tables().items():
        for row in found:
            pk, sk = str(row["pk"]), str(row.get("sk", ""))
            fitting = [place for place, (name, of_pk, of_sk) in enumerate(known) if (
                name == table and of_pk.fullmatch(pk) and of_sk.fullmatch(sk)
            )]  # fmt: skip
            assert fitting, f"{table} has {pk} / {sk}, which the architecture does not name"
            used.add(fitting[0])
    unseen = {known[place][2].pattern.partition("\\")[0] for place in set(range(len(known))) - used}
    assert unseen == {"ENTRY", "BOUNCE", "PAID"}, "nothing was held back or paid, and no mail came back"


def test_every_object_that_the_runs_wrote_is_in_the_architecture(played: Played) -> None:
    text = section(ARCHITECTURE, "What lies where")
    keys = [documented(row[0]) for row in table_rows(text) if row[0].startswith("`runs/")]
    keys += [re.compile(rf"runs/.+/{re.escape(name)}") for name in re.findall(r"`(report\.\w+)`", text)]
    for key in played.sandbox.objects():
        assert any(pattern.fullmatch(key) for pattern in keys), key


def test_every_call_to_stripe_is_in_the_readmes_table_of_permissions(played: Played) -> None:
    played.sandbox.invoke("FindTheOrphansFunction", json.loads(only_fenced(RUNBOOK, "json", "orphans")))
    allowed = []
    for endpoint, _, permission in table_rows(section(README, "2. Stripe")):
        method, paths = endpoint.replace("`", "").split(" ", 1)
        level = "Read" if method == "GET" else "Write"
        assert permission.endswith(level), endpoint
        allowed += [(method, re.compile(path.strip().replace("{id}", r"\w+_\w+"))) for path in paths.split(",")]
    calls = {(one.method, one.path.partition("?")[0]) for one in played.sandbox.requests if one.service == "stripe"}
    assert len(calls) > 8
    for method, path in calls:
        assert any(method == m and pattern.fullmatch(path) for m, pattern in allowed), f"{method} {path}"


def test_the_orphans_answer_has_the_fields_of_the_runbook(played: Played) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    (example,) = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    given = {**json.loads(only_fenced(RUNBOOK, "json", "orphans")), "repair": False}
    invoice_id = str(live(played.sandbox, 2)[0]["id"])
    played.sandbox.stripe.delete(invoice_id)
    answer = played.sandbox.invoke("FindTheOrphansFunction", given)
    assert set(answer) == set(example)
    assert set(answer["counts"]) == set(example["counts"])
    (orphan,) = answer["orphans"]
    assert set(orphan) == set(example["orphans"][0])
    assert orphan["kind"] == "missing_in_stripe"


def test_history_holds_no_name_address_or_amount(played: Played) -> None:
    for run in (played.first, played.second):
        told = json.dumps(played.sandbox.history(run), default=str)
        assert "matched" in told
        for private in ("Zephyrine", "zephyrine.example", "approver@firm.example", "300.00", "30000"):
            assert private not in told, private

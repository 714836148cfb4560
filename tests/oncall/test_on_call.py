"""A bad month from the terminal, through the deployed template: every command against one sandbox, with the states of
real executions, and every example of the README and the runbook as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.docs.repository import README, ROOT, RUNBOOK
from tests.oncall.spoken import Spoken, typed
from tests.played.firm import ANN, client, firm, order
from tests.played.story import SECONDS, deployed
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import permission_fault
from tests.sandbox.sandbox import Run

STACK = "month-end"


class OnCall:
    """The person on call, the approvers, and the month that they share: SO-1 is billed, SO-2 and SO-4 are not yet, and
    SO-3 has no address."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.said: dict[str, Spoken] = {}

    def run(self, name: str) -> Run:
        """The run of this name as the sandbox knows it."""
        arn = self.sandbox.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return Run(arn, name, 0)

    def status(self, name: str) -> tuple[str, str | None]:
        result = self.sandbox.result(self.run(name))
        return result.status, result.error

    def started(self, line: str) -> str:
        """Start a run and wait until it waits; its name."""
        spoken = typed(f"{line} --yes --json --wait")
        assert (spoken.code, spoken.json["state"]) == (0, "waits for approval"), spoken
        return str(spoken.json["name"])

    def decide(self, name: str, decision: Any) -> tuple[str, str | None]:
        """The first approver decides by the newest mail."""
        mail = self.sandbox.wait_for_approval(self.run(name), SECONDS)[-1]
        self.sandbox.answer(mail, decision, "Wrong month.")
        result = self.sandbox.wait_for_end(self.run(name), SECONDS)
        return result.status, result.error

    def waiting(self) -> str:
        """A run that waits for approval: the one that does, or a new one."""
        running = typed("runs --status running --json").json["runs"]
        names = [one["name"] for one in running if not one["dryRun"]]
        if not names:
            return self.started("start --period 2026-05")
        self.sandbox.wait_for_approval(self.run(names[0]), SECONDS)
        return str(names[0])

    def failed(self) -> str:
        """A run that ended red: the one that waits is rejected."""
        name = self.waiting()
        assert self.decide(name, "reject") == ("FAILED", "ApprovalRejected")
        return name


@pytest.fixture(scope="module")
def on_call() -> Iterator[OnCall]:
    world = firm([order(1), order(2), order(3, customer=77), order(4)], clients=[client(77, email=None)])
    with (
        deployed(world, parameters={"Settlement": "on"}) as sandbox,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in sandbox.aws.environment().items():
            patched.setenv(name, value)
        patched.setenv("ONCALL_STACK", STACK)
        patched.setattr("oncall.commands.monthly._POLL_SECONDS", 0.05)
        yield _played(OnCall(sandbox))


def _played(on_call: OnCall) -> OnCall:
    said, sandbox = on_call.said, on_call.sandbox
    said["no runs"] = typed("runs")
    said["dry"] = typed("start --period 2026-05 --orders SO-1,SO-2 --dry-run --yes --wait")
    said["declined"] = typed("start --period 2026-05", answers="n\n")
    said["unanswered"] = typed("start --period 2026-05")
    said["runs before"] = typed("runs --json")

    billed = on_call.started("start --period 2026-05 --orders SO-1")
    said["remind"] = typed(f"remind {billed} --yes")
    said["remind again"] = typed(f"remind {billed} --yes --json")
    said["second start"] = typed("start --period 2026-05", answers="n\n")
    said["replay of a running one"] = typed(f"replay {billed} --yes")
    assert on_call.decide(billed, "approve") == ("SUCCEEDED", None)
    said["billed"] = typed(f"run {billed}")
    said["replay of a green one"] = typed(f"replay {billed} --yes")
    said["ask again of a green one"] = typed(f"ask-again {billed} --yes")
    said["remind of a green one"] = typed(f"remind {billed} --yes")

    first = on_call.started("start --period 2026-05 --requested-by ann@firm.example")
    said["ask again of one that waits"] = typed(f"ask-again {first} --yes --json --wait")
    said["aborted"] = typed(f"run {first} --json")
    rejected = str(said["ask again of one that waits"].json["name"])
    assert on_call.decide(rejected, "reject") == ("FAILED", "ApprovalRejected")
    said["rejected"] = typed(f"run {rejected}")
    said["rejected json"] = typed(f"run {rejected} --json")
    said["ask again of a rejected one"] = typed(f"ask-again {rejected} --yes")
    said["replay"] = typed(f"replay {rejected} --yes --wait")
    assert on_call.decide(rejected, "reject") == ("FAILED", "ApprovalRejected")

    expired = on_call.started(f"replay {rejected} --new")
    mails = len(sandbox.mails())
    sandbox.clock.advance(timedelta(days=8))
    assert sandbox.wait_for_end(on_call.run(expired), SECONDS).error == "ApprovalExpired"
    said["expired"] = typed(f"run {expired}")
    said["ask again of an expired one"] = typed(f"ask-again {expired} --yes --wait")
    said["mails of asking again"] = Spoken(0, " ".join(to for mail in sandbox.mails()[mails:] for to in mail.to), "")
    assert on_call.decide(expired, "reject") == ("FAILED", "ApprovalRejected")
    said["expired and rejected"] = typed(f"run {expired} --json")
    return on_call


# --- runs --------------------------------------------------------------------------------------------------


def test_a_stack_without_runs_says_so(on_call: OnCall) -> None:
    assert on_call.said["no runs"] == Spoken(0, "There are none.\n", "")


def test_a_start_says_what_it_will_do_and_does_nothing_unless_somebody_says_yes(on_call: OnCall) -> None:
    for name in ("declined", "unanswered"):
        spoken = on_call.said[name]
        assert spoken.code == 4
        assert "Starts a run of 2026-05 (cycle monthly) in month-end: every open order." in spoken.err
        assert "Nothing was done." in spoken.err
        assert spoken.out == ""
    assert "--yes" in on_call.said["unanswered"].err
    (only,) = on_call.said["runs before"].json["runs"]
    assert (only["state"], only["dryRun"], only["period"]) == ("dry run", True, "2026-05")
    assert only["counts"]["listed"] == 2, "the filter of --orders arrived"


def test_a_start_warns_of_the_run_that_holds_the_period(on_call: OnCall) -> None:
    assert "of this period is at work (waits for approval)" in on_call.said["second start"].err


def test_a_reminder_goes_to_everybody_who_has_not_answered_and_once_an_hour(on_call: OnCall) -> None:
    assert on_call.said["remind"].out == "2 mails were sent.\n"
    assert on_call.said["remind again"].json == {"mails": 0, "posts": 0}
    reminded = [
        mail.to[0] for mail in on_call.sandbox.mails() if mail.subject.startswith(("Reminder", "Urgent reminder"))
    ]
    assert sorted(reminded) == ["ann.approver@firm.example", "bob.controller@firm.example"]


def test_a_billed_run_is_shown_with_its_counts_and_links_and_ends_with_zero(on_call: OnCall) -> None:
    spoken = on_call.said["billed"]
    assert spoken.code == 0
    assert "orders: 1 listed, 1 drafted" in spoken.out
    assert "states/home?region=us-east-1#/v2/executions/details/arn:aws:states:us-east-1:" in spoken.out
    assert "/report.html" in spoken.out


def test_a_red_run_is_shown_with_every_orders_reason_and_ends_with_five(on_call: OnCall) -> None:
    spoken = on_call.said["rejected"]
    assert spoken.code == 5
    assert "ApprovalRejected: An approver rejected the batch." in spoken.out
    reasons = {one["orders"]: one for one in on_call.said["rejected json"].json["reasons"]}
    assert set(reasons) == {"SO-2", "SO-3", "SO-4"}
    assert (reasons["SO-3"]["outcome"], reasons["SO-2"]["outcome"]) == ("problem", "held")
    for one in reasons.values():
        assert f"{one['outcome']}  {one['orders']}: {one['reason']}" in spoken.out
    assert on_call.said["rejected json"].json["counts"]["listed"] == 4


def test_what_is_running_or_ended_well_is_not_replayed_and_says_why_and_what_to_do(on_call: OnCall) -> None:
    running = on_call.said["replay of a running one"]
    assert (running.code, "is running: there is nothing to replay" in running.err) == (4, True)
    green = on_call.said["replay of a green one"]
    assert (green.code, "ended well" in green.err, "--new" in green.err) == (4, True, True)
    for name in ("ask again of a green one", "remind of a green one"):
        assert on_call.said[name].code == 4


def test_a_red_run_is_redriven_and_stands_where_its_approvers_are_asked(on_call: OnCall) -> None:
    spoken = on_call.said["replay"]
    assert spoken.code == 0
    assert 'it begins again at "Open the run"' in spoken.err
    assert "waits for approval" in spoken.out


def test_a_run_that_was_aborted_while_it_waited_waits_on(on_call: OnCall) -> None:
    name = on_call.waiting()
    on_call.sandbox.stop(on_call.run(name))
    assert typed(f"run {name}").code == 5
    spoken = typed(f"replay {name} --wait", answers="y\n")
    assert (spoken.code, "waits for approval" in spoken.out) == (0, True)
    assert f'Redrives {name}: it goes on at "Ask for approval"' in spoken.err
    assert on_call.decide(name, "reject") == ("FAILED", "ApprovalRejected")


# --- asking again ------------------------------------------------------------------------------------------


def test_of_a_run_that_waits_asking_again_aborts_it_and_starts_one_with_the_same_input(on_call: OnCall) -> None:
    spoken, aborted = on_call.said["ask again of one that waits"], on_call.said["aborted"].json
    assert spoken.code == 0
    assert spoken.json["state"] == "waits for approval"
    assert spoken.json["name"] != aborted["name"]
    assert aborted["status"] == "ABORTED"
    assert "ann@firm.example" not in spoken.err, "an address of the input is nobody's business here"


def test_of_an_expired_one_asking_again_opens_a_new_request_of_the_same_run(on_call: OnCall) -> None:
    assert on_call.said["expired"].code == 5
    assert "ApprovalExpired" in on_call.said["expired"].out
    spoken = on_call.said["ask again of an expired one"]
    assert (spoken.code, "waits for approval" in spoken.out) == (0, True)
    assert ANN in on_call.said["mails of asking again"].out
    assert on_call.said["expired and rejected"].json["redrives"] == 1


def test_a_rejection_is_not_asked_about_again_behind_the_approvers_back(on_call: OnCall) -> None:
    spoken = on_call.said["ask again of a rejected one"]
    assert spoken.code == 4
    assert "no request to open again" in spoken.err


# --- orders, customers, the settlement ---------------------------------------------------------------------


def test_an_order_is_ended_and_opened_again_and_the_functions_refusal_is_the_answer(on_call: OnCall) -> None:
    declined = typed(f"end-order SO-2 --reason 'by hand' --by {ANN}", answers="\n")
    assert declined.code == 4
    ended = typed(f"end-order SO-2 --reason 'by hand' --by {ANN} --yes --json")
    assert (ended.code, ended.json["state"]) == (0, "ended")
    again = typed(f"end-order so-2 --reason 'a mistake' --by {ANN} --open-again --yes")
    assert (again.code, again.out) == (0, "Order SO-2 comes back in the next run.\n")
    unknown = typed(f"end-order SO-99 --reason 'by hand' --by {ANN} --yes")
    assert unknown.code == 4
    assert "no order 'SO-99' is open" in unknown.err


def test_a_customer_is_settled_and_one_that_does_not_exist_is_refused(on_call: OnCall) -> None:
    customer, netsuite_id = _customer(on_call)
    settled = typed(f"settle-customer {netsuite_id} {customer} --by {ANN} --yes")
    assert (settled.code, settled.err.count("NetSuite's customer")) == (0, 1)
    assert f"{netsuite_id} is {customer}: settled" in settled.out
    refused = typed(f"settle-customer {netsuite_id} cus_nobody --by {ANN} --yes --json")
    assert refused.code == 4
    assert "Stripe has no customer cus_nobody" in refused.err
    assert refused.out == ""


def test_orphans_are_named_and_end_with_six_and_a_clean_ledger_with_zero(on_call: OnCall) -> None:
    clean = typed("orphans --since 2026-05-01")
    assert (clean.code, "0 differences" in clean.out) == (0, True)
    wrong = typed("orphans --since May")
    assert (wrong.code, "since" in wrong.err) == (4, True)


def test_the_settlement_is_rung_by_object_by_day_and_by_what_was_missed(on_call: OnCall) -> None:
    sandbox = on_call.sandbox
    (draft,) = sandbox.drafts()
    sandbox.settle()
    green = typed("runs --settlement --json").json["runs"]
    assert {one["state"] for one in green} == {"Nothing to write"}, "a draft is nothing of NetSuite's"
    sandbox.stripe.hold_events()
    sandbox.stripe.finalise(draft["id"])
    sandbox.stripe.drop_events()
    sandbox.stripe.release_events()

    one = typed(f"sync one {draft['id']} --dry-run")
    assert (one.code, draft["id"] in one.out) == (0, True)
    assert typed("sync missed --types payout --dry-run --json").json["roots"] == []
    assert typed("sync missed --types invoice --dry-run --json").json["roots"] == [draft["id"]]
    assert typed("runs --settlement --json").json["runs"] == green, "a dry run rings nothing"

    sandbox.netsuite.faults.add(action=permission_fault(), method="POST", path="!transform/invoice", times=None)
    day = sandbox.now().date() - timedelta(days=1)
    rung = typed(f"sync since {day} --types invoice --yes")
    assert (rung.code, "1 bells were rung" in rung.out) == (0, True)
    sandbox.settle()
    (held,) = typed("runs --settlement --status failed --json").json["runs"]
    assert held["error"] == "PersonNeeded"
    shown = typed(f"run {held['name']}")
    assert (shown.code, "PersonNeeded: " in shown.out) == (5, True)
    sandbox.netsuite.faults.clear()
    redriven = typed(f"replay {held['name']} --yes --wait")
    assert (redriven.code, "The object is settled" in redriven.out) == (0, True)
    assert "reads Stripe again and writes what NetSuite lacks" in redriven.err
    assert len(sandbox.netsuite.records("invoice")) == 1

    refused = typed(f"replay {held['name']} --yes")
    assert (refused.code, "sync one" in refused.err) == (4, True)
    nothing = typed("sync one so_1 --yes")
    assert (nothing.code, "in_" in nothing.err) == (4, True)
    assert typed("orphans --since 2026-05-01").code == 0, "a finalised invoice is no orphan"


def test_the_books_are_compared_by_hand_and_end_with_six_where_they_differ(on_call: OnCall) -> None:
    sandbox = on_call.sandbox
    agree = typed("reconcile --yes --json")
    assert (agree.code, agree.json["agrees"], agree.json["counts"]["records"] > 0) == (0, True, True)
    sandbox.stripe.hold_events()
    sandbox.stripe.pay(next(one["id"] for one in sandbox.stripe.invoices() if one["status"] == "open"))
    sandbox.stripe.drop_events()
    sandbox.stripe.release_events()
    differ = typed("reconcile --yes")
    assert (differ.code, "THE BOOKS DIFFER" in differ.out) == (6, True)
    assert "settlement/proofs/" in differ.out
    assert typed("reconcile --fix", answers="n\n").code == 4
    rung = typed("reconcile --fix --yes --json")
    assert (rung.code, rung.json["counts"]["rung"]) == (6, 1)
    sandbox.settle()
    assert len(sandbox.netsuite.records("customerPayment")) == 1
    assert typed("reconcile --yes").code == 0
    wrong = typed("reconcile --day yesterday --yes")
    assert (wrong.code, "day" in wrong.err) == (4, True)


def _customer(on_call: OnCall) -> tuple[str, str]:
    """A customer of Stripe's that a run has made, and its NetSuite customer."""
    found = next(one for one in on_call.sandbox.stripe.invoices())["metadata"]["netsuite_customer_id"]
    customer = next(one for one in on_call.sandbox.stripe.invoices())["customer"]
    return str(customer), str(found)


# --- the documents -----------------------------------------------------------------------------------------

SHOWN = [
    (document, found)
    for document in (README, RUNBOOK, ROOT / "docs" / "settlement-setup.md")
    for found in re.findall(r"^ {4,}oncall (.+?)(?: +#.*)?$", document.read_text(encoding="utf-8"), re.MULTILINE)
]
EXAMPLES = [
    pytest.param(found, id=f"{document.name}: {found}")
    for document, found in SHOWN
    if not found.startswith("secrets ")  # test_secrets.py plays those: they ask for values
]


def test_there_is_an_example_of_every_command(on_call: OnCall) -> None:
    commands = set(re.findall(r"^  ([a-z-]+)  ", typed("--help").out.partition("Commands:")[2], re.MULTILINE))
    assert len(commands) >= 10
    assert {found.split()[0] for _, found in SHOWN} == commands


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_documents_runs(on_call: OnCall, example: str) -> None:
    customer, netsuite_id = _customer(on_call)
    name = example.split()[0]
    known = {
        "RUN-NAME": _run_for(on_call, name),
        "in_1Mf0": on_call.sandbox.stripe.invoices()[0]["id"],
        "cus_1Mf0": customer,
        "1234": netsuite_id,
        "SO-1003": "SO-4",
        "SO-1001": "SO-2",
        "YYYY-MM-DD": str(on_call.sandbox.now().date()),
    }
    line = re.sub("|".join(map(re.escape, known)), lambda found: str(known[found[0]]), example)
    spoken = typed(line, answers="y\n")
    assert spoken.code == 0, spoken
    assert spoken.out


def _run_for(on_call: OnCall, command: str) -> str:
    """A run that this command is about."""
    if command in ("remind", "ask-again"):
        return on_call.waiting()
    if command == "replay":
        return on_call.failed()
    return str(typed("runs --status succeeded --json").json["runs"][0]["name"])


# --- the far end of the fortnight ---------------------------------------------------------------------------


def test_after_a_fortnight_a_redrive_is_refused_with_what_to_do_instead(on_call: OnCall) -> None:
    name = on_call.failed()
    on_call.sandbox.clock.advance(timedelta(days=14, hours=1))
    spoken = typed(f"replay {name} --yes")
    assert spoken.code == 4
    assert "14 days" in spoken.err
    assert f"`replay {name} --new` starts a new run with its input." in spoken.err


def test_it_is_started_as_the_readme_says_and_hands_its_exit_code_on(on_call: OnCall) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oncall", "run", "nobody"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"The stack {STACK} has no execution nobody; `runs` lists them.\n"

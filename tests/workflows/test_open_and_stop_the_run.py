"""One run at a time for a period; a run ends with its own error's name, and begins again when it is redriven."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.domain.approval.approvers import approver_id
from billing.domain.approval.waiting import WaitingRules
from billing.domain.errors import ENDS, InputInvalid, OurFault, PassingError
from billing.domain.run import Run, read_state, read_stopped, to_state
from billing.domain.runs.period_lock import Holder
from billing.workflows.monthly_billing.open_the_run import RunSettings, Start, former_listing, open_the_run
from billing.workflows.monthly_billing.stop_the_run import stop_the_run

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
SETTINGS = RunSettings(
    ZoneInfo("Australia/Sydney"), "main", "", "ann@firm.example", "", "", True, WaitingRules(3600), 5
)
JUNE = {"scheduledAt": "2026-05-31T23:00:00Z"}


@dataclass
class Locks:
    """The lock of each period, in memory."""

    held: dict[str, Holder] = field(default_factory=dict)
    faster: bool = False
    remembered: date | None = None
    billed: date | None = None
    told: str = ""
    started_by: dict[str, str] = field(default_factory=dict)

    def note_start(self, run_id: str, requested_by: str, at: str) -> None:
        self.started_by[run_id] = requested_by

    def bill_from(self) -> date | None:
        return self.remembered

    def first_billed_day(self) -> date | None:
        return self.billed

    def remember_bill_from(self, day: date, run_id: str, at: str) -> date:
        self.remembered = self.remembered or day
        return self.remembered

    def bill_from_told(self, cycle: str) -> str:
        return self.told

    def holder(self, key: str) -> Holder | None:
        return self.held.get(key)

    def take(self, key: str, run_id: str, execution_arn: str, at: str, instead_of: str | None) -> bool:
        known = self.held.get(key)
        if self.faster or (known and known.held and known.run_id not in (run_id, instead_of)):
            return False
        self.held[key] = Holder(run_id, execution_arn, True)
        return True


LISTED = {"snapshotKey": "runs/2026-05/run-1/orders.json", "sha256": "5" * 64, "orders": 3, "problems": 1}


def start(
    locks: Locks,
    name: str = "run-1",
    raw: Any = JUNE,
    running: bool = True,
    now: datetime = NOW,
    before: object = None,
    **settings: Any,
) -> dict[str, Any]:
    chosen = RunSettings(**{**{n: getattr(SETTINGS, n) for n in SETTINGS.__slots__}, **settings})
    begun = Start(raw, f"arn:{name}", name, before)
    return dict(to_state(open_the_run(begun, chosen, locks, lambda _: running, now)))


def ended(error: str) -> dict[str, Any]:
    """The state in which the run ended, as a redrive finds it."""
    return {"run": start(Locks()), "listed": LISTED, "closed": {"error": error, "redriveCount": 0}}


def test_a_run_takes_its_period_and_says_what_it_bills() -> None:
    run = start(Locks())
    assert (run["lock"], run["period"], run["listedFrom"], run["listedBefore"]) == (
        "held by this run", "2026-05", "2026-05-01", "2026-06-01",
    )  # fmt: skip
    assert run["invoiceDate"] == "2026-06-01", "the firm's own day, which in UTC is still the day before"
    assert run["prefix"] == "runs/2026-05/run-1/"


def test_a_run_lists_the_subsidiaries_that_the_stack_bills_or_some_of_them() -> None:
    two = {"subsidiaries": ("2", "5")}
    assert start(Locks())["filter"] == {}
    assert start(Locks(), **two)["filter"] == {"subsidiaries": ["2", "5"]}
    narrowed = {**JUNE, "filter": {"subsidiaries": ["5"], "customerCategories": ["7"]}}
    assert start(Locks(), raw=narrowed, **two)["filter"] == {"subsidiaries": ["5"], "customerCategories": ["7"]}


def test_a_run_for_another_stacks_subsidiary_is_refused_by_name() -> None:
    locks = Locks()
    with pytest.raises(InputInvalid, match=r'"filter.subsidiaries" asks for 3, which .* Subsidiaries names 2, 5\.'):
        start(locks, raw={**JUNE, "filter": {"subsidiaries": ["2", "3"]}}, subsidiaries=("2", "5"))
    assert locks.held == {}


def test_a_second_start_says_who_is_at_work_and_takes_nothing() -> None:
    locks = Locks()
    start(locks)
    second = start(locks, "run-2")
    assert (second["lock"], second["holder"]) == ("held by another run", "arn:run-1")
    assert "run-1" in second["said"]
    assert "2026-05" in second["said"]
    assert [holder.run_id for holder in locks.held.values()] == ["run-1"]


def test_a_dead_holders_period_is_taken_over() -> None:
    locks = Locks()
    start(locks)
    assert start(locks, "run-2", running=False)["lock"] == "held by this run"
    assert [holder.run_id for holder in locks.held.values()] == ["run-2"]


def test_a_closed_runs_period_is_free() -> None:
    locks = Locks({"PERIOD#main#2026-05": Holder("run-1", "arn:run-1", False)})
    assert start(locks, "run-2")["lock"] == "held by this run"


def test_the_same_run_opens_as_often_as_it_likes() -> None:
    locks = Locks()
    assert start(locks) == start(locks)


def test_two_runs_that_race_for_a_period_try_again() -> None:
    with pytest.raises(PassingError, match="2026-05"):
        start(Locks(faster=True))


def test_a_dry_run_takes_no_lock_and_minds_none() -> None:
    locks = Locks()
    start(locks)
    before = dict(locks.held)
    run = start(locks, "run-2", {**JUNE, "dryRun": True})
    assert (run["lock"], run["dryRun"]) == ("not needed", True)
    assert locks.held == before


def test_bad_input_and_bad_approvers_fail_before_the_lock() -> None:
    locks = Locks()
    with pytest.raises(InputInvalid, match='"period"'):
        start(locks, raw={"period": "soon"})
    with pytest.raises(InputInvalid, match="Approvers"):
        start(locks, approvers="nobody")
    assert locks.held == {}


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"deputies": "cy@firm.example"}, "EscalationAfterSeconds"),
        ({"waiting": WaitingRules(3600, 0, 60)}, "Deputies"),
        ({"deputies": "cy", "waiting": WaitingRules(3600, 0, 60)}, "entry 1 is no e-mail address"),
        ({"delegate_domains": "ann@firm.example"}, "DelegateDomains"),
        ({"waiting": WaitingRules(604_800, 1)}, "ReminderIntervalSeconds"),
        ({"approvers": "apac > Lead: ann@firm.example"}, 'cycle "main"'),
        ({"approvers": "Partner above USD 5: ann@firm.example"}, "always asked"),
    ],
)
def test_a_mistake_in_who_is_asked_and_when_is_named_before_the_lock(settings: dict[str, Any], mistake: str) -> None:
    locks = Locks()
    with pytest.raises(InputInvalid, match=mistake):
        start(locks, **settings)
    assert locks.held == {}


def test_the_requester_is_kept_as_a_hash_and_barred_only_if_the_stack_says_so() -> None:
    asked_by = {**JUNE, "requestedBy": "Ann@firm.example "}
    assert "ann" not in start(Locks(), raw=asked_by)["requestedBy"]
    assert start(Locks())["requestedBy"] == ""
    with pytest.raises(InputInvalid, match="RequesterMaySign"):
        start(Locks(), raw=asked_by, requester_may_sign=False)
    both = "ann@firm.example, bob@firm.example"
    assert start(Locks(), raw=asked_by, requester_may_sign=False, approvers=both)["lock"] == "held by this run"
    with pytest.raises(InputInvalid, match='"requestedBy"'):
        start(Locks(), raw={**JUNE, "requestedBy": "ann"})


def test_who_started_a_run_is_kept_beside_the_execution_and_how_it_was_started_within_it() -> None:
    locks = Locks()
    assert start(locks)["started"] == "by the schedule"
    assert locks.started_by == {}
    by_hand = start(locks, "run-1", {"period": "2026-05", "requestedBy": "Dana@firm.example"})
    assert by_hand["started"] == "by hand"
    assert "dana" not in str(by_hand)
    assert locks.started_by == {"run-1": "dana@firm.example"}
    start(locks, "run-2", {"period": "2026-05", "requestedBy": "Eve@firm.example"})
    start(locks, "run-3", {"period": "2026-05", "requestedBy": "Eve@firm.example", "dryRun": True})
    assert list(locks.started_by) == ["run-1"], "neither a run that found the period taken, nor a dry run, writes"


@pytest.mark.parametrize("given", [{"period": "2026-05"}, {**JUNE, "period": "2026-05"}])
def test_a_run_by_hand_says_who_starts_it_where_the_requester_may_not_sign(given: dict[str, Any]) -> None:
    locks, two = Locks(), {"approvers": "ann@firm.example, bob@firm.example", "requester_may_sign": False}
    with pytest.raises(InputInvalid, match=r'"requestedBy" is missing.*RequesterMaySign is false'):
        start(locks, raw=given, **two)
    assert locks.held == {}
    named = start(locks, raw={**given, "requestedBy": "bob@firm.example"}, **two)
    assert named["barred"] == approver_id("bob@firm.example")
    assert start(Locks(), raw={**given, "dryRun": True}, **two)["dryRun"], "a dry run asks nobody"
    assert start(Locks(), raw=given)["lock"] == "held by this run", "and where the requester may sign, nobody is named"
    assert start(Locks(), raw=JUNE, **two)["barred"] == "", "a schedule asks in nobody's name"


def test_the_requester_is_the_same_person_with_a_tag() -> None:
    two = {"approvers": "ann@firm.example, bob@firm.example", "requester_may_sign": False}
    plain = start(Locks(), raw={**JUNE, "requestedBy": "ann@firm.example"}, **two)
    tagged = start(Locks(), raw={**JUNE, "requestedBy": "Ann+billing@firm.example"}, **two)
    assert tagged["barred"] == plain["barred"] != ""
    with pytest.raises(InputInvalid, match="RequesterMaySign"):
        start(Locks(), raw={**JUNE, "requestedBy": "ann+x@firm.example"}, requester_may_sign=False)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"approvers": "Lead: ann@firm.example; Controller: ann+x@firm.example"}, '"Lead" and the slot "Controller"'),
        ({"approvers": "Lead (2): ann@firm.example, Ann+x@firm.example"}, 'in the slot "Lead":'),
        ({"deputies": "ann+deputy@firm.example"}, "the parameter Deputies"),
    ],
)
def test_one_mailbox_under_two_addresses_is_refused_before_the_run(settings: dict[str, str], named: str) -> None:
    waiting = WaitingRules(7 * 86_400, 86_400, 3_600 if "deputies" in settings else 0)
    with pytest.raises(InputInvalid, match="One mailbox is written in two ways") as caught:
        start(Locks(), waiting=waiting, **settings)
    assert named in str(caught.value)
    assert "ann" not in str(caught.value)


def test_a_run_by_hand_dates_its_invoices_on_the_day_it_started() -> None:
    assert start(Locks(), raw={"period": "2026-04"})["invoiceDate"] == "2026-06-01"


@pytest.mark.parametrize("error", sorted({*ENDS, ""}))
def test_only_an_end_without_an_answer_hands_its_listing_on(error: str) -> None:
    unanswered = error in ("ApprovalExpired", "ApprovalUndeliverable")
    found = to_state(former_listing(read_state(Run, start(Locks())), ended(error)))
    assert found == {"asksAnew": unanswered, "listed": LISTED if unanswered else None}


@pytest.mark.parametrize(
    "before",
    [
        None,
        JUNE,
        [],
        "text",
        7,
        {"run": "x", "closed": 1},
        {**ended("ApprovalExpired"), "run": {"id": "run-2"}},
        {**ended("ApprovalExpired"), "listed": None},
        {**ended("ApprovalExpired"), "listed": {**LISTED, "snapshotKey": "runs/2026-05/run-2/orders.json"}},
        {name: value for name, value in ended("ApprovalExpired").items() if name != "listed"},
    ],
)
def test_anything_else_than_this_runs_own_end_hands_nothing_on(before: object) -> None:
    run = start(Locks(), before=before)
    assert to_state(former_listing(read_state(Run, run), before)) == {"asksAnew": False, "listed": None}


def test_a_listing_that_another_version_has_written_is_not_compared_with() -> None:
    state = {**ended("ApprovalExpired"), "listed": {**LISTED, "extra": "x"}}
    assert not former_listing(read_state(Run, start(Locks())), state).asks_anew


def test_a_run_by_hand_that_is_asked_anew_keeps_the_date_of_its_invoices() -> None:
    """Else the same content would have another hash, and other due dates, for nothing but the redrive."""
    by_hand, later = {"period": "2026-05"}, datetime(2026, 6, 12, 9, tzinfo=UTC)
    first = start(Locks(), raw=by_hand)
    state = {**ended("ApprovalExpired"), "run": first}
    assert start(Locks(), raw=by_hand, now=later, before=state)["invoiceDate"] == first["invoiceDate"] == "2026-06-01"
    rejected = {**state, "closed": {"error": "ApprovalRejected", "redriveCount": 0}}
    assert start(Locks(), raw=by_hand, now=later, before=rejected)["invoiceDate"] == "2026-06-12"


@pytest.mark.parametrize("name", sorted(ENDS))
def test_a_run_ends_with_its_own_errors_name(name: str) -> None:
    """Step Functions matches the exact class name."""
    with pytest.raises(ENDS[name]) as ended:
        stop_the_run(read_stopped({"error": name, "cause": "because", "redriveCount": 0}), 0)
    assert type(ended.value).__name__ == name
    assert str(ended.value) == "because"


@pytest.mark.parametrize("name", ["States.Timeout", "Lambda.Unknown", "States.TaskFailed", "nonsense"])
def test_an_error_of_the_platform_is_our_fault_and_says_which(name: str) -> None:
    with pytest.raises(OurFault, match=name):
        stop_the_run(read_stopped({"error": name, "cause": "", "redriveCount": 0}), 0)


def test_a_redriven_run_begins_again_and_a_retried_state_does_not() -> None:
    closed = {"error": "InvoicesMissing", "cause": "x", "redriveCount": 1}
    assert stop_the_run(read_stopped(closed), 2) == {"again": True}
    with pytest.raises(ENDS["InvoicesMissing"]):
        stop_the_run(read_stopped(closed), 1)


# From when on ----------------------------------------------------------------------------------------------


def listed(run: dict[str, Any]) -> tuple[str, str]:
    return run["listedFrom"], run["listedBefore"]


def test_the_first_run_fixes_the_start_and_every_later_one_lists_from_it() -> None:
    locks = Locks()
    assert listed(start(locks)) == ("2026-05-01", "2026-06-01")
    assert locks.remembered == date(2026, 5, 1)
    assert listed(start(locks, "run-2", {"period": "2026-06"})) == ("2026-05-01", "2026-07-01")
    assert listed(start(locks, "run-3", {"period": "2026-11"})) == ("2026-05-01", "2026-12-01")
    assert locks.remembered == date(2026, 5, 1)


def test_a_dry_run_and_a_trial_fix_no_start() -> None:
    for raw in ({"period": "2026-02", "dryRun": True}, {"period": "2026-02", "filter": {"atMost": 1}}):
        locks = Locks()
        assert listed(start(locks, raw=raw)) == ("2026-02-01", "2026-03-01")
        assert locks.remembered is None


def test_a_cycle_that_is_cut_by_subsidiary_fixes_the_start_as_any_other() -> None:
    locks = Locks()
    start(locks, raw={"period": "2026-05", "filter": {"subsidiaries": ["3"]}})
    assert locks.remembered == date(2026, 5, 1)


def test_a_run_by_hand_of_a_month_before_the_start_lists_itself_and_moves_nothing() -> None:
    locks = Locks(remembered=date(2026, 5, 1))
    run = start(locks, raw={"period": "2026-03"})
    assert listed(run) == ("2026-03-01", "2026-04-01")
    assert (run["billFrom"], run["billFromIsNew"]) == ("2026-05-01", False)
    assert locks.remembered == date(2026, 5, 1)


def test_the_parameter_wins_over_what_is_remembered_in_both_directions() -> None:
    for parameter in ("2026-01-15", "2026-05-20"):
        locks = Locks(remembered=date(2026, 5, 1), told="2026-05-01")
        run = start(locks, bill_from=parameter)
        assert listed(run) == (parameter, "2026-06-01")
        assert run["billFromIsNew"], "whoever signs reads what lies before it now"
        assert locks.remembered == date(2026, 5, 1)


def test_a_parameter_that_is_emptied_leaves_the_start_where_it_was() -> None:
    locks = Locks()
    start(locks, bill_from="2026-01-15")
    assert listed(start(locks, "run-2", {"period": "2026-06"})) == ("2026-01-15", "2026-07-01")


def test_a_stack_that_billed_before_it_remembered_begins_with_its_first_month() -> None:
    locks = Locks(billed=date(2026, 2, 1))
    assert listed(start(locks)) == ("2026-02-01", "2026-06-01")
    assert locks.remembered == date(2026, 2, 1)


def test_a_start_is_new_until_it_was_told() -> None:
    assert start(Locks())["billFromIsNew"] is True
    assert start(Locks(told="2026-05-01"))["billFromIsNew"] is False
    assert start(Locks(told="2026-04-01"))["billFromIsNew"] is True
    assert start(Locks(), raw={"period": "2026-05", "filter": {"atMost": 1}})["billFromIsNew"] is False


def test_a_parameter_that_is_no_day_fails_before_the_lock() -> None:
    locks = Locks()
    with pytest.raises(InputInvalid, match="BillFrom"):
        start(locks, bill_from="May")
    assert (locks.held, locks.remembered) == ({}, None)


def test_a_run_knows_who_has_finished_its_period_and_that_it_was_not_itself() -> None:
    held = {"PERIOD#main#2026-05": Holder("run-1", "arn:run-1", False, "run-1")}
    assert start(Locks(dict(held)), "run-2")["finishedBy"] == "run-1"
    assert start(Locks(dict(held)))["finishedBy"] == ""

"""Promises of checks.state_machine: a sound definition passes, and each way to spoil it is named."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.state_machine import LAMBDA_FAULTS, State, check_definition, check_template, check_tree, states_of
from checks.template import read_template

REPOSITORY = Path(__file__).parents[2]

RETRY = [
    {
        "ErrorEquals": ["PassingError", *LAMBDA_FAULTS],
        "IntervalSeconds": 1,
        "BackoffRate": 2,
        "MaxAttempts": 5,
        "MaxDelaySeconds": 30,
        "JitterStrategy": "FULL",
    }
]


def task(function: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"${{{function}}}", "Payload.$": "$"},
        "TimeoutSeconds": 60,
        "Retry": copy.deepcopy(RETRY),
        **more,
    }


SOUND: dict[str, Any] = {
    "StartAt": "Open the run",
    "States": {
        "Open the run": task("Open", Next="Ask for approval"),
        "Ask for approval": task(
            "Ask",
            Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
            Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "No one responded"}],
            Next="Draft the invoices",
        ),
        "No one responded": {"Type": "Fail", "Error": "Expired"},
        "Draft the invoices": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Draft the invoice",
                "States": {"Draft the invoice": task("Draft", End=True)},
            },
            "End": True,
        },
    },
}

TEMPLATE = """
Globals:
  Function: {Timeout: 30, Handler: app.handler}
Resources:
  Billing:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: statemachine/billing.asl.json
      DefinitionSubstitutions:
        Open: !GetAtt OpenFunction.Arn
        Ask: !GetAtt AskFunction.Arn
        Draft: !Ref DraftFunction
  OpenFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/open_the_run}}
  AskFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: ./functions/ask_for_approval/}}
  DraftFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/draft_the_invoice}}
"""


@pytest.fixture
def definition() -> dict[str, Any]:
    return copy.deepcopy(SOUND)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository that is in order."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "statemachine").mkdir()
    (tmp_path / "statemachine/billing.asl.json").write_text(json.dumps(SOUND))
    for folder in ("open_the_run", "ask_for_approval", "draft_the_invoice"):
        (tmp_path / "functions" / folder).mkdir(parents=True)
        (tmp_path / "functions" / folder / "app.py").write_text("")
    return tmp_path


def findings_of(tree: Path) -> list[str]:
    return check_tree(tree, read_template(tree / "template.yaml"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_sound_definition_has_no_findings(definition: dict[str, Any], tree: Path) -> None:
    assert check_definition(definition) == []
    assert findings_of(tree) == []


def test_the_repositorys_own_definition_keeps_every_rule() -> None:
    for path in (REPOSITORY / "statemachine").glob("*.asl.json"):
        assert check_definition(json.loads(path.read_text())) == []


SpoiltBy = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(
            lambda s: s["Open the run"].pop("Retry"),
            '"Open the run": is a Task and needs a Retry that names the errors that can pass.',
            id="no retry",
        ),
        pytest.param(
            lambda s: s["Open the run"].pop("TimeoutSeconds"),
            '"Open the run": is a Task and needs TimeoutSeconds or TimeoutSecondsPath; '
            "without one it may wait for a year.",
            id="no time-out",
        ),
        pytest.param(
            lambda s: s["Ask for approval"].pop("TimeoutSeconds"),
            '"Ask for approval": waits for a callback and needs TimeoutSeconds or TimeoutSecondsPath; '
            "without one it may wait for a year.",
            id="a wait without end",
        ),
        pytest.param(
            lambda s: s["Draft the invoices"]["ItemProcessor"]["States"]["Draft the invoice"].pop("Retry"),
            '"Draft the invoice": is a Task and needs a Retry that names the errors that can pass.',
            id="inside a Map",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"][0]["ErrorEquals"].append("States.TaskFailed"),
            '"Open the run": its Retry holds States.TaskFailed, which also repeats what needs a person; '
            "name what can pass.",
            id="retry of everything",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"][0]["ErrorEquals"].remove("Lambda.ServiceException"),
            '"Open the run": its Retry leaves out Lambda.ServiceException, faults of Lambda itself that pass.',
            id="a fault of Lambda forgotten",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"][0]["ErrorEquals"].append("RateLimited"),
            '"Open the run": its Retry is none of the two in checks.state_machine.RETRIES: one rule, the same names in '
            "the same order.",
            id="a name that the others do not have",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"].append(copy.deepcopy(RETRY[0])),
            '"Open the run": its Retry is none of the two in checks.state_machine.RETRIES: one rule, the same names in '
            "the same order.",
            id="a second rule",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"][0].update(BackoffRate=3),
            '"Open the run": Retry 1 has BackoffRate 3; every Retry has 2.',
            id="a pace of its own",
        ),
        pytest.param(
            lambda s: s["Open the run"]["Retry"][0].pop("JitterStrategy"),
            '"Open the run": Retry 1 has no JitterStrategy.',
            id="no jitter",
        ),
        pytest.param(
            lambda s: s.update({"Wait for nothing": {"Type": "Succeed"}}),
            '"Wait for nothing" in the state machine cannot be reached from "Open the run".',
            id="unreachable",
        ),
        pytest.param(
            lambda s: s["Open the run"].update(Next="Close the run"),
            'the state machine: "Close the run" is gone to, but there is no such state.',
            id="no such target",
        ),
        pytest.param(
            lambda s: s.update({"Draft the invoice": {"Type": "Pass", "Next": "Draft the invoices"}}),
            '"Draft the invoice" names a state in "Draft the invoices" and in the state machine.',
            id="one name twice",
        ),
        pytest.param(
            lambda s: s.update({"close_run": {"Type": "Succeed"}}),
            '"close_run": a name is a short sentence, such as "Close the run".',
            id="not a sentence",
        ),
    ],
)
def test_each_way_to_spoil_it_is_named(definition: dict[str, Any], spoil: SpoiltBy, sentence: str) -> None:
    spoil(definition["States"])
    assert sentence in check_definition(definition)


@pytest.mark.parametrize(("machine", "least"), [("monthly_billing", 15), ("settlement", 10)])
def test_every_lambda_task_also_retries_a_call_that_the_lambda_service_gave_up_on(machine: str, least: int) -> None:
    text = (REPOSITORY / f"statemachine/{machine}.asl.json").read_text()
    tasks = [state for state in states_of(json.loads(text)) if state.calls_lambda]
    assert len(tasks) >= least
    for state in tasks:
        assert "Lambda.ClientExecutionTimeoutException" in state.body["Retry"][0]["ErrorEquals"], state.name


@pytest.mark.parametrize("state", ["Open the run", "Close the run"])
def test_whatever_keeps_a_run_from_being_opened_or_closed_leads_to_the_state_that_tells_of_it(state: str) -> None:
    states = json.loads((REPOSITORY / "statemachine/monthly_billing.asl.json").read_text())["States"]
    *_, last = states[state]["Catch"]
    assert last["ErrorEquals"] == ["States.ALL"]
    for rule in states[state]["Catch"]:
        name, passed = rule["Next"], 0
        while states[name]["Type"] == "Pass":
            name, passed = states[name]["Next"], passed + 1
        assert name == "Tell of the failure"
        assert passed <= 1


def test_a_name_of_more_than_eighty_characters_is_named(definition: dict[str, Any]) -> None:
    name = "Say it " + "again and " * 8 + "again"
    definition["States"][name] = {"Type": "Succeed"}
    (finding,) = check_definition(definition)
    assert name in finding


@pytest.mark.parametrize("spoil", [lambda s: s.update(Timeout=5), lambda s: s["Retry"][0].update(MaxAttempt=5)])
def test_a_field_that_the_states_language_does_not_know_is_named(definition: dict[str, Any], spoil: SpoiltBy) -> None:
    spoil(definition["States"]["Open the run"])
    findings = check_definition(definition)
    assert findings
    assert findings[0].startswith("not in the States Language: line ")


def test_a_substitution_that_the_template_does_not_give_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "        Draft: !Ref DraftFunction\n", "")
    assert "billing.asl.json: ${Draft} is not in Billing's DefinitionSubstitutions." in findings_of(tree)


def test_a_substitution_that_no_state_uses_is_named(tree: Path) -> None:
    edit(
        tree / "template.yaml",
        "        Draft: !Ref",
        "        Spare: !Ref DraftFunction\n        Draft: !Ref",
    )
    expected = "billing.asl.json: Billing's DefinitionSubstitutions has Spare, which no state uses."
    assert findings_of(tree) == [expected]


def test_a_function_in_a_folder_with_another_name_is_named(tree: Path) -> None:
    (tree / "functions/draft_the_invoice").rename(tree / "functions/drafting")
    edit(tree / "template.yaml", "functions/draft_the_invoice", "functions/drafting")
    assert findings_of(tree) == [
        (
            '"Draft the invoice": there is no functions/draft_the_invoice/app.py; '
            "a state's function bears the state's name."
        ),
        (
            "\"Draft the invoice\": it calls DraftFunction, whose CodeUri is 'functions/drafting' "
            "and not 'functions/draft_the_invoice'."
        ),
    ]


def test_two_states_whose_functions_were_swapped_are_named(tree: Path) -> None:
    edit(tree / "template.yaml", "!GetAtt OpenFunction.Arn", "!Ref DraftFunction")
    assert findings_of(tree) == [
        (
            "\"Open the run\": it calls DraftFunction, whose CodeUri is 'functions/draft_the_invoice' "
            "and not 'functions/open_the_run'."
        )
    ]


def test_a_state_that_gives_up_before_its_function_does_is_named(tree: Path) -> None:
    edit(tree / "template.yaml", "Timeout: 30", "Timeout: 60")
    findings = findings_of(tree)
    assert any('"Open the run": its TimeoutSeconds (60) must be above' in finding for finding in findings)
    assert not any("Ask for approval" in finding for finding in findings), "its time is the person's"


def test_a_definition_that_the_template_does_not_deploy_is_named(tree: Path) -> None:
    (tree / "statemachine/spare.asl.json").write_text(json.dumps(SOUND))
    expected = "spare.asl.json: no AWS::Serverless::StateMachine of template.yaml has it as DefinitionUri."
    assert findings_of(tree) == [expected]


def test_a_definition_that_is_no_json_is_named(tree: Path) -> None:
    edit(tree / "statemachine/billing.asl.json", '"StartAt"', "'StartAt'")
    assert any(finding.startswith("billing.asl.json: not JSON: ") for finding in findings_of(tree))


def test_a_folder_is_the_states_name_in_snake_case() -> None:
    assert State("Draft the invoice", {}, "").folder == "draft_the_invoice"
    assert State("Note the client's answer", {}, "").folder == "note_the_clients_answer"


def test_a_template_without_the_state_machine_is_no_crash(definition: dict[str, Any], tmp_path: Path) -> None:
    findings = check_template("billing.asl.json", definition, {"Resources": {}}, tmp_path)
    assert findings == ["billing.asl.json: no AWS::Serverless::StateMachine of template.yaml has it as DefinitionUri."]

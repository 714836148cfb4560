"""template.yaml gives what is needed and no more: what is taken away is missed by name, what is given is used."""

from __future__ import annotations

import ast
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.played import template_cuts as cut
from tests.played.firm import firm, order
from tests.played.story import deployed
from tests.sandbox import DeployError

RUNTIME = cut.REPOSITORY / "layers/billing/billing/runtime"
SUBSTITUTIONS = ("DraftTheInvoiceFunction", "RunsBucket", "StopTheRunFunction")


def _failure(tmp_path: Path, text: str) -> str:
    """Deploy this template, try to bill a month of one order, and give every word about what went wrong."""
    try:
        with deployed(firm([order(1)]), template=cut.write(tmp_path, text), retry_delay_scale=0.001) as sandbox:
            run = sandbox.fire_schedule()
            page = ""
            while sandbox.result(run).status == "RUNNING":
                if sandbox.is_waiting(run):
                    if page:
                        break  # a vote that cannot wake the run: it waits on, and the vote is kept
                    page = sandbox.answer(sandbox.wait_for_approval(run, 60)[0], "approve").text
                time.sleep(0.05)
            result = sandbox.result(run)
            assert result.status != "SUCCEEDED", "nothing was missed"
            words = [page, str(result), *(str(denial) for denial in sandbox.denials)]
            words += [f"{child.error} {child.cause}" for child in sandbox.children(run)]
            return " ".join([*words, *(line for _, line in sandbox.logs())])
    except DeployError as error:
        return str(error)


@pytest.mark.parametrize(
    ("resource", "sid", "action"),
    [
        ("OpenTheRunFunction", "TakeTheLock", "dynamodb:UpdateItem"),
        ("AskForApprovalFunction", "SealTheTaskToken", "kms:Encrypt"),
        ("ApprovalPageFunction", "WakeTheRun", "states:SendTaskSuccess"),
        ("ReadTheDecisionFunction", "RecordWhatWasApprovedAndWhatWasNot", "dynamodb:UpdateItem"),
        ("DraftTheInvoiceFunction", "HoldTheLock", "dynamodb:ConditionCheckItem"),
        ("MonthlyBilling", "StartTheMapRun", "states:StartExecution"),
    ],
)
def test_a_permission_that_is_taken_away_is_missed_by_name(
    tmp_path: Path, resource: str, sid: str, action: str
) -> None:
    said = _failure(tmp_path, cut.without_action(resource, sid, action))
    assert action in said


@pytest.mark.parametrize(
    ("resource", "variable"),
    [
        ("OpenTheRunFunction", "FIRM_TIME_ZONE"),
        ("ListTheSalesOrdersFunction", "ORDER_STATUSES"),
        ("DraftTheInvoiceFunction", "CUSTOMERS_TABLE"),
        ("CloseTheRunFunction", "SIGNING_SECRET_ARN"),
    ],
)
def test_an_environment_variable_that_is_taken_away_is_missed_by_name(
    tmp_path: Path, resource: str, variable: str
) -> None:
    assert f"{variable} is not set" in _failure(tmp_path, cut.without_line(resource, f"{variable}:"))


@pytest.mark.parametrize("name", SUBSTITUTIONS)
def test_a_substitution_that_is_taken_away_is_missed_by_name(tmp_path: Path, name: str) -> None:
    assert name in _failure(tmp_path, cut.without_line("MonthlyBilling", f"{name}: "))


@pytest.mark.parametrize(
    ("resource", "layer", "module"),
    [("DraftTheInvoiceFunction", "StripeLayer", "stripe"), ("ReadTheDecisionFunction", "BillingLayer", "billing")],
)
def test_a_layer_that_is_taken_away_is_missed_by_name(tmp_path: Path, resource: str, layer: str, module: str) -> None:
    assert f"No module named '{module}'" in _failure(tmp_path, cut.without_layer(resource, layer))


# ---- the same for all of them, without a deployment each --------------------------------------------------------


@cache
def _template() -> dict[str, Any]:
    return dict(yaml_parse(cut.TEMPLATE))


def _functions() -> dict[str, dict[str, Any]]:
    resources = _template()["Resources"]
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}


@cache
def _tree(module: str) -> ast.Module:
    """A module of billing.runtime by its dotted name below it ("connections.aws")."""
    return ast.parse((RUNTIME / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))


def _is_runtime_module(name: str) -> bool:
    return (RUNTIME / f"{name.replace('.', '/')}.py").is_file()


def _imported(tree: ast.Module) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """What a module imports of billing.runtime by local name: functions as (module, name), and modules."""
    functions, modules = {}, {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("billing.runtime"):
            package = (node.module or "").removeprefix("billing.runtime").removeprefix(".")
            for alias in node.names:
                dotted = f"{package}.{alias.name}".removeprefix(".")
                if _is_runtime_module(dotted):
                    modules[alias.asname or alias.name] = dotted
                else:
                    functions[alias.asname or alias.name] = (package, alias.name)
    return functions, modules


def _used(nodes: list[ast.AST], tree: ast.Module, own: str) -> set[tuple[str, str]]:
    """The definitions of billing.runtime that these nodes of a module use, as (module, name)."""
    functions, modules = _imported(tree)
    local = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    local |= {
        one.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for one in node.targets
        if isinstance(one, ast.Name)
    }
    found = set()
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in functions:
            found.add(functions[node.id])
        elif isinstance(node, ast.Name) and own and node.id in local:
            found.add((own, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


def _definition(module: str, name: str) -> ast.AST | None:
    for node in _tree(module).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets):
            return node.value
    return None


def _read_by(entry: str) -> set[str]:
    """The variables that an entry reads, those that its connections and parameters read included."""
    tree = ast.parse((cut.REPOSITORY / f"functions/{entry}/app.py").read_text(encoding="utf-8"))
    waiting: list[tuple[ast.AST, ast.Module, str]] = [(tree, tree, "")]
    found, seen = set[str](), set[tuple[str, str]]()
    while waiting:
        start, home, own = waiting.pop()
        nodes = list(ast.walk(start))
        for node in nodes:
            if isinstance(node, ast.Call) and node.args:
                value = getattr(node.args[0], "value", None)
                # By a method of the environment; a secret also by the function that reads the version asked about.
                named = r"[A-Z][A-Z0-9_]{3,}" if isinstance(node.func, ast.Attribute) else r"[A-Z][A-Z0-9_]+_SECRET_ARN"
                if isinstance(value, str) and re.fullmatch(named, value):
                    found.add(value)
        used = _used(nodes, home, own) - seen
        seen |= used
        for module, name in used:
            definition = _definition(module, name)
            if definition is not None:
                waiting.append((definition, _tree(module), module))
    return found


def _asked_with(function: str) -> set[str]:
    """What a custom resource hands to its function under the names of environment variables."""
    custom = (one["Properties"] for one in _template()["Resources"].values() if one["Type"].startswith("Custom::"))
    asking = [one for one in custom if one["ServiceToken"] == {"Fn::GetAtt": [function, "Arn"]}]
    return {name for one in asking for name in one if name.isupper()}


@pytest.mark.parametrize("function", sorted(_functions()))
def test_every_environment_variable_is_read_and_every_one_that_is_read_is_given(function: str) -> None:
    properties = _functions()[function]
    given = set(properties.get("Environment", {}).get("Variables", {})) | _asked_with(function)
    assert given == _read_by(properties["CodeUri"].rpartition("/")[2])


def test_every_substitution_is_used_in_the_state_machine_and_every_one_used_is_given() -> None:
    properties = _template()["Resources"]["MonthlyBilling"]["Properties"]
    text = (cut.REPOSITORY / properties["DefinitionUri"]).read_text(encoding="utf-8")
    assert set(properties["DefinitionSubstitutions"]) == set(re.findall(r"\$\{(\w+)\}", text))


def test_no_statement_allows_every_action_of_a_service_or_every_resource_without_need() -> None:
    # IAM knows no resources for these
    without_resources = {"WakeTheRun", "GoOnIfItIsDecidedAlready", "WriteItsLog", "SeeWhetherSesIsInItsSandbox"}
    for name, sid, actions, resource in _statements():
        assert not [action for action in actions if "*" in action], (name, sid)
        assert "*" not in resource or sid in without_resources, (name, sid)


def _statements() -> list[tuple[str, str, list[str], list[Any]]]:
    """(resource, Sid, actions, resources) of every inline statement that allows something."""
    found = []
    for name, one in _template()["Resources"].items():
        for policy in one.get("Properties", {}).get("Policies", []):
            if not isinstance(policy, dict):
                continue
            for given in policy["Statement"]:
                # One that is given on a condition stands between its name and what stands otherwise.
                statement = given["Fn::If"][1] if "Fn::If" in given else given
                actions, resource = statement["Action"], statement["Resource"]
                found.append(
                    (
                        name,
                        statement["Sid"],
                        [actions] if isinstance(actions, str) else list(actions),
                        list(resource) if isinstance(resource, list) else [resource],
                    )
                )
    return found

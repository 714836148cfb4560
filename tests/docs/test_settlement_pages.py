"""The pages about the settlement say what the code does: events, holds, externalIds, metadata keys, rows, alarms."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import product
from types import ModuleType
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from billing.domain.errors import SETTLEMENT_ENDS
from billing.domain.settlement import external_ids
from billing.domain.settlement.event_roots import EVENTS
from billing.domain.settlement.write_doubts import Rule
from billing.workflows.settlement import finish_the_pass
from tests.docs.repository import ARCHITECTURE, ROOT, RUNBOOK, fenced, only_fenced, section, table_rows

SETUP = ROOT / "docs" / "settlement-setup.md"
POLICIES = ROOT / "docs" / "settlement-policies.md"
QUESTIONS = ROOT / "docs" / "open-questions.md"
LAYER = ROOT / "layers" / "billing"
FOLDERS = ("domain/settlement", "workflows/settlement")
ADAPTERS = ("proofs", "settled_records", "settlement_bells")


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((LAYER / "billing" / folder).glob("*.py")):
            name = ".".join(path.relative_to(LAYER).with_suffix("").parts)
            yield importlib.import_module(name.removesuffix(".__init__")), ast.parse(path.read_text(encoding="utf-8"))


def names_of(value: ast.expr, module: ModuleType) -> set[str]:
    """What the first argument of a Hold may be. A form that is new here fails the test, so that no name escapes it."""
    if isinstance(value, ast.Constant):
        return {str(value.value)}
    if isinstance(value, ast.IfExp):
        return names_of(value.body, module) | names_of(value.orelse, module)
    if isinstance(value, ast.Name):
        return {str(getattr(module, value.id))}
    if ast.unparse(value).endswith("rule.value"):
        return {rule.value for rule in Rule}
    if ast.unparse(value) == "_names(name)":
        return {finish_the_pass._names(error) for error in SETTLEMENT_ENDS}
    raise AssertionError(f"{module.__name__}: which names can a Hold of {ast.unparse(value)} have?")


def holds_of_the_code() -> set[str]:
    found: set[str] = set()
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Hold":
                name = node.args[0] if node.args else next(one.value for one in node.keywords if one.arg == "name")
                found |= names_of(name, module)
    return found


def test_every_hold_that_the_code_can_give_is_in_the_runbook_and_no_other() -> None:
    rows = table_rows(section(RUNBOOK, "A settlement that is held"))
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(listed) == sorted(holds_of_the_code())
    assert all(row[1] and row[2] for row in rows if not row[0].startswith("**")), "what it means, and what to do"


def test_the_webhook_subscribes_to_the_events_that_ring() -> None:
    assert tuple(only_fenced(SETUP, "text", "events").split()) == EVENTS


def test_the_webhooks_secret_has_the_field_that_the_code_reads() -> None:
    (name,) = json.loads(only_fenced(SETUP, "json", "webhook-secret"))
    assert f'.get("{name}")' in inspect.getsource(importlib.import_module("billing.runtime.webhook"))


SAMPLES: dict[str, tuple[Any, ...]] = {
    "stripe_invoice": ("in_X",),
    "order_id": (None, "500"),
    "invoice_external_id": ("in_X", "in_X-so500"),
    "external_id": ("cn_X", "cbtxn_X"),
    "refund": ("re_X",),
    "dispute": ("dp_X",),
    "credit_note": ("cn_X",),
    "charge": ("ch_X",),
    "payout": ("po_X",),
    "number": (1, 2),
    "coupon": ("SPRING",),
    "price": ("price_X",),
    "item": ("coupon-SPRING",),
    "subsidiary": ("", "2"),
}
THEMSELVES = {"ch_X", "py_X", "re_X", "dp_X", "cus_X"}
"""Records whose externalId is Stripe's own id."""


def external_ids_of_the_code() -> set[str]:
    found = set(THEMSELVES)
    for name, function in inspect.getmembers(external_ids, inspect.isfunction):
        if function.__module__ == external_ids.__name__ and name not in ("is_legal", "legal"):
            arguments = [SAMPLES[parameter] for parameter in inspect.signature(function).parameters]
            found |= {function(*chosen) for chosen in product(*arguments)}
    return found


def test_every_external_id_is_in_the_table_of_what_becomes_what_and_no_other() -> None:
    rows = table_rows(section(ARCHITECTURE, "What becomes what"))
    listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row[2])]
    assert sorted(listed) == sorted(external_ids_of_the_code())


def test_every_metadata_key_that_is_written_back_is_in_the_table() -> None:
    """Of the customer it is written where its pair is found."""
    key = re.compile(r"netsuite_(?!so_|line_)[a-z_]+_id")
    constants = {
        node.value
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    rows = table_rows(section(ARCHITECTURE, "What becomes what"))
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row[3])}
    assert listed == {value for value in constants if key.fullmatch(value)}


def test_every_kind_of_row_in_the_settlements_table_is_on_the_architecture_page() -> None:
    listed = set(re.findall(r"`([A-Z]+)(?:#[^`]*)?`", section(ARCHITECTURE, "What lies where, of the settlement")))
    adapters = LAYER / "billing" / "adapters" / "dynamodb"
    code = "".join((adapters / f"{name}.py").read_text(encoding="utf-8") for name in ADAPTERS)
    assert listed == set(re.findall(r'f"([A-Z]+)#', code)) | set(re.findall(r'"pk": "([A-Z]+)"', code))


def flat(table: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in table.items():
        yield from flat(value, f"{before}{name}.") if isinstance(value, dict) else [f"{before}{name}"]


def test_every_policy_key_of_the_set_up_exists() -> None:
    (sample,) = fenced(POLICIES, "toml", "")
    known = {re.sub(r"^currencies\.\w+\.", "currencies.<code>.", key) for key in flat(tomllib.loads(sample))}
    rows = table_rows(section(SETUP, "2. NetSuite: accounts and items"))
    named = [key for row in rows for key in re.findall(r"`([^`]+)`", row[2])]
    assert named
    assert set(named) <= known


def test_every_open_question_says_what_the_code_does_and_how_to_settle_it() -> None:
    rows = table_rows(QUESTIONS.read_text(encoding="utf-8"))
    assert len(rows) > 50
    assert [row[0] for row in rows if len(row) != 3 or not all(row)] == []


def test_every_template_parameter_and_output_that_is_named_exists() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    known = {*template["Parameters"], *template["Outputs"], *template["Resources"]}
    text = SETUP.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:Settlement|Stripe|Sweep|NetSuite)[A-Z]\w+)(?:=\w+)?`", text))
    assert named
    assert named <= known

"""Promises of checks.start_loads: a function that begins to load more is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks import start_loads
from checks.start_loads import CEILINGS, check_tree, load_of
from checks.template import read_template

TEMPLATE = """
Resources:
  BillFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/bill}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One function that loads a module of ours of some 3 KiB, and stripe."""
    files = {
        "template.yaml": TEMPLATE,
        "functions/bill/app.py": "import boto3\nimport json\nfrom billing.payments import pay\n",
        "layers/billing/billing/__init__.py": "",
        "layers/billing/billing/payments.py": "import stripe\ndef pay(): ...\n" + "#" * 3000,
        CEILINGS: json.dumps({"BillFunction": {"kib": 3, "packages": ["stripe"]}}),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def findings(tree: Path) -> str:
    return " ".join(check_tree(tree, read_template(tree / "template.yaml")))


def test_a_function_below_its_ceiling_is_no_finding(tree: Path) -> None:
    assert load_of(tree, "functions/bill").kib == 3
    assert findings(tree) == ""


def test_more_source_of_our_own_than_the_ceiling_is_a_finding(tree: Path) -> None:
    (tree / "layers/billing/billing/more.py").write_text("#" * 2000)
    (tree / "functions/bill/app.py").write_text("from billing import more\nfrom billing.payments import pay\n")
    assert "BillFunction: loads 5 KiB" in findings(tree)


def test_a_package_that_was_not_loaded_before_is_a_finding(tree: Path) -> None:
    (tree / "functions/bill/app.py").write_text("import jinja2\nfrom billing.payments import pay\n")
    assert findings(tree) == f"BillFunction: loads jinja2 at its start, which {CEILINGS} does not allow it."


def test_a_function_without_a_ceiling_is_a_finding_until_it_is_given_one(tree: Path) -> None:
    (tree / CEILINGS).write_text('{"GoneFunction": {"kib": 1, "packages": []}}')
    assert "BillFunction: no ceiling" in findings(tree)
    assert "GoneFunction" in findings(tree)
    start_loads.main(tree)
    assert findings(tree) == ""
    assert json.loads((tree / CEILINGS).read_text()) == {"BillFunction": {"kib": 10, "packages": ["stripe"]}}

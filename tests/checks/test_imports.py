"""Promises of checks.imports: what counts as loaded by a function."""

from pathlib import Path

import pytest

from checks.imports import reached_from

FILES = {
    "billing/__init__.py": "",
    "billing/wiring.py": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import slack_sdk\n"
        "def table():\n"
        "    import boto3\n"
        "    return boto3\n"
        "def gateway():\n"
        "    from billing.adapters.payments import Payments\n"
        "    return Payments(table())\n"
        "class Notifier:\n"
        "    def post(self):\n"
        "        import slack_sdk\n"
    ),
    "billing/adapters/__init__.py": "import decimal\n",
    "billing/adapters/payments.py": "import stripe\nclass Payments: ...\n",
    "billing/pages.py": "import jinja2\nTEXT = 'x'\n",
    "billing/tracing.py": "import functools\ndef traced(f):\n    import aws_xray_sdk\n    return f\n",
}


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "layer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "layer"


def packages(layer: Path, source: str) -> set[str]:
    entry = layer.parent / "app.py"
    entry.write_text(source)
    return reached_from(entry, layer).packages - {"typing"}


def test_an_import_inside_a_function_counts_when_that_function_is_used(layer: Path) -> None:
    source = "from billing.wiring import gateway\ndef handler(event, context):\n    return gateway()\n"
    assert packages(layer, source) == {"stripe", "boto3", "decimal"}


def test_an_import_inside_a_function_that_nobody_uses_does_not_count(layer: Path) -> None:
    source = "from billing.wiring import table\ndef handler(event, context):\n    return table()\n"
    assert packages(layer, source) == {"boto3"}


def test_a_module_is_loaded_by_any_import_of_it(layer: Path) -> None:
    assert packages(layer, "from billing.pages import TEXT\n") == {"jinja2"}
    assert packages(layer, "import billing.pages\n") == {"jinja2"}
    assert packages(layer, "from billing import pages\n") == {"jinja2"}


def test_a_name_used_through_its_module_counts(layer: Path) -> None:
    assert packages(layer, "from billing import wiring\ndef handler():\n    wiring.table()\n") == {"boto3"}
    assert packages(layer, "import billing.wiring\ndef handler():\n    billing.wiring.table()\n") == {"boto3"}
    assert packages(layer, "import billing.wiring as w\ndef handler():\n    w.Notifier().post()\n") == {"slack_sdk"}


def test_an_import_for_type_checking_never_counts(layer: Path) -> None:
    source = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import stripe\n"
        "else:\n"
        "    import json\n"
        "def handler():\n"
        "    if TYPE_CHECKING:\n"
        "        import requests\n"
    )
    assert packages(layer, source) == {"json"}


def test_a_decorator_runs_with_the_module_and_counts(layer: Path) -> None:
    source = "from billing.tracing import traced\n@traced\ndef handler(): ...\n"
    assert packages(layer, source) == {"functools", "aws_xray_sdk"}

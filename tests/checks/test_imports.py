"""Promises of checks.imports: what counts as loaded by a function."""

from pathlib import Path

import pytest

from checks.imports import reached_from

FILES = {
    "billing/__init__.py": "",
    "billing/payments.py": "from billing.adapters.gateway import Gateway\ndef pay(): ...\n",
    "billing/adapters/__init__.py": "import decimal\n",
    "billing/adapters/gateway.py": (
        "from typing import TYPE_CHECKING\n"
        "import stripe\n"
        "if TYPE_CHECKING:\n"
        "    import slack_sdk\n"
        "class Gateway:\n"
        "    def call(self):\n"
        "        import requests\n"
    ),
    "billing/pages.py": "import jinja2\nTEXT = 'x'\n",
    "billing/spare.py": "import pandas\n",
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


def test_an_entry_loads_what_it_imports_and_all_that_this_imports(layer: Path) -> None:
    """Packages' own files run on the way; one inside a function runs at the latest when that function does."""
    assert packages(layer, "from billing.payments import pay\n") == {"stripe", "requests", "decimal"}


def test_what_no_import_leads_to_is_not_loaded(layer: Path) -> None:
    assert packages(layer, "import json\nimport billing\n") == {"json"}


def test_a_module_is_loaded_by_any_import_of_it(layer: Path) -> None:
    assert packages(layer, "from billing.pages import TEXT\n") == {"jinja2"}
    assert packages(layer, "import billing.pages\n") == {"jinja2"}
    assert packages(layer, "from billing import pages\n") == {"jinja2"}
    assert packages(layer, "def handler():\n    try:\n        from billing import pages\n    finally: ...\n") == {
        "jinja2"
    }


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

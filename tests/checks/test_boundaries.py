"""Promises of `lint-imports`, which `make lint` runs: the house's order is kept, and a breach of it is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run it on a tree as the Makefile does."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree / 'layers/billing'}:{tree}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the contracts are about."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for folder in ("layers/billing/billing", "oncall"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_this_repository_keeps_every_boundary() -> None:
    done = lint(REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "planted", "said"),
    [
        ("oncall/terminal.py", "import billing.workflows.ports", "oncall is not allowed to import billing.workflows"),
        ("workflows/ports.py", "import oncall.exits", "billing is not allowed to import oncall"),
        ("domain/money/money.py", "import boto3", "billing.domain is not allowed to import boto3"),
        ("domain/money/money.py", "import time", "billing.domain is not allowed to import time"),
        ("domain/orders/tax_base.py", "import billing.pages.csv_file", "billing.domain is not allowed to import"),
        ("domain/orders/tax_base.py", "import billing.domain.batch.batch", "billing.domain.orders is not allowed"),
        ("pages/formatting.py", "import billing.adapters.slack", "billing.pages is not allowed to import"),
        ("adapters/slack.py", "import billing.pages.formatting", "billing.adapters is not allowed to import"),
        ("adapters/slack.py", "import billing.adapters.aws.secrets", "billing.adapters.slack is not allowed"),
        ("workflows/ports.py", "import billing.adapters.slack", "billing.workflows is not allowed to import"),
        ("workflows/ports.py", "import billing.runtime.clock", "billing.workflows is not allowed to import"),
    ],
)
def test_a_planted_import_is_named(tree: Path, module: str, planted: str, said: str) -> None:
    path = tree / ("." if module.startswith("oncall/") else "layers/billing/billing") / module
    future = "from __future__ import annotations\n"
    text = path.read_text(encoding="utf-8")
    assert future in text
    path.write_text(text.replace(future, f"{future}{planted}\n", 1), encoding="utf-8")
    done = lint(tree)
    assert done.returncode == 1
    assert said in done.stdout

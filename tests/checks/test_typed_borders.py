"""Promises of checks.typed_borders: what was typed at the borders stays so."""

from pathlib import Path

import pytest

from checks.typed_borders import LAYER, check_tree

REPOSITORY = Path(__file__).parents[2]

PLANTED = [
    ("workflows/monthly_billing/x.py", "def f(run):\n    return run['id']\n", 'run["id"]'),
    ("pages/report/x.py", "def f(report):\n    return report.run['id']\n", 'run["id"]'),
    ("domain/runs/x.py", "def f(state: Mapping[str, Any]) -> None: ...\n", "Mapping[str, Any]"),
    ("workflows/approval/x.py", "def f() -> Mapping[str, Any] | None: ...\n", "Mapping[str, Any]"),
    ("adapters/slack.py", "def f(a, b, c, d, e, f, g, h, i): ...\n", "has 9 parameters"),
]


def planted(root: Path, name: str, text: str) -> list[str]:
    path = root / LAYER / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return [one for one in check_tree(root) if "exception" not in one]


@pytest.mark.parametrize(("name", "text", "said"), PLANTED)
def test_what_must_not_come_back_is_named_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    (finding,) = planted(tmp_path, name, text)
    assert finding.startswith(f"{LAYER}/{name}:")
    assert said in finding


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workflows/approval/x.py", "def f(run: Run, a, b, c, d, e, g, h): return run.id\n"),
        ("domain/settlement/x.py", "def f(record: Mapping[str, Any]) -> str: ...\n"),
        ("adapters/slack.py", "class C:\n    def f(self, a, b, c, d, e, g, h, i): ...\n"),
        ("adapters/slack.py", "def f(body: Mapping[str, Any]): return body['run']['id']\n"),
    ],
)
def test_what_may_be_there_is_no_finding(tmp_path: Path, name: str, text: str) -> None:
    assert planted(tmp_path, name, text) == []


def test_an_exception_that_is_not_needed_any_more_is_a_finding(tmp_path: Path) -> None:
    assert any("domain/run.py is not needed" in one for one in check_tree(tmp_path))


def test_the_repository_has_no_finding() -> None:
    assert check_tree(REPOSITORY) == []

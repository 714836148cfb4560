"""Promises of checks.forbidden_words. Forbidden texts are put together here, so that this file holds none."""

import subprocess
from pathlib import Path

import pytest

from checks.forbidden_words import check_text, check_tree

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "pieces",
    [
        ("see /wo", "rk/main/notes"),
        ("cd /ro", "ot"),
        ("/ho", "me/ann/project"),
        ("--index-url https://py", "pi.org/simple"),
        ("https://files.pythonho", "sted.org/packages/aa"),
        ("https://registry.npm", "js.org/axe-core"),
        ("http://deb.deb", "ian.org/debian"),
        ("../sha", "red"),
        ("read sha", "red/facts first"),
    ],
)
def test_a_forbidden_text_is_named_with_its_file_and_line(pieces: tuple[str, str]) -> None:
    findings = check_text("README.md", "a first line\n" + "".join(pieces) + "\n")
    assert len(findings) == 1
    assert findings[0].startswith("README.md:2: ")


@pytest.mark.parametrize(
    "line",
    [
        "the network/worker answers",
        "a GET of /approvals/work/1",
        "shared by two layers",
        "share/doc",
        "/rooted/tree",
        "https://api.stripe.com/v1/invoices",
    ],
)
def test_ordinary_texts_are_let_pass(line: str) -> None:
    assert check_text("README.md", line) == []


def test_files_that_git_would_add_are_read_and_ignored_ones_are_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    bad = "cd /wo" + "rk/main\n"
    (tmp_path / "new.txt").write_text(bad)
    (tmp_path / "ignored.txt").write_text(bad)
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    (tmp_path / "picture.png").write_bytes(b"\x00" + bad.encode())
    assert [finding.partition(":")[0] for finding in check_tree(tmp_path)] == ["new.txt"]


def test_this_repository_names_nothing_forbidden() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git repository (a source archive): there is no list of committed files")
    assert check_tree(REPOSITORY) == []

"""A function's process is a fork that shows no trace of it: what it imports, holds open and hashes is its own."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.aws.runtime import nurseries
from tests.sandbox.aws.runtime.packages import find_interpreter, runtime_path
from tests.sandbox_tests.aws.small_world import edited, small_sandbox

LOOKED = """
    if do == "look inside":
        links = []
        for entry in sorted(os.listdir("/proc/self/fd"), key=int):
            try:
                links.append(os.readlink(f"/proc/self/fd/{entry}"))
            except OSError:
                pass
        return {
            "six": sys.modules["six"].__file__,
            "parent": os.getppid(),
            "links": links,
            "hash": hash("a text"),
            "session": os.getsid(0) == os.getpid(),
            "bootstrap": "bootstrap" in sys.modules,
        }
    if do == "exit":
"""
WHERE = """
def handler(event, context):
    if "where" in event:
        import boto3
        import jmespath
        return jmespath.__file__
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small template, with a layer and a function's code that each bring a package which Lambda has, too."""
    folder = tmp_path_factory.mktemp("starts")
    template = edited(folder, {'\n    if do == "exit":\n': LOOKED}, "functions/note/app.py")
    runtime = Path(runtime_path(find_interpreter()))
    shutil.copy(runtime / "six.py", template.parent / "layer" / "six.py")
    code = template.parent / "functions" / "page"
    shutil.copytree(runtime / "jmespath", code / "jmespath", ignore=shutil.ignore_patterns("__pycache__"))
    edited(folder, {"def handler(event, context):\n": WHERE}, "functions/page/app.py")
    return template


@pytest.fixture(scope="module")
def sandbox(copy: Path) -> Iterator[Sandbox]:
    with small_sandbox(template=copy) as opened:
        yield opened


def _open_in(process: int) -> set[str]:
    return {str(entry.readlink()) for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()}


def _look(sandbox: Sandbox) -> dict[str, Any]:
    return dict(sandbox.invoke("NoteFunction", {"event": {"do": "look inside"}}))


def test_a_layers_own_version_of_what_lambda_has_is_the_one_imported(sandbox: Sandbox, copy: Path) -> None:
    assert _look(sandbox)["six"] == str(copy.parent / "layer" / "six.py")


def test_a_functions_own_version_of_what_lambda_has_is_the_one_imported(sandbox: Sandbox, copy: Path) -> None:
    found = sandbox.invoke("PageFunction", {"where": True})
    assert found == str(copy.parent / "functions" / "page" / "jmespath" / "__init__.py")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed in /proc")
def test_nothing_of_another_process_is_open_in_it(sandbox: Sandbox) -> None:
    for _ in range(nurseries.STARTS_FIRST + 1):  # the first starts of a kind are no forks
        sandbox.aws.functions.restart()
        seen = _look(sandbox)
    # Standard output, standard error, and the pipe by which it learns that the sandbox is gone.
    assert len({link for link in seen["links"] if link.startswith("pipe:")}) == 3
    here = {link for link in _open_in(os.getpid()) if link.startswith("socket:")}
    assert here & set(seen["links"]) == set()
    assert _open_in(seen["parent"]) & set(seen["links"]) <= {"/dev/null"}
    assert seen["session"]
    assert not seen["bootstrap"]


def test_processes_that_follow_each_other_hash_differently(sandbox: Sandbox) -> None:
    seen = []
    for _ in range(nurseries.STARTS_FIRST + nurseries.STARTS_BEFORE_A_TWIN + 4):
        sandbox.aws.functions.restart()
        seen.append(_look(sandbox)["hash"])
    assert all(one != following for one, following in itertools.pairwise(seen[-4:]))

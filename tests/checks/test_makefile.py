"""Promises of the Makefile and of the layers' recipe, tried with make itself and a stand-in for Python."""

import os
import subprocess
from pathlib import Path

import pytest

from checks.built_sizes import main as built_sizes
from checks.lock import commands

REPOSITORY = Path(__file__).parents[2]


def make(*arguments: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    # make tells its children about itself; these runs are nobody's children.
    outer = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(["make", *arguments], cwd=folder, env=outer, capture_output=True, text=True, check=False)


@pytest.fixture
def warm(tmp_path: Path) -> Path:
    """An environment that is installed already, whose python prints what it was given."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "python: $*"\necho "WORLD=$WORLD ANSWER=$ANSWER PARAMS=$PARAMS"\n')
    python.chmod(0o755)
    (tmp_path / ".sandbox").touch()
    return tmp_path


def test_a_warm_demo_installs_nothing_and_prints_only_what_the_demo_prints(warm: Path) -> None:
    done = make("demo", f"VENV={warm}", "WORLD=big.json", "ANSWER=approve", "PARAMS=TaxMode=none")
    assert done.stdout.splitlines() == [
        "python: -m tests.sandbox.demo",
        "WORLD=big.json ANSWER=approve PARAMS=TaxMode=none",
    ]
    assert done.stderr == ""


def test_changed_pins_are_installed_before_the_demo_and_stay_off_its_output(warm: Path) -> None:
    os.utime(warm / ".sandbox", (0, 0))
    done = make("demo", f"VENV={warm}", "ANSWER=reject")
    assert done.stdout.splitlines()[0] == "python: -m tests.sandbox.demo"
    assert "--require-hashes --no-deps --requirement requirements/sandbox.txt" in done.stderr


@pytest.mark.parametrize(
    "target", ["demo", "test", "test-313", "lint", "build", "deploy", "oncall", "bench", "lock", "clean"]
)
def test_help_names_every_command(target: str) -> None:
    lines = make("help").stdout.splitlines()
    assert any(line.startswith(f"  make {target} ") for line in lines)


def test_without_python_3_13_a_build_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".build").touch()
    done = make("build", "PYTHON_313=", f"VENV_BUILD={tmp_path}")
    assert done.returncode != 0
    assert "No python3.13 was found" in done.stderr


@pytest.mark.parametrize("layer", ["netsuite", "pages", "powertools", "slack", "stripe"])
def test_a_layer_takes_only_arm64_wheels_with_the_hashes_that_are_pinned(layer: str) -> None:
    folder = REPOSITORY / "layers" / layer
    done = make("-n", "-f", str(folder / "Makefile"), "build-AnyLayer", "ARTIFACTS_DIR=out", folder=folder)
    assert done.returncode == 0, done.stderr
    command = done.stdout.replace("\\\n", " ").split()
    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:"):
        assert option in command
    platforms = [command[place + 1] for place, word in enumerate(command) if word == "--platform"]
    assert platforms
    assert all(platform.endswith("_aarch64") for platform in platforms)


def test_every_requirements_file_is_locked_and_held_to_one_resolution() -> None:
    found = commands(REPOSITORY, ["--upgrade"])
    outputs = {command[-1] for command in found}
    sources = [*REPOSITORY.glob("requirements/*.in"), *REPOSITORY.glob("layers/*/requirements.in")]
    assert outputs == {str(path.relative_to(REPOSITORY).with_suffix(".txt")) for path in sources}
    free = {command[-1] for command in found if "--constraints" not in command}
    assert free == {"requirements/dev.txt", "requirements/build.txt", "requirements/policy.txt"}
    assert all("--generate-hashes" in command and "--upgrade" in command for command in found)


def test_built_sizes_are_listed_largest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("SmallLayer", 512), ("LargeLayer", 2048)):
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / "module.py").write_bytes(b"#" * size)
    assert built_sizes(tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["| LargeLayer | 2.0 |", "| SmallLayer | 0.5 |"]


def test_nothing_built_is_an_error(tmp_path: Path) -> None:
    assert built_sizes(tmp_path / "gone") == 1

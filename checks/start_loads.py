"""What each function loads at its start stays below a ceiling: the cold start pays for every module.

Seconds differ from machine to machine, so what is compared is the source that is loaded: our own in KiB, as the imports
lead to it, and the third parties' packages by name. `make bench` measures the milliseconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from checks.imports import reached_from
from checks.template import Template, read_template, resources_of

CEILINGS = "checks/start_ceilings.json"
_ROOM = 1.1
_STEP = 10


@dataclass(frozen=True)
class Load:
    """KiB of our own source, and the packages of third parties."""

    kib: int
    packages: tuple[str, ...]


def load_of(root: Path, code_uri: str) -> Load:
    """What the entry below `code_uri` loads. boto3 and what it brings is in the runtime and in every function."""
    reached = reached_from(root / code_uri / "app.py", root / "layers" / "billing")
    size = sum(path.stat().st_size for path in reached.modules)
    runtime = {"boto3", "botocore", *sys.stdlib_module_names}
    return Load(-(-size // 1024), tuple(sorted(reached.packages - runtime)))


def check_tree(root: Path, template: Template) -> list[str]:
    """Findings about functions that load more than their ceiling allows, or that have none."""
    path = root / CEILINGS
    ceilings: Mapping[str, Mapping[str, object]] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    functions = resources_of(template, "AWS::Serverless::Function")
    found = [f"{name}: {CEILINGS} has a ceiling for it, and the template has no such function." for name in ceilings
             if name not in functions]  # fmt: skip
    for name, function in functions.items():
        if name not in ceilings:
            found.append(f"{name}: no ceiling for what it loads; run `python -m checks.start_loads`.")
            continue
        load, ceiling = load_of(root, str(function["CodeUri"])), _read(ceilings[name])
        if load.kib > ceiling.kib:
            found.append(
                f"{name}: loads {load.kib} KiB of our own source at its start, its ceiling is {ceiling.kib}. Import "
                f"less, or raise the ceiling in {CEILINGS} and say in the commit what it is worth."
            )
        found += [
            f"{name}: loads {package} at its start, which {CEILINGS} does not allow it."
            for package in load.packages
            if package not in ceiling.packages
        ]
    return found


def _read(ceiling: Mapping[str, object]) -> Load:
    packages = ceiling["packages"]
    return Load(int(str(ceiling["kib"])), tuple(packages) if isinstance(packages, list) else ())


def main(root: Path) -> None:
    """Write ceilings for functions that have none; those that there are stay."""
    path = root / CEILINGS
    ceilings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    functions = resources_of(read_template(root / "template.yaml"), "AWS::Serverless::Function")
    for name, function in functions.items():
        if name not in ceilings:
            load = load_of(root, str(function["CodeUri"]))
            ceilings[name] = asdict(Load(int(-(-load.kib * _ROOM // _STEP)) * _STEP, load.packages))
    kept = {name: ceilings[name] for name in sorted(functions)}
    lines = (f'  "{name}": {json.dumps(ceiling)}' for name, ceiling in kept.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())

"""What a cold start loads: modules and time to import each function's entry, boto3 already there as in Lambda's
runtime. The imports alone are run, so that no client is made and no parameter is read.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from checks.template import read_template, resources_of

ROOT = Path(__file__).parents[1]
_REPEATS = 3
_MARK = "-- from here on --"
_RUN = f"import boto3, sys; sys.stderr.write({_MARK!r} + '\\n'); exec(compile(sys.stdin.read(), 'entry', 'exec'))"


@dataclass(frozen=True)
class Start:
    """Of one function: milliseconds of all imports, and by package ("python" is the standard library) how many modules
    it loads and how many of the milliseconds are its own."""

    milliseconds: float
    modules: dict[str, int]
    by_package: dict[str, float]


def starts() -> dict[str, Start]:
    """By function's logical id, slowest first."""
    functions = resources_of(read_template(ROOT / "template.yaml"), "AWS::Serverless::Function")
    found = {name: start_of(ROOT / str(function["CodeUri"]) / "app.py") for name, function in functions.items()}
    return dict(sorted(found.items(), key=lambda one: -one[1].milliseconds))


def start_of(entry: Path) -> Start:
    """The quickest of a few processes."""
    tree = ast.parse(entry.read_text(encoding="utf-8"))
    imports = ast.Module([one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)], [])
    return min((_once(ast.unparse(imports)) for _ in range(_REPEATS)), key=lambda start: start.milliseconds)


def _once(source: str) -> Start:
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", _RUN],
        input=source,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "layers/billing"), "AWS_DEFAULT_REGION": "us-east-1", **_POWERTOOLS},
    )
    modules: Counter[str] = Counter()
    microseconds: Counter[str] = Counter()
    for line in answer.stderr.partition(_MARK)[2].splitlines():
        own, _, name = (part.strip() for part in (*line.removeprefix("import time:").split("|"), "", "")[:3])
        if line.startswith("import time:") and own.isdigit():
            package = name.partition(".")[0]
            package = "python" if package in sys.stdlib_module_names else package
            modules[package] += 1
            microseconds[package] += int(own)
    by_package = {package: count / 1000 for package, count in microseconds.most_common()}
    return Start(sum(by_package.values()), dict(sorted(modules.items())), by_package)


_POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "POWERTOOLS_TRACE_DISABLED": "false",
}

"""The files of pins are whole: one version of a package everywhere, and every pin with hashes."""

from __future__ import annotations

import re
from pathlib import Path

ALONE = ("build.txt", "policy.txt")
"""SAM's command line and checkov pin other versions of the same packages; neither environment is mixed with ours."""

LAMBDA_HAS = frozenset({"boto3", "botocore", "s3transfer"})
"""31 MB that Lambda's runtime brings; no layer holds them."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")


def distribution_name(name: str) -> str:
    """A distribution's name as the packaging standard compares it: lower case, one dash for any separator."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, set[str]]:
    """Pinned versions by distribution; more than one where a marker picks by Python's version."""
    pins: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _PIN.match(line)
        if match:
            pins.setdefault(distribution_name(match.group(1)), set()).add(match.group(2))
    return pins


def pin_files(root: Path) -> list[Path]:
    """Every file of pins of the repository: requirements/*.txt and layers/*/requirements.txt."""
    return sorted([*(root / "requirements").glob("*.txt"), *(root / "layers").glob("*/requirements.txt")])


def check_hashes(name: str, text: str) -> list[str]:
    """Every requirement is pinned by == and has at least one hash."""
    findings = []
    for entry in text.replace("\\\n", " ").splitlines():
        requirement = entry.partition("--hash")[0].strip()
        if not requirement or requirement.startswith("#"):
            continue
        if not _PIN.match(requirement):
            findings.append(f"{name}: {requirement!r} is not pinned by ==; run `make lock`.")
        elif "--hash=sha256:" not in entry:
            findings.append(f"{name}: {requirement!r} has no hash; run `make lock`.")
    return findings


def check_wanted(path: Path) -> list[str]:
    """Everything that the .in file beside `path` asks for is pinned, in the version it asks for."""
    source = path.with_suffix(".in")
    if not source.is_file():
        return [f"{path.name}: has no {source.name} beside it that says what was asked for."]
    pins = read_pins(path)
    findings = []
    for line in source.read_text(encoding="utf-8").splitlines():
        wanted = re.match(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:==(\S+))?", line)
        if not wanted:
            continue
        versions = pins.get(distribution_name(wanted.group(1)), set())
        if not versions or (wanted.group(2) and wanted.group(2) not in versions):
            findings.append(f"{path.parent.name}/{source.name} asks for {line.strip()}; run `make lock`.")
    return findings


def _listed(versions: set[str]) -> str:
    return ", ".join(sorted(versions))


def check_tree(root: Path) -> list[str]:
    """Check all files of pins below `root`, one by one and against each other."""
    findings = []
    seen: dict[str, tuple[Path, set[str]]] = {}
    for path in pin_files(root):
        name = str(path.relative_to(root))
        findings += check_hashes(name, path.read_text(encoding="utf-8"))
        findings += check_wanted(path)
        pins = read_pins(path)
        if path.parent.parent.name == "layers":
            findings += [
                f"{name}: holds {package}, which Lambda's runtime brings." for package in sorted(LAMBDA_HAS & set(pins))
            ]
        if path.name in ALONE:
            continue
        for package, versions in pins.items():
            first, there = seen.setdefault(package, (path, versions))
            if not (versions <= there or there <= versions):
                findings.append(
                    f"{name}: pins {package} {_listed(versions)}, but {first.relative_to(root)} pins "
                    f"{_listed(there)}; run `make lock`."
                )
    return findings

"""Every function is short, and its layers are exactly those that its imports need.

A Lambda pays for each import in its cold start, and a layer that is attached for nothing hides which function
talks to whom.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from checks.imports import reached_from
from checks.pins import distribution_name, read_pins
from checks.template import Template, names_in, resources_of

LONGEST_ENTRY = 60
"""Lines of an entry file: it says what it is made of, and calls one function of `billing.workflows`."""

MOST_LAYERS = 5
"""Layers that Lambda takes per function (AWS Lambda quotas)."""

OWN = "billing"
RUNTIME = frozenset({"boto3", "botocore"})
"""Packages that Lambda's Python runtime brings and that no layer holds."""


def providers(root: Path) -> dict[str, set[str]]:
    """For every importable package, the layers' folders that hold it. Needs the packages to be installed."""
    found: dict[str, set[str]] = {OWN: {OWN}}
    by_package = packages_distributions()
    for requirements in sorted((root / "layers").glob("*/requirements.txt")):
        pinned = set(read_pins(requirements))
        for package, distributions in by_package.items():
            if pinned & {distribution_name(name) for name in distributions}:
                found.setdefault(package, set()).add(requirements.parent.name)
    return found


def check_function(
    root: Path,
    logical_id: str,
    properties: Mapping[str, Any],
    layer_folders: Mapping[str, str],
    provided_by: Mapping[str, set[str]],
) -> Iterator[str]:
    """Findings about one function; `layer_folders` maps layers' logical ids to their folders' names."""
    folder = root / str(properties.get("CodeUri", ""))
    entry = folder / "app.py"
    if not entry.is_file():
        yield f"{logical_id}: its CodeUri {properties.get('CodeUri')!r} holds no app.py."
        return
    name = entry.relative_to(root)
    source = entry.read_text(encoding="utf-8")
    lines = len(source.splitlines())
    if lines > LONGEST_ENTRY:
        yield f"{name}: has {lines} lines, at most {LONGEST_ENTRY}; what it decides belongs in billing.workflows."
    handler = str(properties.get("Handler", ""))
    defined = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    if handler.rpartition(".")[0] != "app" or handler.rpartition(".")[2] not in defined:
        yield f"{logical_id}: its Handler {handler!r} is no function of {name}."

    attached = set()
    for layer in properties.get("Layers", []):
        ids = names_in(layer) & set(layer_folders)
        if not ids:
            yield f"{logical_id}: the layer {layer!r} is not one of this template."
        attached |= {layer_folders[layer_id] for layer_id in ids}
    if len(properties.get("Layers", [])) > MOST_LAYERS:
        yield f"{logical_id}: has {len(properties['Layers'])} layers; Lambda takes {MOST_LAYERS}."

    needed: set[str] = set()
    reached = reached_from(entry, root / "layers" / OWN)
    packages = reached.packages - sys.stdlib_module_names - RUNTIME
    if reached.modules:
        packages.add(OWN)
    for package in sorted(packages):
        holders = provided_by.get(package, set())
        if not holders:
            yield f"{name}: imports {package}, which is in no layer and not in Lambda's runtime."
        elif not holders & attached:
            yield f"{name}: imports {package}; {logical_id} needs the layer {' or '.join(sorted(holders))}."
        needed |= holders & attached
    for spare in sorted(attached - needed):
        yield f"{name}: {logical_id} attaches the layer {spare}, of which it imports nothing."


def check_tree(root: Path, template: Template) -> list[str]:
    """Check every function of the template, and that every folder of functions/ is one of them."""
    layer_folders = {
        logical_id: Path(str(properties.get("ContentUri", ""))).name
        for logical_id, properties in resources_of(template, "AWS::Serverless::LayerVersion").items()
    }
    provided_by = providers(root)
    findings: list[str] = []
    deployed = set()
    for logical_id, properties in resources_of(template, "AWS::Serverless::Function").items():
        deployed.add((root / str(properties.get("CodeUri", ""))).resolve())
        findings += check_function(root, logical_id, properties, layer_folders, provided_by)
    findings += [
        f"{entry.parent.relative_to(root)}: no function of template.yaml has it as CodeUri."
        for entry in sorted((root / "functions").glob("*/app.py"))
        if entry.parent.resolve() not in deployed
    ]
    return findings

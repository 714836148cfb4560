"""Layers of third parties are built by their Makefile, which compares every hash and brings no botocore."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checks.template import Template

ARCHITECTURE = "arm64"
"""What layers/third_party.mk downloads wheels for (aarch64)."""


def check_layer(root: Path, logical_id: str, resource: Mapping[str, Any], architectures: set[str]) -> list[str]:
    """Findings about one layer; `architectures` is what the functions run on."""
    folder = str((resource.get("Properties") or {}).get("ContentUri", ""))
    if not (root / folder).is_dir():
        return [f"{logical_id}: its ContentUri {folder!r} is no folder."]
    if not (root / folder / "Makefile").is_file():
        return []
    findings = []
    metadata = resource.get("Metadata") or {}
    if metadata.get("BuildMethod") != "makefile":
        findings.append(
            f"{logical_id}: its BuildMethod must be makefile, not {metadata.get('BuildMethod')!r}; "
            "SAM's pip build leaves hashes of arm64 wheels unread and brings botocore (docs/decisions/0001)."
        )
    if architectures != {ARCHITECTURE}:
        findings.append(
            f"{logical_id}: is built for {ARCHITECTURE}, but the functions run on "
            f"{', '.join(sorted(architectures))}; change layers/third_party.mk with the template."
        )
    return findings


def check_tree(root: Path, template: Template) -> list[str]:
    """Check every layer of the template."""
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    defaults = (template.get("Globals") or {}).get("Function") or {}
    architectures = {
        str(name)
        for resource in resources.values()
        if resource.get("Type") == "AWS::Serverless::Function"
        for name in {**defaults, **(resource.get("Properties") or {})}.get("Architectures", ["x86_64"])
    }
    return [
        finding
        for logical_id, resource in resources.items()
        if resource.get("Type") == "AWS::Serverless::LayerVersion"
        for finding in check_layer(root, logical_id, resource, architectures)
    ]

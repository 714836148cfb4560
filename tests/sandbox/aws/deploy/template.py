"""Reads a SAM template, notes where its code lies, and lets SAM's own translator make plain CloudFormation."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.sandbox.aws.errors import DeployError

LOCAL_BUCKET = "sandbox-local-code"
"""Stands in the translated template where `sam package` would have put its bucket."""

_CODE_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
_GLOBALS_SECTION = {"AWS::Serverless::Function": "Function", "AWS::Serverless::StateMachine": "StateMachine"}


@dataclass(frozen=True)
class LocalCode:
    """A directory (function, layer) or file (state machine) of the repository.

    `build_method` is the resource's `Metadata.BuildMethod`, None where the template gives none.
    """

    path: Path
    build_method: str | None = None


@dataclass(frozen=True)
class LocalTemplate:
    """Plain CloudFormation, and the local code its `S3Key`s stand for."""

    path: Path
    plain: Mapping[str, Any]
    code: Mapping[str, LocalCode] = field(default_factory=dict)


def read_template(path: Path) -> dict[str, Any]:
    """The template as it is written, one's own copy."""
    return copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=4)
def _parsed(text: str) -> dict[str, Any]:
    # Reading the YAML takes longer than to translate it, and every sandbox of a process reads the same.
    return dict(yaml_parse(text))


def load_template(path: Path, parameter_values: Mapping[str, Any]) -> LocalTemplate:
    """Translate the SAM template at `path`.

    Raises DeployError with SAM's own words if the translator refuses it, or if code is missing on disk.
    Local paths become S3 places for the translator, exactly as `sam package` does before a deploy.
    """
    if not path.is_file():
        raise DeployError(f"There is no template at {path}")
    source = read_template(path)
    code = _note_local_code(source, path)
    try:
        plain = Translator(None, Parser()).translate(
            copy.deepcopy(source),
            parameter_values=dict(parameter_values),
            get_managed_policy_map=dict,
        )
    except InvalidDocumentException as refusal:
        reasons = "; ".join(cause.message for cause in refusal.causes) or refusal.message
        raise DeployError(f"{path.name}: SAM refuses the template: {reasons}") from refusal
    return LocalTemplate(path=path, plain=json.loads(json.dumps(plain)), code=code)


def _note_local_code(source: dict[str, Any], path: Path) -> dict[str, LocalCode]:
    code: dict[str, LocalCode] = {}
    shared = source.get("Globals") or {}
    for logical_id, resource in (source.get("Resources") or {}).items():
        name = _CODE_PROPERTIES.get(resource.get("Type", ""))
        if name is None:
            continue
        properties = resource.setdefault("Properties", {})
        defaults = shared.get(_GLOBALS_SECTION.get(resource["Type"], ""), {}) or {}
        place = properties.get(name, defaults.get(name))
        if place is None:
            if "Inline" in name or "Definition" in properties or "InlineCode" in properties:
                raise DeployError(f"{logical_id}: code written inside the template is not supported; use {name}")
            raise DeployError(f"{logical_id}: {name} is missing")
        if not isinstance(place, str):
            raise DeployError(f"{logical_id}: {name} must be a local path, not {place!r}")
        target = (path.parent / place).resolve()
        if not target.exists():
            raise DeployError(f"{logical_id}: {name} {place!r} does not exist (looked for {target})")
        metadata = resource.get("Metadata") or {}
        code[logical_id] = LocalCode(target, metadata.get("BuildMethod"))
        properties[name] = f"s3://{LOCAL_BUCKET}/{logical_id}"
    for defaults in shared.values():
        if isinstance(defaults, dict):
            for name in _CODE_PROPERTIES.values():
                defaults.pop(name, None)
    return code

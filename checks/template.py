"""template.yaml as plain data: CloudFormation's short tags (`!Ref X`) in their long form ({"Ref": "X"})."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Template = Mapping[str, Any]
"""A CloudFormation template; values are what YAML holds, intrinsic functions in their long form."""


class TemplateError(Exception):
    """The template cannot be read; the text says why."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with CloudFormation's tags."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML knows three kinds of node
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read_template(path: Path) -> Template:
    """Read a CloudFormation or SAM template. Raises TemplateError when it is missing or not a template."""
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise TemplateError(f"{path.name}: there is no such file.") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path.name}: not readable as YAML: {error}") from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("Resources"), dict):
        raise TemplateError(f"{path.name}: has no Resources.")
    return loaded


def resources_of(template: Template, resource_type: str) -> dict[str, Mapping[str, Any]]:
    """Properties of every resource of a type by logical id, SAM's Globals filled in where they are absent.

    Lists of Globals (Layers, Architectures) come before the resource's own, as SAM merges them.
    """
    section = resource_type.rpartition("::")[2]
    defaults = (template.get("Globals") or {}).get(section) or {}
    found: dict[str, Mapping[str, Any]] = {}
    for logical_id, resource in template["Resources"].items():
        if resource.get("Type") == resource_type:
            own = resource.get("Properties") or {}
            merged = {**defaults, **own}
            for name in ("Layers",):
                if name in defaults and name in own:
                    merged[name] = [*defaults[name], *own[name]]
            found[logical_id] = merged
    return found


def names_in(value: object) -> set[str]:
    """Logical ids and parameters that a value names by Ref, Fn::GetAtt or a plain Fn::Sub."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return {str(value["Ref"])}
        if "Fn::GetAtt" in value:
            target = value["Fn::GetAtt"]
            return {target[0] if isinstance(target, list) else str(target).partition(".")[0]}
        if isinstance(value.get("Fn::Sub"), str):
            pieces = value["Fn::Sub"].split("${")[1:]
            return {piece.partition("}")[0].partition(".")[0] for piece in pieces}
        return set().union(*(names_in(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(names_in(inner) for inner in value))
    return set()

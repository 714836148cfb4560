"""template.yaml's parameters as a Markdown table, in the template's own groups."""

from __future__ import annotations

from collections.abc import Iterator

from checks.template import Template


def parameter_table(template: Template) -> str:
    """One table; a row in bold begins each group of the template's Interface."""
    return "\n".join(["| Parameter | Default | What it says |", "| --- | --- | --- |", *_rows(template)])


def _rows(template: Template) -> Iterator[str]:
    parameters = template["Parameters"]
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    for group in groups:
        yield f"| **{group['Label']['default']}** | | |"
        for name in group["Parameters"]:
            given = parameters[name]
            yield f"| `{name}` | {_default(given)} | {_cell(str(given['Description']))}{_allowed(given)} |"


def _default(given: dict[str, object]) -> str:
    if "Default" not in given:
        return "required"
    return f"`{given['Default']}`" if given["Default"] != "" else "empty"


def _allowed(given: dict[str, object]) -> str:
    values = given.get("AllowedValues")
    if isinstance(values, list):
        return f" One of {', '.join(f'`{value}`' for value in values)}."
    if "MinValue" in given and "MaxValue" in given:
        return f" From {given['MinValue']} to {given['MaxValue']}."
    return ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

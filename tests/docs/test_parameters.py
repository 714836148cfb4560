"""The README's table of parameters is the template's."""

from __future__ import annotations

import re

from checks.template import read_template
from tests.docs.repository import README, ROOT, section, table_rows

TEMPLATE = read_template(ROOT / "template.yaml")


def table() -> dict[str, tuple[str, str]]:
    """Default and description by name."""
    rows = [row for row in table_rows(section(README, "Parameters")) if row[0].startswith("`")]
    return {row[0].strip("`"): (row[1], row[2]) for row in rows}


def test_every_parameter_is_explained_with_its_default() -> None:
    expected = {
        name: "required" if "Default" not in given else "empty" if given["Default"] == "" else f"`{given['Default']}`"
        for name, given in TEMPLATE["Parameters"].items()
    }
    assert {name: default for name, (default, _) in table().items()} == expected


def test_every_explanation_is_the_templates_own() -> None:
    for name, (_, said) in table().items():
        description = " ".join(TEMPLATE["Parameters"][name]["Description"].split())
        assert said.startswith(description.replace("<", "&lt;")), name


def test_every_parameter_that_the_documents_name_exists() -> None:
    known = {*TEMPLATE["Parameters"], *TEMPLATE["Resources"], *TEMPLATE["Outputs"]}
    for document in [README, *(ROOT / "docs").glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        for name in re.findall(r"`([A-Z][A-Za-z]+)=[A-Za-z]+`", text):
            assert name in known, f"{document.name}: {name}"


def test_the_settings_in_samconfig_are_parameters() -> None:
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'^([A-Z]\w+) = "', text, re.MULTILINE))
    required = {name for name, given in TEMPLATE["Parameters"].items() if "Default" not in given}
    assert required <= named <= set(TEMPLATE["Parameters"])

"""samconfig.toml and template.yaml agree: what is deployed is given every parameter that it must have."""

import tomllib
from pathlib import Path

import pytest

from checks.template import read_template

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_gives_every_parameter_without_a_default_and_none_that_does_not_exist(stage: str) -> None:
    parameters = read_template(REPOSITORY / "template.yaml")["Parameters"]
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    deploy = config[stage]["deploy"]["parameters"]
    given = {override.partition("=")[0] for override in deploy["parameter_overrides"]}
    assert given <= set(parameters)
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= given
    assert deploy["confirm_changeset"]


def test_only_dev_keeps_its_schedule_off() -> None:
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = {stage: config[stage]["deploy"]["parameters"]["parameter_overrides"] for stage in ("dev", "prod")}
    assert "ScheduleState=DISABLED" in overrides["dev"]
    assert "ScheduleState=ENABLED" in overrides["prod"]
    assert config["dev"]["global"]["parameters"] != config["prod"]["global"]["parameters"]

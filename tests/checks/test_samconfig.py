"""samconfig.toml and template.yaml agree, and what is written in the file arrives through SAM's own parser."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks.template import read_template

REPOSITORY = Path(__file__).parents[2]
CONFIG = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))

THROUGH_SAM = """
import inspect, json, sys
from samcli.cli.main import cli
from samcli.commands.deploy import command
from samcli.commands.deploy.guided_config import GuidedConfig
file, stage, template, guided = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
arguments = ["deploy", "--config-file", file, "--config-env", stage, "--template-file", template, "--stack-name", "any"]
if guided:
    quote = GuidedConfig.quote_parameter_values
    text = " ".join(f"{name}={quote(value)}" for name, value in guided.items())
    with open(file, "w") as out:
        out.write("version = 0.1\\n[%s.deploy.parameters]\\nparameter_overrides = %s\\n" % (stage, json.dumps(text)))
shape = inspect.signature(command.do_cli)
def deployed(*given, **named):
    print(json.dumps(shape.bind(*given, **named).arguments["parameter_overrides"]))
command.do_cli = deployed
cli.main(arguments, standalone_mode=False)
"""
"""The command `sam deploy` itself, which prints the parameters instead of deploying them. With `guided`, the file first
becomes what `--guided` would have written of these answers."""


def through_sam(file: Path, stage: str, guided: Mapping[str, str] | None = None) -> dict[str, str]:
    """By SAM's own code, in SAM's own environment, which `make test` makes and names."""
    python = os.environ.get("SAM_PYTHON") or str(REPOSITORY / ".venv-build" / "bin" / "python")
    if "SAM_PYTHON" not in os.environ and not Path(python).exists():
        pytest.skip("SAM is not installed here: run by make test, or say where it is in SAM_PYTHON")
    template = str(REPOSITORY / "template.yaml")
    done = subprocess.run(
        [python, "-c", THROUGH_SAM, str(file), stage, template, json.dumps(guided)],
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{"))))


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_gives_every_parameter_without_a_default_and_none_that_does_not_exist(stage: str) -> None:
    parameters = read_template(REPOSITORY / "template.yaml")["Parameters"]
    deploy = CONFIG[stage]["deploy"]["parameters"]
    given = set(deploy["parameter_overrides"])
    assert given <= set(parameters)
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= given
    assert deploy["confirm_changeset"]


def test_only_dev_keeps_its_schedule_off() -> None:
    overrides = {stage: CONFIG[stage]["deploy"]["parameters"]["parameter_overrides"] for stage in ("dev", "prod")}
    assert overrides["dev"]["ScheduleState"] == "DISABLED"
    assert overrides["prod"]["ScheduleState"] == "ENABLED"
    assert CONFIG["dev"]["global"]["parameters"] != CONFIG["prod"]["global"]["parameters"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_sam_reads_the_file_as_it_is_written(stage: str) -> None:
    assert through_sam(REPOSITORY / "samconfig.toml", stage) == CONFIG[stage]["deploy"]["parameters"][
        "parameter_overrides"
    ]  # fmt: skip


HARD = {
    "Approvers": "Finance lead: ann@firm.example, bob@firm.example; Controller (2): cy@firm.example, di@firm.example",
    "DescriptionTemplate": "Services for {orders}, {period}",
    "FooterTemplate": "As \"agreed\" in O'Neil's letter; see = and #, 100 % {po}",
    "UpperBounds": "USD 50000, EUR 40000",
    "ScheduleExpression": "cron(0 9 1 * ? *)",
    "Deputies": "",
    "DefaultDueDays": "30",
}
"""Blanks, semicolons, braces, quotes, equals signs, commas, and nothing at all."""


@pytest.mark.parametrize("guided", [False, True], ids=["written by a person", "written by --guided"])
def test_blanks_semicolons_braces_and_quotes_reach_the_stack_as_they_were_written(tmp_path: Path, guided: bool) -> None:
    file = tmp_path / "samconfig.toml"
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in HARD.items())
    file.write_text(f"version = 0.1\n[prod.deploy.parameters.parameter_overrides]\n{rows}")
    assert through_sam(file, "prod", HARD if guided else None) == HARD


def test_the_list_form_that_the_file_once_had_would_drop_a_signer(tmp_path: Path) -> None:
    """Why it is a table: the day SAM reads this form whole, nobody has to care any more."""
    file = tmp_path / "samconfig.toml"
    overrides = ["Approvers=ann@firm.example; cy@firm.example", "DescriptionTemplate=Services for {po}"]
    file.write_text(f"version = 0.1\n[prod.deploy.parameters]\nparameter_overrides = {json.dumps(overrides)}\n")
    assert through_sam(file, "prod") == {"Approvers": "ann@firm.example;", "DescriptionTemplate": "Services"}

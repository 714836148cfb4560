"""`make deploy` says which account and region it is about to use, and does nothing where it cannot tell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from checks.deploy_target import CannotTell, main, parameters_of, region_of

REPOSITORY = Path(__file__).parents[2]
CONFIG = """
version = 0.1
[dev.global.parameters]
stack_name = "billing-dev"
[dev.deploy.parameters]
confirm_changeset = true
[prod.global.parameters]
stack_name = "billing"
region = "eu-west-1"
"""


@pytest.mark.parametrize(
    ("given", "configured", "environment", "of_profile", "region"),
    [
        ("eu-north-1", {"region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, "eu-west-3", "eu-north-1"),
        (None, {"region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, "eu-west-3", "eu-west-1"),
        (None, {}, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-central-1"}, "eu-west-3", "eu-west-2"),
        (None, {}, {"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-west-3", "eu-central-1"),
        (None, {}, {"AWS_DEFAULT_REGION": ""}, "eu-west-3", "eu-west-3"),
    ],
)
def test_the_nearest_word_on_the_region_counts_and_the_profiles_is_the_last(
    given: str | None, configured: dict[str, Any], environment: dict[str, str], of_profile: str, region: str
) -> None:
    assert region_of(given, configured, environment, of_profile) == region


def test_without_any_region_nothing_is_guessed() -> None:
    with pytest.raises(CannotTell, match="No region is set"):
        region_of(None, {}, {}, None)


def test_a_secret_in_another_region_is_named_before_anything_is_built() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:month-end-billing/stripe-AbCdEf"
    overrides = {"Approvers": "ann@firm.example", "StripeSecretArn": arn, "NetSuiteSecretArn": "ARN-OF-IT"}
    configured = {"parameter_overrides": overrides}
    assert region_of(None, configured, {}, "eu-central-1") == "eu-central-1"
    with pytest.raises(CannotTell, match=r"us-east-1, and StripeSecretArn in samconfig\.toml is in eu-central-1"):
        region_of(None, configured, {}, "us-east-1")


def test_what_holds_for_every_command_holds_for_deploy_too() -> None:
    every, own = {"parameters": {"region": "a", "stack_name": "s"}}, {"parameters": {"region": "b"}}
    config = {"dev": {"global": every, "deploy": own}}
    assert parameters_of(config, "dev") == {"region": "b", "stack_name": "s"}
    assert parameters_of(config, "prod") == {}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A samconfig.toml, and a person's AWS configuration with two profiles."""
    (tmp_path / "samconfig.toml").write_text(CONFIG)
    (tmp_path / "aws").write_text("[default]\nregion = eu-central-1\n[profile other]\noutput = json\n")
    keys = "aws_access_key_id=A\naws_secret_access_key=B\n"
    (tmp_path / "keys").write_text(f"[default]\n{keys}[other]\n{keys}")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "stack", "region"),
    [
        (["dev"], "billing-dev (dev)", "eu-central-1"),
        (["prod"], "billing (prod)", "eu-west-1"),
        (["dev", "--guided", "--region", "eu-south-1", "--profile", "other"], "billing-dev (dev)", "eu-south-1"),
        (["dev", "--stack-name=mine"], "mine (dev)", "eu-central-1"),
    ],
)
def test_it_says_which_stack_account_and_region(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], stack: str, region: str
) -> None:
    with mock_aws():
        assert main(arguments, folder) == 0
    said = capsys.readouterr()
    assert said.out == f"{region}\n"
    assert said.err.startswith(f"deploy: {stack} goes into the account 123456789012, region {region}, as arn:aws:")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["dev", "--profile", "other"], "No region is set"), (["dev", "--profile", "nobody"], "ProfileNotFound")],
)
def test_it_stops_with_a_sentence_where_it_cannot_tell(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with mock_aws():
        assert main(arguments, folder) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """SAM's environment, whose python answers a region and whose sam prints how it was called."""
    (tmp_path / "bin").mkdir()
    (tmp_path / ".build").touch()
    for name, text in {
        "python": 'echo "asked: $*, region set: $AWS_DEFAULT_REGION" >&2\n[ -z "$REFUSE" ] && echo eu-west-9\n',
        "sam": 'echo "sam $*, region set: $AWS_DEFAULT_REGION"\n',
    }.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def deploy(build: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    hidden = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "AWS_DEFAULT_REGION", "AWS_REGION")
    outer = {name: value for name, value in os.environ.items() if name not in hidden}
    arguments = [
        "deploy",
        f"VENV_BUILD={build}",
        f"PYTHON_313={build}/bin/python",
        "PYTHON=true",
        "DEPLOY_ARGS=--guided",
    ]
    return subprocess.run(
        ["make", *arguments], cwd=REPOSITORY, env={**outer, **environment}, capture_output=True, text=True, check=False
    )


def test_make_deploy_asks_where_first_and_hands_that_region_and_no_other_to_sam(build: Path) -> None:
    done = deploy(build)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("asked: -m checks.deploy_target dev --guided, region set: \n")
    called = done.stdout.splitlines()
    assert called[0].startswith("sam build")
    assert called[-1] == "sam deploy --config-env dev --guided --region eu-west-9, region set: "


def test_make_deploy_builds_and_deploys_nothing_where_it_cannot_tell(build: Path) -> None:
    done = deploy(build, REFUSE="yes")
    assert done.returncode != 0
    assert "sam" not in done.stdout

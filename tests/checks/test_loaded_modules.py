"""What a function does not use it does not load: a cold start pays for each import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.imports import reached_from
from checks.template import read_template, resources_of

ROOT = Path(__file__).parents[2]
FUNCTIONS = resources_of(read_template(ROOT / "template.yaml"), "AWS::Serverless::Function")
ADAPTERS = ROOT / "layers/billing/billing/adapters"


def variables(properties: Any) -> set[str]:
    return set(properties.get("Environment", {}).get("Variables", {}))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize(
    ("module", "needed"),
    [("aws/mailer.py", "SENDER_EMAIL"), ("slack.py", "SLACK_SECRET_ARN"), ("netsuite/login.py", "NETSUITE_SECRET_ARN")],
)
def test_a_service_that_a_function_has_no_setting_for_is_not_loaded(name: str, module: str, needed: str) -> None:
    function = FUNCTIONS[name]
    entry = ROOT / str(function["CodeUri"]) / "app.py"
    loaded = ADAPTERS / module in reached_from(entry, ROOT / "layers/billing").modules
    assert not loaded or needed in variables(function)


def test_those_who_mail_load_what_mails() -> None:
    senders = {name for name, function in FUNCTIONS.items() if "SENDER_EMAIL" in variables(function)}
    mailing = {
        name
        for name, function in FUNCTIONS.items()
        if ADAPTERS / "aws/mailer.py"
        in reached_from(ROOT / str(function["CodeUri"]) / "app.py", ROOT / "layers/billing").modules
    }
    assert {"AskForApprovalFunction", "TellTheTeamFunction"} <= mailing <= senders

"""What a command says before AWS has answered anything: one sentence, an exit code, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.domain.errors import ENDS, SETTLEMENT_ENDS
from oncall.command_line import oncall
from oncall.exits import Exit
from oncall.replaying import ADVICE
from tests.docs.repository import README, section, table_rows
from tests.oncall.spoken import typed

_NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _a_bare_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no region, no profile, and nobody to ask for them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
                 "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "ONCALL_STACK"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_without_a_region_it_says_how_to_give_one() -> None:
    spoken = typed("runs")
    assert (spoken.code, spoken.out) == (1, "")
    assert "--region" in spoken.err


def test_without_credentials_it_says_to_log_in() -> None:
    spoken = typed("runs --region eu-central-1")
    assert (spoken.code, spoken.out) == (1, "")
    assert "log in" in spoken.err


def test_a_profile_that_does_not_exist_is_named() -> None:
    spoken = typed("runs --profile nobody")
    assert spoken.code == 1
    assert "nobody" in spoken.err


def test_an_aws_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0000000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", _NOBODY)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    spoken = typed("runs --region eu-central-1")
    assert (spoken.code, spoken.out) == (1, "")
    assert "AWS cannot be reached" in spoken.err


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("rums", "rums"),
        ("run", "NAME"),
        ("runs --last 0", "--last"),
        ("runs --status dead", "--status"),
        ("start", "--period"),
        ("end-order SO-1 --by ann@firm.example", "--reason"),
        ("settle-customer 1234 cus_1", "--by"),
        ("orphans", "--since"),
        ("sync one", "ID"),
        ("sync since 2026-05-01 --types refund", "--types"),
    ],
)
def test_a_mistake_in_what_was_typed_is_named_before_anybody_is_asked(line: str, named: str) -> None:
    spoken = typed(line)
    assert (spoken.code, spoken.out) == (2, "")
    assert named in spoken.err


def test_every_command_says_what_it_does_and_takes_the_common_options() -> None:
    groups = ("sync", "secrets")
    found = dict(oncall.commands)
    for group in groups:
        found |= {f"{group} {name}": one for name, one in oncall.commands[group].commands.items()}  # type: ignore[attr-defined]
    for name, one in found.items():
        assert one.help, name
        if name not in groups:
            options = {option for parameter in one.params for option in parameter.opts}
            assert {"--stack", "--region", "--profile", "--yes", "--json"} <= options, name


def test_the_readme_lists_every_exit_code_and_no_other() -> None:
    rows = table_rows(section(README, "From the terminal"))
    assert [int(row[0]) for row in rows] == sorted(int(code) for code in Exit)


def test_there_is_advice_for_every_name_that_an_execution_may_end_with() -> None:
    green = {"Superseded", "Parked"}
    assert set(ADVICE) == {*ENDS, *SETTLEMENT_ENDS} - green

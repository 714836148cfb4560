"""What every command has in common: which stack, whose credentials, for a person or a machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec

import boto3
import click
from botocore.exceptions import NoRegionError

from oncall.executions import Executions
from oncall.exits import Exit, Refused
from oncall.stack import Stack, find_stack
from oncall.terminal import Terminal

P = ParamSpec("P")


@dataclass
class Choices:
    """The options that every command has."""

    stack_name: str
    region: str | None
    profile: str | None
    terminal: Terminal

    @cached_property
    def session(self) -> boto3.Session:
        """The person's own credentials, in the region where the stack is or will be. Raises NoRegionError."""
        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        if not session.region_name:
            raise NoRegionError
        return session

    @cached_property
    def stack(self) -> Stack:
        """The stack, looked for once. Raises NotFound."""
        return find_stack(self.stack_name, self.session)

    @property
    def settling_stack(self) -> Stack:
        """The stack, if its settlement is on. Raises Refused."""
        if not self.stack.settles:
            raise Refused(f"The settlement of the stack {self.stack.name} is off (its parameter Settlement).")
        return self.stack

    @property
    def executions(self) -> Executions:
        """Those of the stack."""
        return Executions(self.stack)


def with_choices(run: Callable[Concatenate[Choices, P], Exit]) -> Callable[P, Exit]:
    """Give a command the options that all have."""

    @click.option(
        "--stack", default="month-end-billing", envvar="ONCALL_STACK", show_default=True, show_envvar=True,
        help="Name of the deployed stack.",
    )  # fmt: skip
    @click.option("--region", help="AWS region, if not that of the profile or of AWS_REGION.")
    @click.option("--profile", help="Profile of the AWS CLI.")
    @click.option("--yes", is_flag=True, help="Ask nothing: for scripts.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output: for machines.")
    @wraps(run)
    def filled(*given: P.args, **options: P.kwargs) -> Exit:
        taken = {name: options.pop(name) for name in ("stack", "region", "profile", "yes", "as_json")}
        choices = Choices(
            stack_name=str(taken["stack"]),
            region=_text(taken["region"]),
            profile=_text(taken["profile"]),
            terminal=Terminal(as_json=bool(taken["as_json"]), yes=bool(taken["yes"])),
        )
        return run(choices, *given, **options)

    return filled


def _text(value: object) -> str | None:
    # An empty --region in a script is none.
    return str(value) if value else None

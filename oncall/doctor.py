"""`make doctor`: asks a deployed stack whether everything is set up as it needs it, and says one line for each check.

    make doctor STACK=month-end-billing                      # as `oncall doctor`, with your credentials
    make doctor STACK=month-end-billing DOCTOR_ARGS=--json   # the function's answer, for machines
    make doctor WORLD=tiny                                   # the same function in the sandbox, without AWS

Exit code 0: nothing is wrong. 1: something is, or could not be looked at. 2: the examination could not be run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from oncall.exits import Ended
from oncall.setup_examination import FUNCTION, examined, summary
from oncall.stack import find_stack


class NotExamined(Exception):
    """The examination could not be run; the message says why and what to do."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    given = _parsed(arguments, environment)
    try:
        answer = of_stack(given.stack, given.region) if given.stack else of_world(given.world, given.params)
    except NotExamined as error:
        print(f"doctor: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(answer, indent=2))
    else:
        for line in answer["lines"]:
            print(line)
        print(summary(answer))
    return 0 if answer["ok"] else 1


def of_stack(stack: str, region: str | None) -> dict[str, Any]:
    """Ask a deployed stack, as `oncall doctor` does. NotExamined if there is none, or if its function fails as a whole.

    It is not invoked a second time by itself: an examination that takes long is not made shorter by another.
    """
    try:
        session = boto3.Session(region_name=region)
        if not session.region_name:
            raise NoRegionError
        return examined(find_stack(stack, session))
    except Ended as ended:
        raise NotExamined(str(ended)) from None
    except (ClientError, BotoCoreError) as error:
        raise NotExamined(
            f"the stack {stack} could not be asked ({error}). It needs cloudformation:DescribeStacks, "
            f"cloudformation:ListStackResources and lambda:InvokeFunction, and a deployment that has {FUNCTION}."
        ) from None


def of_world(world: str, params: str) -> dict[str, Any]:
    """Deploy the template into the sandbox beside stand-ins, and invoke the same function there."""
    from tests.sandbox.aws.errors import SandboxError
    from tests.sandbox.demo import read_parameters
    from tests.sandbox.sandbox import Sandbox

    try:
        with Sandbox(world=world, parameters=read_parameters(params)) as sandbox:
            return dict(sandbox.invoke(FUNCTION, {}))
    except (SandboxError, FileNotFoundError) as error:
        raise NotExamined(str(error)) from None


def _parsed(arguments: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="doctor", description="Is a stack set up as it needs to be? Writes nothing.")
    parser.add_argument(
        "--stack", default=environment.get("STACK", ""), help="a deployed stack; without it the sandbox"
    )
    parser.add_argument("--region", default=None, help="the stack's region, if it is not your profile's")
    parser.add_argument("--world", default=environment.get("WORLD", "") or "services_firm", help="the sandbox's world")
    parser.add_argument("--params", default=environment.get("PARAMS", ""), help="the sandbox's template parameters")
    parser.add_argument("--json", action="store_true", help="the function's whole answer")
    return parser.parse_args(list(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

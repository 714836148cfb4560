"""`make doctor`: asks a deployed stack whether everything is set up as it needs it, and says one line for each check.

    make doctor STACK=month-end-billing                      # invokes ExamineTheSetupFunction, with your credentials
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
from typing import Any, Final

FUNCTION: Final = "ExamineTheSetupFunction"
_READ_SECONDS: Final = 330
"""Longer than the function's own time-out: Lambda answers at its end."""


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
        print(_summary(answer))
    return 0 if answer["ok"] else 1


def of_stack(stack: str, region: str | None) -> dict[str, Any]:
    """Invoke the function of a deployed stack. NotExamined if there is none, or if it fails as a whole."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    # It is not invoked a second time by itself: an examination that takes long is not made shorter by another.
    config = Config(read_timeout=_READ_SECONDS, retries={"max_attempts": 0})
    try:
        described = boto3.client("cloudformation", region_name=region).describe_stack_resource(
            StackName=stack, LogicalResourceId=FUNCTION
        )
        name = described["StackResourceDetail"]["PhysicalResourceId"]
        invoked = boto3.client("lambda", region_name=region, config=config).invoke(FunctionName=name, Payload=b"{}")
    except (ClientError, BotoCoreError) as error:
        raise NotExamined(
            f"the stack {stack} could not be asked ({error}). It needs cloudformation:DescribeStackResource and "
            f"lambda:InvokeFunction, and a deployment that has {FUNCTION}."
        ) from None
    answer = json.loads(invoked["Payload"].read())
    if invoked.get("FunctionError") or not isinstance(answer, dict) or "lines" not in answer:
        said = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
        raise NotExamined(f"{FUNCTION} of {stack} failed: {said or 'see its log'}")
    return answer


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


def _summary(answer: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in answer["counts"].items() if count)
    return f"{'all well' if answer['ok'] else 'something is to be done'}: {counts}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

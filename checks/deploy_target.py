"""Says which AWS account and region a deployment is about to use, before anything is built: `python -m
checks.deploy_target CONFIG_ENV [sam deploy's arguments]`, with SAM's own Python.

The sentence goes to stderr and the region to stdout, for `sam deploy --region`. Without it, SAM takes
AWS_DEFAULT_REGION, then the profile's region, then silently us-east-1, and never looks at AWS_REGION, which the AWS CLI
prefers.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ARN = re.compile(r"arn:[a-z-]+:[a-z]+:(?P<region>[a-z0-9-]+):\d{12}:")


class CannotTell(Exception):
    """A sentence that says what is missing and how to give it."""


def parameters_of(config: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """What samconfig.toml gives `sam deploy` in this stage: what holds for every command, then what holds for this."""
    commands = config.get(stage, {})
    return {
        **commands.get("global", {}).get("parameters", {}),
        **commands.get("deploy", {}).get("parameters", {}),
    }


def region_of(
    given: str | None, configured: Mapping[str, Any], environment: Mapping[str, str], of_profile: str | None
) -> str:
    """The region: the command line's, else samconfig.toml's, else the environment's as the AWS CLI reads it, else the
    profile's. Raises CannotTell if there is none, or if the parameters name things of another region."""
    named = (given, configured.get("region"), environment.get("AWS_REGION"), environment.get("AWS_DEFAULT_REGION"))
    region = next((one for one in (*named, of_profile) if one), None)
    if region is None:
        raise CannotTell(
            "No region is set, so it is not clear where to deploy. Set one for the profile (aws configure set region "
            "eu-central-1), or say it: make deploy DEPLOY_ARGS='--region eu-central-1'."
        )
    overrides = configured.get("parameter_overrides")
    for name, value in overrides.items() if isinstance(overrides, Mapping) else ():
        found = _ARN.match(str(value))
        if found and found["region"] != region:
            raise CannotTell(
                f"The deployment would go to the region {region}, and {name} in samconfig.toml is in "
                f"{found['region']}. Set the region of the stack, or give what lies in this one."
            )
    return region


def main(arguments: Sequence[str], root: Path) -> int:
    """Say where, print the region, and answer the exit code."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("stage")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--stack-name")
    known, _ = parser.parse_known_args(arguments)
    configured = parameters_of(tomllib.loads((root / "samconfig.toml").read_text(encoding="utf-8")), known.stage)
    try:
        import boto3  # SAM's own environment has it; nothing else here needs it
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            session = boto3.Session(profile_name=known.profile or configured.get("profile"))
            region = region_of(known.region, configured, os.environ, session.region_name)
            caller = session.client("sts", region_name=region).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise CannotTell(
                f"AWS does not say whose account this is ({type(error).__name__}). Log in, or name a profile: "
                "make deploy DEPLOY_ARGS='--profile NAME'."
            ) from None
    except CannotTell as missing:
        print(f"deploy: {missing}", file=sys.stderr)
        return 1
    stack = known.stack_name or configured.get("stack_name") or "a stack that SAM asks for"
    where = f"the account {caller['Account']}, region {region}, as {caller['Arn']}"
    print(f"deploy: {stack} ({known.stage}) goes into {where}.", file=sys.stderr)
    print(region)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))

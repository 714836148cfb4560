"""All commands, and how they end: an exit code, and one sentence where something did not go well."""

from __future__ import annotations

from collections.abc import Sequence

import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    TokenRetrievalError,
)

from oncall.commands import examining, monthly, orders, secrets, settling
from oncall.exits import Ended, Exit

_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def oncall() -> None:
    """Month-end billing, for the people on call.

    Whatever changes something says what it will do and asks first; --yes answers for scripts, --json writes for
    machines.

    Exit codes: 0 done; 1 AWS could not be asked; 2 a mistake in what was typed; 3 not found; 4 refused or declined;
    5 failed, or the run that is shown ended red; 6 something differs or is wrong.
    """


for one in (*monthly.COMMANDS, *orders.COMMANDS, *settling.COMMANDS, *secrets.COMMANDS, *examining.COMMANDS):
    oncall.add_command(one)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Nothing is raised: every error is one sentence on standard error."""
    try:
        return int(oncall.main(list(arguments), prog_name="oncall", standalone_mode=False) or Exit.DONE)
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message())
        return Exit.USAGE
    except click.UsageError as error:
        return _end(Exit.USAGE, error.format_message())
    except click.Abort:
        return _end(Exit.REFUSED, "Interrupted.")
    except Ended as ended:
        return _end(ended.code, str(ended))
    except (BotoCoreError, ClientError) as error:
        return _end(Exit.NOT_ASKED, _of_aws(error))
    except Exception as error:  # noqa: BLE001 - a bug of ours is a sentence, too
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else "nowhere"
        return _end(Exit.NOT_ASKED, f"The command line has a bug ({type(error).__name__} at {place}).")


def _end(code: Exit, sentence: str) -> int:
    click.echo(sentence, err=True)
    return int(code)


def _of_aws(error: BotoCoreError | ClientError) -> str:
    """What to do about a request that AWS did not answer, or answered with a refusal."""
    if isinstance(error, (NoCredentialsError, TokenRetrievalError)):
        return "There are no AWS credentials, or they have expired: log in, or name a profile with --profile."
    if isinstance(error, NoRegionError):
        return "There is no AWS region: say --region, or set one in the profile or in AWS_REGION."
    if isinstance(error, ProfileNotFound):
        return f"{error}; `aws configure list-profiles` lists them."
    if isinstance(error, EndpointConnectionError):
        return f"AWS cannot be reached: {error}"
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in _EXPIRED:
            return f"AWS does not take these credentials ({code}): log in again, or name a profile with --profile."
        return f"AWS refused {error.operation_name} with {code}: {message}"
    return f"AWS could not be asked: {error}"

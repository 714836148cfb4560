"""The task token of a waiting run: sealed with a key of its own, and used to wake the run.

Whoever can read the table cannot wake a run, and whoever wakes it cannot decide: the run reads the decision itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_stepfunctions import SFNClient

# SendTaskSuccess answers one of these when the wait is over already: decided, timed out or aborted.
_OVER = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def seal_token(kms: KMSClient, key_id: str, run_id: str, token: str) -> bytes:
    """The token, encrypted for this run only."""
    return kms.encrypt(KeyId=key_id, Plaintext=token.encode(), EncryptionContext={"run": run_id})["CiphertextBlob"]


@dataclass(frozen=True, slots=True)
class TaskCallback:
    """Wakes waiting runs."""

    kms: KMSClient
    stepfunctions: SFNClient

    def wake(self, sealed_token: bytes, run_id: str) -> bool:
        """Complete the wait. Answers False if it was over already. Safe to repeat: the second call finds it over."""
        token = self.kms.decrypt(CiphertextBlob=sealed_token, EncryptionContext={"run": run_id})["Plaintext"].decode()
        return complete(self.stepfunctions, token)


def complete(stepfunctions: SFNClient, token: str) -> bool:
    """End the wait of a token that is at hand. Answers False if it was over already."""
    try:
        stepfunctions.send_task_success(taskToken=token, output="{}")
    except ClientError as error:
        if error.response["Error"]["Code"] in _OVER:
            return False
        raise
    return True

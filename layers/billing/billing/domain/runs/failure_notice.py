"""What is told of a run that failed where nothing is left to write a report: never an amount, never a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.domain.run import Caught, StoppedAt

_WHAT_TO_DO: Final = {
    "PassingError": "Nothing needs to be corrected. Redrive it once the other service is working again.",
    "PersonNeeded": "Correct what is named above, then redrive it.",
    "InputInvalid": (
        "Nothing was listed. Start a new execution with a corrected input, or correct the parameter and deploy first."
    ),
}
_ELSE: Final = "Redrive it. If it ends the same way, start a new execution and tell the developers."


@dataclass(frozen=True, slots=True)
class FailureNotice:
    """A run's id and execution, the state that failed for good, the error's name, its sentence, and the number of the
    redrive (0 for none)."""

    run_id: str
    execution_arn: str
    state: str
    error: str
    cause: str
    redrive_count: int

    @property
    def title(self) -> str:
        """One line."""
        done = "could not be started" if self.state == "Open the run" else "could not be closed"
        return f"A billing run {done}: {self.error}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What happened, and what to do. Holds foreign text."""
        if self.state == "Open the run":
            what = "It failed before it listed anything. No one was asked, and this attempt drafted no invoices."
        else:
            what = (
                "It failed while it wrote its report. What it drafted is in Stripe and in the ledger, and is not "
                "drafted again."
            )
        return (what, self.cause or "AWS gave no cause.", _WHAT_TO_DO.get(self.error, _ELSE))


def failure_notice(stopped: StoppedAt, execution_name: str, execution_arn: str) -> FailureNotice:
    """What is told of the state at which an execution stopped. Of its cause, the sentence inside Lambda's JSON."""
    return FailureNotice(
        run_id=execution_name,
        execution_arn=execution_arn,
        state=stopped.state,
        error=stopped.error,
        cause=Caught(stopped.error, stopped.cause).message,
        redrive_count=stopped.redrive_count,
    )

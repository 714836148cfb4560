"""What a redrive will do, and what helps where it does not: the runbook's advice by error name, for the terminal.

docs/replay.md says the same for each state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oncall.executions import Execution, Machine, Standing

STOP = "Stop the run"
"""Where every run stands that was closed and ended red (docs/decisions/0002)."""

UNANSWERED = ("ApprovalExpired", "ApprovalUndeliverable")
"""Ends without an answer: a redrive opens a new request (docs/decisions/0006)."""

HOLD = "Hold the object"
"""Where every settlement stands that ended red."""


class Click(StrEnum):
    """What to do with a run that has ended red."""

    REDRIVE = "redrive"
    NEW = "new execution"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps, and the sentence that says so."""

    click: Click
    sentence: str


ADVICE: Final[Mapping[str, Advice]] = {
    "PassingError": Advice(Click.REDRIVE, "Something outside was down. Redrive when it is well again."),
    "PersonNeeded": Advice(Click.REDRIVE, "Something outside has to be corrected first; the cause says what."),
    "OurFault": Advice(
        Click.NEW,
        "A bug, or a file of the run was altered or is missing. A new execution helps more often than a redrive; tell "
        "the developers.",
    ),
    "InputInvalid": Advice(
        Click.NEW,
        "The input or a parameter was wrong. A redrive has the same input again: it helps only after a parameter was "
        "corrected and deployed. Else start the run with a corrected input.",
    ),
    "ApprovalRejected": Advice(
        Click.NOTHING,
        "An approver said no. Once finance has corrected the orders, a redrive or a new execution lists them again and "
        "asks again.",
    ),
    "ApprovalExpired": Advice(Click.REDRIVE, "Nobody, or not everybody, answered in time. It asks again."),
    "ApprovalUndeliverable": Advice(
        Click.REDRIVE, "Too few approvers could be reached. Correct the addresses and deploy first. It asks again."
    ),
    "InvoicesMissing": Advice(Click.REDRIVE, "Some approved invoices have no draft. It drafts what is missing."),
    "RunIncomplete": Advice(
        Click.NOTHING, "The report does not add up. Tell the developers before anything else; it must not happen."
    ),
    "Differs": Advice(
        Click.REDRIVE, "Stripe and NetSuite say different things. Correct one of them, or say that it is settled."
    ),
}
"""For every name that an execution of either state machine may end with."""

_REQUEST_ALTERED = "The approval request"
"""How the cause begins where a row of the approvals table was altered: there a redrive opens a new request."""


def advice(execution: Execution) -> Advice:
    """What helps an execution that has ended red."""
    if execution.error == "OurFault" and execution.cause.startswith(_REQUEST_ALTERED):
        return Advice(
            Click.REDRIVE,
            "The approval request's row was altered. Find out by whom; a redrive opens a new request with new links.",
        )
    if execution.status == "ABORTED":
        return Advice(Click.REDRIVE, "Somebody aborted it. It goes on where it stood.")
    # A name of Step Functions itself (States.Timeout, States.Runtime) says nothing of what to do.
    return ADVICE.get(execution.error) or Advice(Click.REDRIVE, "The execution's history says in which state, and why.")


def asks_again(execution: Execution) -> bool:
    """Whether a redrive of it opens a new request: nobody has answered the last one, or it was altered."""
    altered = execution.error == "OurFault" and advice(execution).click is Click.REDRIVE
    return execution.went_wrong and (execution.error in UNANSWERED or altered)


def will_do(execution: Execution, standing: Standing) -> list[str]:
    """What a redrive of this execution will do, in sentences."""
    if execution.machine is Machine.SETTLEMENT:
        again = "reads Stripe again and writes what NetSuite lacks" if standing.state == HOLD else "is done again"
        where = f'"{standing.state}" {again}; nothing is written twice.'
        return [f"Redrives {execution.name}: {where}"]
    if standing.state == STOP:
        return [
            f'Redrives {execution.name}: it begins again at "Open the run", with the same name and input.',
            "What is drafted is skipped; what is approved and unchanged is not asked again.",
        ]
    return [
        f'Redrives {execution.name}: it goes on at "{standing.state}", with the data that it had there.',
        "What is drafted is skipped; links to a request that has ended are replaced by new ones.",
    ]


def refusal(execution: Execution) -> str:
    """Why an execution is not redriven, and what to do instead."""
    name = execution.name
    if execution.runs:
        return f"{name} is running: there is nothing to replay. `run {name}` says where it stands."
    instead = (
        "`sync one` rings its object, and a new execution answers."
        if execution.machine is Machine.SETTLEMENT
        else f"`replay {name} --new` starts a new run with its input."
    )
    if execution.status == "SUCCEEDED":
        return f"{name} has ended well: there is nothing to replay. {instead}"
    return f"{name} cannot be redriven ({execution.why_not}). {instead}"


def end_of(execution: Execution) -> str:
    """How an execution that is not running has ended, as the end of a sentence about it."""
    if execution.status == "SUCCEEDED":
        return "ended well"
    if execution.status == "ABORTED":
        return "was aborted"
    return f"ended with {execution.error or execution.status}"

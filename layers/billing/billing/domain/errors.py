"""The names that the state machine's Retry and Catch know.

Lambda reports a failure by the exception's class name, and Step Functions matches that name exactly: a subclass would
not match its parent. So exactly three names say what to do about a failure, and one name each says how a run ended.

Messages reach the execution history. They name the field, the order and what to do, and never an amount, an e-mail
address, a token or a secret.
"""

from __future__ import annotations


class PassingError(Exception):
    """It can pass later without anybody's help: a refusal under load, a time-out, a 5xx. Retried with back-off."""


class PersonNeeded(Exception):
    """A person has to change something outside this product: a permission, a record, a customer. Never retried."""


class AddressRefused(PersonNeeded):
    """The mail service refuses one address for good; mails to others are not concerned. `answer` is the service's own
    sentence. States that ask people record it; where nobody does, it leaves a function as PersonNeeded."""

    def __init__(self, answer: str) -> None:
        super().__init__(
            "The mail service refuses an address for good. Correct Approvers, Deputies or OwnerEmails, and deploy."
        )
        self.answer = answer


class OurFault(Exception):
    """A bug or a broken promise of this product: an altered snapshot, a request that was malformed. Never retried."""


class RequestAltered(OurFault):
    """The row of an approval request is not what was signed when it was opened: somebody writes to the table past the
    page. It leaves a function as OurFault."""


class InputInvalid(Exception):
    """The execution's input or the stack's parameters are wrong. The message names the field. Never retried."""


class ApprovalRejected(Exception):
    """An approver rejected the batch. Nothing was drafted."""


class ApprovalExpired(Exception):
    """No decision before the deadline. Nothing was drafted."""


class ApprovalUndeliverable(Exception):
    """Too few approvers can be reached by mail, or are still listed, to fill every slot. Nothing was drafted."""


class InvoicesMissing(Exception):
    """At least one approved invoice has no draft, or its draft differs from what was approved."""


class RunIncomplete(Exception):
    """Listed is not drafted + skipped + held + failed + problems: an order has been lost on the way."""


class Superseded(Exception):
    """Another execution works on this object of Stripe's now. Nothing is wrong, and nothing more is written."""


class Parked(Exception):
    """A settlement waits for something that comes by itself or by a person's hand elsewhere: an accounting period that
    is opened, the members of a payout. It is tried again every night."""


class Differs(Exception):
    """Stripe and NetSuite (or Stripe and our ledger) say different things about one object. Nothing is overwritten."""


ENDS: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (
        PassingError,
        PersonNeeded,
        OurFault,
        InputInvalid,
        ApprovalRejected,
        ApprovalExpired,
        ApprovalUndeliverable,
        InvoicesMissing,
        RunIncomplete,
    )
}
"""Every name a run may end with, for 'Stop the run'."""

SETTLEMENT_ENDS: dict[str, type[Exception]] = {
    error.__name__: error for error in (PassingError, PersonNeeded, OurFault, InputInvalid, Superseded, Parked, Differs)
}
"""Every name that a state of a settlement may fail with."""

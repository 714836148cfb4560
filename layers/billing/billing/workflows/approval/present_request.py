"""A request as it stands at this moment: what lies in the table, verified, with its entries applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from billing.domain.approval.approval_entries import Entry, escalated, quiet_until, request_now
from billing.domain.approval.approval_request import ApprovalRequest
from billing.domain.approval.approvers import (
    Outcome,
    Slot,
    Tally,
    Vote,
    approver_id,
    count_votes,
    everybody,
    lost_slots,
    still_of_use,
)
from billing.domain.approval.signers import ListedPeople
from billing.domain.approval.stored_request import StoredRequest
from billing.domain.errors import PassingError, RequestAltered
from billing.domain.records import from_record
from billing.workflows.approval.votes import verified_votes


class SignedTexts(Protocol):
    """Verifies what our keys have signed."""

    def read_request(self, text: str) -> Mapping[str, Any] | None: ...
    def read_vote(self, text: str) -> Mapping[str, str] | None: ...
    def read_entry(self, text: str, request_id: str, number: int) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class PresentRequest:
    """`request` has the people, the content and the number of invoices of now, `votes` are all that were given,
    whichever content they were for, and `tally` says what those for this content come to. `able` are the slots with
    those alone who may sign now; without a word of the parameters (see `among`) that is everybody. `unread_entries`
    counts those that no key at hand has signed. `altered` names what of the request's row is not what was signed when
    it was opened; `unread_request` says that its signature is of no key at hand. `request` is as it was signed: what
    somebody else wrote into the row has no effect on it."""

    stored: StoredRequest
    entries: tuple[Entry, ...]
    unread_entries: int
    request: ApprovalRequest
    votes: tuple[Vote, ...]
    tally: Tally
    able: tuple[Slot, ...]
    altered: tuple[str, ...] = ()
    unread_request: bool = False

    def among(self, listed: ListedPeople) -> PresentRequest:
        """The request, with only those asked who are still listed."""
        return replace(self, able=listed.able(self.stored.request, self.entries))

    @property
    def counted(self) -> tuple[Vote, ...]:
        """The votes for this content."""
        return tuple(vote for vote in self.votes if vote.request_hash == self.request.request_hash)

    @property
    def voided(self) -> tuple[Vote, ...]:
        """The votes for other content: a hold, or taking one back, changed it after they were given."""
        return tuple(vote for vote in self.votes if vote.request_hash != self.request.request_hash)

    def earlier_vote_of(self, address: str) -> Vote | None:
        """This person's newest vote for other content."""
        return next((vote for vote in reversed(self.voided) if vote.approver == address), None)

    @property
    def decided(self) -> bool:
        """Whether there is an outcome, or the votes give one that is still to be written."""
        return self.stored.outcome is not None or self.tally.outcome is not Outcome.UNDECIDED

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is asked now."""
        return everybody(self.request.slots)

    @property
    def signers(self) -> tuple[str, ...]:
        """Those of them who may sign: nobody has taken them off since."""
        return everybody(self.able)

    @property
    def ever_asked(self) -> tuple[str, ...]:
        """Everybody who was asked at some time: at first, as a deputy, by delegation, or passed it on since."""
        named = (person for entry in self.entries for person in entry.people)
        return tuple(dict.fromkeys((*everybody(self.stored.request.slots), *named)))

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Addresses of those whom mail does not reach."""
        bounced = {bounce.approver for bounce in self.stored.bounces}
        return tuple(address for address in self.people if approver_id(address) in bounced)

    @property
    def lost(self) -> tuple[str, ...]:
        """Those whom mail does not reach and whose answer is missing: the others have to hear of them."""
        answered = {vote.approver for vote in self.counted}
        return tuple(address for address in self.unreachable if address not in answered)

    @property
    def lost_slots(self) -> tuple[str, ...]:
        """Slots that can no longer be satisfied."""
        return self.lost_slots_if(())

    @property
    def unlisted_slots(self) -> tuple[str, ...]:
        """Those of them that would be lost if mail reached everybody: too few of their people are still listed."""
        return lost_slots(self.request.slots, self.votes, self.request.request_hash, (), self.able)

    def lost_slots_if(self, unreachable: Iterable[str]) -> tuple[str, ...]:
        """Slots that could not be satisfied if mail did not reach these addresses either."""
        nobody = {*self.unreachable, *unreachable}
        return lost_slots(self.request.slots, self.votes, self.request.request_hash, nobody, self.able)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those whose answer is still of use: silent about this content, and still able to fill a place."""
        return still_of_use(self.request.slots, self.votes, self.request.request_hash, self.able)

    @property
    def ask_again_at(self) -> datetime | None:
        """When those are asked again whose approval was for other content; None if there are none."""
        answered = {vote.approver for vote in self.counted}
        voided = any(vote.approver not in answered for vote in self.votes)
        return quiet_until(self.entries) if voided else None

    def was_asked(self, address: str) -> bool:
        """Whether this person was mailed a link of their own."""
        return any(message.what == f"ask-{approver_id(address)}" for message in self.stored.messages)

    @property
    def deputies_asked(self) -> bool:
        """Whether the request was escalated."""
        return escalated(self.entries)

    def refuse_blind_changes(self) -> None:
        """Raise PassingError where an entry could not be read: whoever builds on a part of the entries would fix other
        content than the others see. Within minutes every process knows a new key (see the secrets adapter)."""
        if self.unread_entries:
            raise PassingError(
                f"{self.unread_entries} entries of the approval request {self.request.id} are signed with a key that "
                "the signing secret does not hold. Put the key back, or wait some minutes if it was added just now."
            )

    @property
    def trustworthy(self) -> bool:
        """Whether nobody has written into the request's row since it was opened, as far as a signature can tell."""
        return not self.altered and not self.unread_request

    def refuse_altered(self) -> None:
        """Raise RequestAltered if the request's row is not what was signed when it was opened, PassingError if its
        signature is of no key at hand: nothing is asked and nothing is decided by it."""
        if self.altered:
            raise RequestAltered(
                f"The approval request {self.stored.request.id} was altered in the approvals table: "
                f"{', '.join(self.altered)} {'is' if len(self.altered) == 1 else 'are'} not what was signed when it "
                "was opened. Nothing is drafted by it. Find out who writes to the table, then redrive: a new request "
                "is opened."
            )
        if self.unread_request:
            raise PassingError(
                f"The approval request {self.stored.request.id} has a signature of a key that the signing secret does "
                "not hold. Put the key back, or wait some minutes if it was added just now. If there never was such a "
                "key, somebody has altered the row."
            )

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= datetime.fromisoformat(self.request.expires_at)


def present_request(stored: StoredRequest, signed: SignedTexts) -> PresentRequest:
    """Verify request, votes and entries, and apply the entries. What no key of ours has signed counts for nothing."""
    stored, altered, unread_request = _as_signed(stored, signed)
    read = (signed.read_entry(text, stored.request.id, number) for number, text in stored.signed_entries)
    entries = tuple(from_record(Entry, fields) for fields in read if fields is not None)
    request = request_now(stored.request, entries)
    votes = verified_votes(stored.signed_votes, request.id, signed.read_vote)
    return PresentRequest(
        stored,
        entries,
        len(stored.signed_entries) - len(entries),
        request,
        votes,
        count_votes(request.slots, votes, request.request_hash),
        request.slots,
        altered,
        unread_request,
    )


def _as_signed(stored: StoredRequest, signed: SignedTexts) -> tuple[StoredRequest, tuple[str, ...], bool]:
    """(the row with the request that was signed, what of it had been altered, whether its signature cannot be read)."""
    if not stored.signature:
        return stored, (), False
    found = signed.read_request(stored.signature)
    if found is None:
        return stored, (), True
    request = from_record(ApprovalRequest, found)
    return replace(stored, request=request), request.differing(stored.request), False

"""The inbox: what waits for one person, what they decided, and how those runs stand. It shows and changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from billing.domain.approval.approval_entries import passed_on
from billing.domain.approval.approval_inbox import InboxItem
from billing.domain.approval.approval_request import RunEnd
from billing.domain.approval.approvers import approver_id
from billing.domain.approval.signed_links import InboxLink, Link
from billing.domain.approval.stored_request import StoredRequest
from billing.workflows.approval.present_request import SignedTexts, present_request
from billing.workflows.approval.who_may_sign import WhoMaySign
from billing.workflows.approval_page.approval_page import UNKNOWN

MOST_REQUESTS = 60
"""The newest; five years of a monthly cycle. Each costs two reads."""


class Expired:
    """A link that was ours and is over: its time has passed, or its holder was taken off the list of those who sign."""


class Requests(Protocol):
    """The approvals table."""

    def read(self, request_id: str) -> StoredRequest | None: ...
    def asked(self, approver: str) -> tuple[str, ...]: ...
    def end(self, request_id: str) -> RunEnd | None: ...


class Signing(SignedTexts, Protocol):
    """Signs and verifies."""

    def read_inbox(self, text: str) -> InboxLink | None: ...
    def sign_link(self, link: Link) -> str: ...


def inbox(
    link: str, requests: Requests, signing: Signing, who: WhoMaySign, now: datetime
) -> tuple[str, tuple[InboxItem, ...]] | Expired | None:
    """(the person's address, their requests, the newest first); Expired for a link that we signed and that is over; or
    None for one that cannot be used: forged, cut, made for another purpose, or of somebody who was never asked. All of
    these cost the same one read, so that the time of the answer does not tell them apart."""
    signed = signing.read_inbox(link)
    ids = requests.asked(signed.approver if signed else UNKNOWN)
    if signed is None:
        return None
    if now.timestamp() >= signed.expires_at:
        return Expired()
    address, items, may = "", list[InboxItem](), list[bool]()
    for request_id in ids[:MOST_REQUESTS]:
        stored = requests.read(request_id)
        if stored is None:
            continue
        present = present_request(stored, signing)
        passed = passed_on(present.entries)
        known = {approver_id(one): one for one in (*passed, *present.people)}
        if signed.approver not in known:
            continue
        address = known[signed.approver]
        own = next((vote for vote in present.counted if vote.approver == address), None)
        opened = present.stored.request
        own_link = Link(
            opened.id,
            signed.approver,
            opened.request_hash,
            int(datetime.fromisoformat(opened.expires_at).timestamp()),
        )
        may.append(who.may_sign(address, present))
        waits = (
            own is None
            and not present.decided
            and not present.expired(now)
            and present.trustworthy
            and address not in passed
            and may[-1]
        )
        items.append(
            InboxItem(
                present.request,
                stored.outcome,
                present.tally,
                own,
                passed.get(address, ""),
                waits,
                signing.sign_link(own_link),
                earlier_vote=present.earlier_vote_of(address),
                end=requests.end(opened.id),
            )
        )
    if address and not who.is_listed(address) and not any(may):
        return Expired()
    return (address, tuple(items)) if address else None

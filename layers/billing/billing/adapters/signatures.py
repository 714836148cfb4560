"""Signed links, requests, votes and entries, by itsdangerous with a ring of keys.

The ring lies in one secret: {"keys": [{"id": "2026-10", "key": "..."}, ...], "first": "..."}. The first of `keys` signs
(or `first`, which the stack made, while there is none); all of them verify, so that a rotation does not kill open
links.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from billing.domain.approval.second_factor import Code
from billing.domain.approval.signed_links import InboxLink, Link
from billing.domain.errors import PersonNeeded

_LINK_SALT = "approval-link"
_VOTE_SALT = "approval-vote"
_ENTRY_SALT = "approval-entry"
_REQUEST_SALT = "approval-request"
_CODE_SALT = "approval-code"
_VIEW_SALT = "approval-view"
PURPOSE = "decide"
INBOX = "inbox"
# itsdangerous' own default digest is SHA-1.
_SIGNER: dict[str, Any] = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}


class Signatures:
    """Signs and verifies with one ring of keys."""

    def __init__(self, ring: Mapping[str, Any]) -> None:
        keys = [(str(one["id"]), str(one["key"])) for one in ring.get("keys", [])]
        if ring.get("first"):
            keys.append(("first", str(ring["first"])))
        if not keys or any(len(key) < 32 for _, key in keys):
            raise PersonNeeded(
                "The signing secret holds no usable key: each needs 32 characters or more. The README shows its fields."
            )
        self._key_id = keys[0][0]
        # itsdangerous signs with the last key of its list and tries all of them from there backwards.
        secrets = [key for _, key in reversed(keys)]
        self._links = URLSafeSerializer(secrets, salt=_LINK_SALT, signer_kwargs=_SIGNER)
        self._entries = URLSafeSerializer(secrets, salt=_ENTRY_SALT, signer_kwargs=_SIGNER)
        self._votes = URLSafeSerializer(secrets, salt=_VOTE_SALT, signer_kwargs=_SIGNER)
        self._views = URLSafeSerializer(secrets, salt=_VIEW_SALT, signer_kwargs=_SIGNER)
        self._codes = Signer(secrets, salt=_CODE_SALT, **_SIGNER)
        self._requests = URLSafeSerializer(secrets, salt=_REQUEST_SALT, signer_kwargs=_SIGNER)

    def sign_link(self, link: Link) -> str:
        """A URL-safe text that only a holder of a key can make."""
        return str(
            self._links.dumps(
                {
                    "r": link.request_id,
                    "a": link.approver,
                    "p": PURPOSE,
                    "h": link.request_hash,
                    "x": link.expires_at,
                    "k": self._key_id,
                }
            )
        )

    def read_link(self, text: str) -> Link | None:
        """The link, or None if it is forged, cut, or was made for another purpose. Whether it has expired is not asked
        here: an expired link of ours still shows how the request ended."""
        try:
            fields = _read(self._links, text)
            if fields["p"] != PURPOSE:
                return None
            return Link(str(fields["r"]), str(fields["a"]), str(fields["h"]), int(fields["x"]))
        except (KeyError, TypeError, ValueError):
            return None

    def sign_inbox(self, link: InboxLink) -> str:
        """A URL-safe text that opens one person's inbox."""
        return str(self._links.dumps({"a": link.approver, "p": INBOX, "x": link.expires_at, "k": self._key_id}))

    def read_inbox(self, text: str) -> InboxLink | None:
        """The link, or None if it is forged, cut, or was made for another purpose."""
        try:
            fields = _read(self._links, text)
            if fields["p"] != INBOX:
                return None
            return InboxLink(str(fields["a"]), int(fields["x"]))
        except (KeyError, TypeError, ValueError):
            return None

    def sign_request(self, request: Mapping[str, Any]) -> str:
        """A request that cannot be weakened by writing to the table alone: who must sign, until when, for what."""
        return str(self._requests.dumps(dict(request)))

    def read_request(self, text: str) -> Mapping[str, Any] | None:
        """The request, or None if no key of the ring signed it."""
        fields = _read(self._requests, text)
        return fields if isinstance(fields, dict) else None

    def sign_entry(self, request_id: str, number: int, entry: Mapping[str, Any]) -> str:
        """An entry of a request that can be neither made up nor put in another place by writing to the table alone.
        `number` is the change's that it is."""
        return str(self._entries.dumps({"request": request_id, "number": number, "entry": dict(entry)}))

    def read_entry(self, text: str, request_id: str, number: int) -> Mapping[str, Any] | None:
        """The entry, or None if no key of the ring made it for this place of this request."""
        fields = _read(self._entries, text)
        if not isinstance(fields, dict) or (fields.get("request"), fields.get("number")) != (request_id, number):
            return None
        entry = fields.get("entry")
        return entry if isinstance(entry, dict) else None

    def sign_vote(self, vote: Mapping[str, str]) -> str:
        """A vote that cannot be made up by writing to the table alone."""
        return str(self._votes.dumps(dict(vote)))

    def read_vote(self, text: str) -> Mapping[str, str] | None:
        """The vote, or None if no key of the ring made it."""
        fields = _read(self._votes, text)
        return fields if isinstance(fields, dict) else None

    def sign_code(self, code: Code) -> str:
        """The signature alone, without the code: it says nothing to whoever has no key."""
        return self._codes.get_signature(code.signed_over).decode()

    def is_code(self, code: Code, signature: str) -> bool:
        """Whether a key of the ring has signed exactly this code."""
        return self._codes.verify_signature(code.signed_over, signature)

    def sign_view(self, request_id: str, approver: str, at: int) -> str:
        """When (epoch seconds) a person was shown the page that they answer from."""
        return str(self._views.dumps({"r": request_id, "a": approver, "t": at}))

    def read_view(self, text: str, request_id: str, approver: str) -> int | None:
        """That time, or None if no key of the ring has signed it for this person and request."""
        fields = _read(self._views, text)
        if not isinstance(fields, dict) or (fields.get("r"), fields.get("a")) != (request_id, approver):
            return None
        at = fields.get("t")
        return at if type(at) is int else None


def _read(serializer: URLSafeSerializer, text: str) -> Any:
    """What was signed, or None. Of each signed text there is one spelling: base64's spare bits, and signs that its
    decoder passes over, make another text that would say the same."""
    try:
        fields = serializer.loads(text)
        signature = text.rpartition(".")[2]
        return fields if base64_encode(base64_decode(signature)).decode() == signature else None
    except BadData:
        return None

"""Addresses that every mail server takes: RFC 5321's Mailbox in ASCII, without quotes and without an IP address. SES
refuses others ("Destination", SES v2 API reference: the part before the @ must be 7-bit ASCII)."""

from __future__ import annotations

import re

from billing.domain.text import has_unseen

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_FORM = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[^.]*[A-Za-z]){_LABEL}")


def mailbox_of(address: str) -> str:
    """The address whose mailbox this one's mail arrives in, in small letters: "ann+billing@firm.example" is Ann's.

    Subaddressing (RFC 5233) is what Google Workspace, Microsoft 365 and most others do with a "+". On a domain where it
    is a letter like any other, two people who differ behind it alone count as one here: the safe side.
    """
    name, at, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0] or name}{at}{domain}"


def is_address(text: str) -> bool:
    """Whether it is one e-mail address that can be mailed."""
    return not mistake_in_address(text)


def is_written_like_one(text: str) -> bool:
    """Whether a client's address, which Stripe and never we mail to, has an address's form: Stripe and the client's
    mail server say whether it works."""
    return _FORM.fullmatch(text) is not None


def mistake_in_address(text: str) -> str:
    """Why it is no address that can be mailed, as a clause without the address; "" if it is one."""
    if has_unseen(text):
        return "it has characters that cannot be seen; type it anew"
    if text.casefold().startswith("mailto:"):
        return 'write it without "mailto:"'
    if "(" in text or ")" in text:
        return (
            "it has a parenthesis; how many people of a slot must sign stands before the colon, after the slot's name"
        )
    name, at, domain = text.rpartition("@")
    if not at or "@" in name or not name or not domain or any(one.isspace() for one in text):
        return "it must be one name, an @ and a domain"
    if not name.isascii():
        return "letters before the @ must be ASCII: mail services refuse others"
    if len(text) > 254 or len(name) > 64:
        return "it is longer than mail servers take"
    if not _NAME.fullmatch(name):
        return "before the @ only letters, digits, signs such as + - _ and single dots between them may stand"
    return mistake_in_domain(domain)


def mistake_in_domain(text: str) -> str:
    """Why it is no domain such as firm.example, as a clause; "" if it is one."""
    if has_unseen(text):
        return "it has characters that cannot be seen; type it anew"
    if not text.isascii():
        return "its domain has letters beyond ASCII; write the domain in its xn-- form"
    if len(text) > 253 or not _DOMAIN.fullmatch(text):
        return "its domain must look like firm.example"
    return ""

"""What Amazon SES says of sender, account and configuration set, as lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from billing.domain.doctor.finding import Finding, fine, listed, masked, note, wrong


@dataclass(frozen=True, slots=True)
class AccountFound:
    """SES in this region. Out of its sandbox it sends to everybody."""

    production: bool
    sending: bool
    enforcement: str


@dataclass(frozen=True, slots=True)
class ConfigurationFound:
    """A configuration set. `events` are the types that its enabled destinations are sent, in capitals."""

    sending: bool
    redirect_domain: str
    events: frozenset[str]


def sender_finding(sender: str, verified: bool) -> Finding:
    """Whether SES may send as this address."""
    check = "mail.sender"
    if not verified:
        return wrong(
            check, f"SES has verified neither {masked(sender)} nor its domain in this region: verify one of them."
        )
    return fine(check, f"{masked(sender)} is verified")


def account_finding(found: AccountFound, unverified: Collection[str]) -> Finding:
    """`unverified` are recipients that SES has not verified; they matter in its sandbox only."""
    check = "mail.account"
    if not found.sending or found.enforcement in ("PROBATION", "SHUTDOWN"):
        return wrong(
            check,
            f"SES's sending is {'paused' if not found.sending else f'under review ({found.enforcement.lower()})'}: see "
            "the account dashboard of SES.",
        )
    if found.production:
        return fine(check, "production access")
    if unverified:
        return wrong(
            check,
            f"SES is in its sandbox and has not verified {listed(sorted(masked(one) for one in unverified))}: request "
            "production access, or verify them.",
        )
    return note(check, "SES is in its sandbox; everybody who is mailed is verified. Production needs its access.")


def tracking_finding(
    found: ConfigurationFound | None, wanted: Sequence[str] = ("BOUNCE", "COMPLAINT", "REJECT")
) -> Finding:
    """Links in mails are as good as signatures: nothing may rewrite them. None: the configuration set is gone."""
    check = "mail.tracking"
    if found is None:
        return wrong(check, "the stack's configuration set is gone: deploy again.")
    if not found.sending:
        return wrong(check, "sending is off in the stack's configuration set: turn it on, or deploy again.")
    tracked = sorted(found.events & {"OPEN", "CLICK"})
    if tracked or found.redirect_domain:
        return wrong(
            check,
            f"the configuration set tracks {listed(tracked).lower() or 'by a redirect domain'}: approval links would "
            "be rewritten. Take that out, or deploy again.",
        )
    unheard = [one for one in wanted if one not in found.events]
    if unheard:
        return wrong(check, f"nobody is told of {listed(unheard).lower()}: lost mail would be silent. Deploy again.")
    return fine(check, "no opens, no clicks; bounces and complaints are reported")

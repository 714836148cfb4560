"""What became of an approved batch, for the page that everybody who was asked sees: a count that moves when the page is
loaded again, and then every draft with its link to Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.domain.approval.approval_request import RunEnd
from billing.domain.batch.drafting import Draft, Drafting
from billing.pages.formatting import counted, money_words
from billing.pages.report.report_story import invoice_url

MOST_DRAFTS: Final = 500
"""Named on the page: more are in the run's report. A page of ten thousand would be 2 MB."""
MOST_FAILED: Final = 50

_STRIPE: Final = "https://dashboard.stripe.com"


@dataclass(frozen=True, slots=True)
class DraftRow:
    """One draft: whose, which orders, how much, its Stripe invoice and where that is."""

    client: str
    orders: str
    amount: str
    invoice_id: str
    url: str


@dataclass(frozen=True, slots=True)
class DraftingSection:
    """`said` is the count in words. Of the drafts and of what failed (client, orders, reason) the first are named, and
    the rest counted. `working` says that the run has not reported its end: loaded again, the page says more."""

    said: str
    done: int
    asked: int
    working: bool
    drafts: tuple[DraftRow, ...]
    more_drafts: int
    failed: tuple[tuple[str, str, str], ...]
    more_failed: int
    report: bool


def drafting_section(drafting: Drafting, end: RunEnd | None, *, report: bool) -> DraftingSection:
    """`end` is how the run has ended since the approval, None while it is at work; `report` says that its report can be
    opened."""
    done, asked = len(drafting.drafted), drafting.asked
    said = f"{done:,} of {counted(asked, 'invoice')} {'is' if asked == 1 else 'are'} drafted"
    failed = f", {len(drafting.failed):,} could not be drafted" if drafting.failed else ""
    return DraftingSection(
        said=f"{said}{failed}.",
        done=done,
        asked=asked,
        working=end is None,
        drafts=tuple(map(_row, drafting.drafted[:MOST_DRAFTS])),
        more_drafts=max(0, done - MOST_DRAFTS),
        failed=tuple((one.client, ", ".join(one.orders), one.reason) for one in drafting.failed[:MOST_FAILED]),
        more_failed=max(0, len(drafting.failed) - MOST_FAILED),
        report=report,
    )


def stripe_url(draft: Draft) -> str:
    """The draft in Stripe's dashboard."""
    return invoice_url(_STRIPE if draft.live else f"{_STRIPE}/test", draft.invoice_id)


def _row(draft: Draft) -> DraftRow:
    amount = money_words(draft.total, draft.currency)
    return DraftRow(draft.client, ", ".join(draft.orders), amount, draft.invoice_id, stripe_url(draft))

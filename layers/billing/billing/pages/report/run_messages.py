"""What is said about a run when it has ended: in Slack, and by mail to its owners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from billing.domain.mail import MailContent
from billing.domain.runs.report import LineOutcome, Report, RunOutcome
from billing.pages.email import Email, Figure, Listing, mail_of
from billing.pages.formatting import counted, money_words
from billing.pages.report.beside_the_listing import (
    GONE_TITLE,
    OUTSTANDING_TITLE,
    gone_words,
    left_alone_words,
    of_others_words,
    outstanding_words,
)
from billing.pages.report.report_story import (
    FATE_TITLES,
    NAMED,
    Trouble,
    explanation,
    fate_sums,
    headline,
    is_good,
    named_lines,
    not_billed,
    trouble_subject,
    troubles,
)
from billing.pages.slack_message import MOST_BLOCKS, SlackMessage, escaped, header, link, mrkdwn, section

_MOST_TROUBLES: Final = 10


def slack_summary(report: Report, *, console_url: str, report_url: str, stripe_dashboard: str) -> SlackMessage:
    """The run's end for a channel. Foreign text in it cannot mention anybody, link anywhere or break a limit."""
    title = headline(report)
    if report.outcome is RunOutcome.NOTHING_NEW:
        told = [f"{title}.", *([of_others_words(report.of_others)] if report.of_others else [])]
        return SlackMessage(text=escaped(title, 600), blocks=[section(escaped(one, 1_500)) for one in told])
    mark = ":rotating_light:" if not is_good(report) else ":warning:" if not_billed(report) else ":white_check_mark:"
    blocks: list[dict[str, Any]] = [
        header(title),
        section(f"{mark} {escaped(explanation(report), 1_500)}"),
    ]
    sums = [f"*{label}:* {orders:,}" + (f" ({words})" if words else "") for label, orders, words in _sum_rows(report)]
    blocks.append(section("\n".join(sums)))
    left_alone = left_alone_words(report.left_alone, report.run.bill_from)
    others = of_others_words(report.of_others)
    blocks += [section(escaped(one, 1_500)) for one in (left_alone, others) if one]
    blocks += [section(_beside_text(title, named)) for title, named in _beside(report)]
    found = troubles(report)
    # One section each: ten reasons of some length would not fit into one.
    blocks += [section(_trouble_text(trouble)) for trouble in found[:_MOST_TROUBLES]]
    if len(found) > _MOST_TROUBLES:
        rest = sum(len(trouble.lines) for trouble in found[_MOST_TROUBLES:])
        blocks.append(section(f"and {rest:,} more, all of them in the report"))
    links = [
        link(report_url, "Report"),
        link(f"{stripe_dashboard.rstrip('/')}/invoices?status=draft" if stripe_dashboard else "", "Drafts in Stripe"),
        link(console_url, "Execution"),
    ]
    blocks.append(section(" · ".join(link for link in links if link) or "_No links_"))
    blocks.append(
        {
            "type": "context",
            "elements": [mrkdwn(f"Run {escaped(str(report.run.id or 'unknown'), 100)}{_mode(report)}")],
        }
    )
    return SlackMessage(text=escaped(f"{title}. {explanation(report)}", 600), blocks=blocks[:MOST_BLOCKS])


def summary_mail(report: Report, *, console_url: str, report_url: str, stripe_dashboard: str) -> MailContent:
    """The same for the run's owners by mail."""
    title = headline(report)
    found = troubles(report)
    listings = []
    for fate in NAMED:
        of_fate = [trouble for trouble in found if trouble.fate is fate]
        rest = sum(len(trouble.lines) for trouble in of_fate[_MOST_TROUBLES:])
        if of_fate:
            items = tuple(f"{trouble_subject(trouble)}: {trouble.reason}" for trouble in of_fate[:_MOST_TROUBLES])
            listings.append(Listing(f"{FATE_TITLES[fate]} ({len(named_lines(report, fate)):,})", items, rest))
    for beside, named in _beside(report):
        items = tuple(f"{number}: {words}" for number, words in named[:_MOST_TROUBLES])
        listings.append(Listing(f"{beside} ({len(named):,})", items, max(0, len(named) - _MOST_TROUBLES)))
    left_alone = left_alone_words(report.left_alone, report.run.bill_from)
    drafted = report.totals.get(str(LineOutcome.DRAFTED), {})
    references = [
        ("The report, with every order", report_url),
        ("The drafts in Stripe", f"{stripe_dashboard.rstrip('/')}/invoices?status=draft" if stripe_dashboard else ""),
        ("The execution in the console", console_url),
    ]
    return mail_of(
        Email(
            subject=title,
            heading=title,
            opening=(explanation(report), *(one for one in (left_alone, of_others_words(report.of_others)) if one)),
            amounts=[Figure(money_words(minor, currency), "drafted") for currency, minor in drafted.items()],
            facts=[
                (label, counted(orders, "order") + (f", {words}" if words else ""))
                for label, orders, words in _sum_rows(report)
            ],
            listings=listings,
            closing=(f"Run {report.run.id or 'unknown'}{_mode(report)}.",),
            references=[(label, address) for label, address in references if address],
        )
    )


def _sum_rows(report: Report) -> Iterable[tuple[str, int, str]]:
    yield "Listed", report.listed, ""
    for fate, orders, words in fate_sums(report):
        if orders or fate is LineOutcome.DRAFTED:
            yield FATE_TITLES[fate], orders, words


def _beside(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """Orders of earlier runs that this one did not list, as (number, what about it) under their titles."""
    waiting = [(one.number or one.order_id, outstanding_words(one)) for one in report.outstanding]
    ended = [(one.number or one.order_id, gone_words(one)) for one in report.carried_gone]
    return [(title, named) for title, named in ((OUTSTANDING_TITLE, waiting), (GONE_TITLE, ended)) if named]


def _beside_text(title: str, named: list[tuple[str, str]]) -> str:
    rest = len(named) - _MOST_TROUBLES
    lines = [f"{escaped(number, 100)}: {escaped(words, 150)}" for number, words in named[:_MOST_TROUBLES]]
    more = [f"and {rest:,} more, all of them in the report"] if rest > 0 else []
    return "\n".join([f"*{title} ({len(named):,}):*", *lines, *more])


def _trouble_text(trouble: Trouble) -> str:
    return f"*{FATE_TITLES[trouble.fate]}:* {escaped(trouble_subject(trouble), 400)}\n{escaped(trouble.reason, 600)}"


def _mode(report: Report) -> str:
    return ", Stripe test mode" if report.live_mode is False else ""

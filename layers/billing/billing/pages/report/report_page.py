"""The run's report as a page that is kept, and as a table: enough for an auditor with nothing else at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from billing.domain.money.money import CurrencyUnknown, rule_of
from billing.domain.period_name import period_name
from billing.domain.runs.report import LineOutcome, Report, ReportLine
from billing.pages.approval.approval_view import filter_words
from billing.pages.csv_file import Amount, Cell, csv_bytes
from billing.pages.formatting import amount_words
from billing.pages.rendering import kept_page
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
    currencies,
    days_text,
    explanation,
    headline,
    invoice_url,
    is_good,
    line_amount,
    named_lines,
    order_text,
)

HEAD: Final = (
    "Outcome",
    "Reason",
    "Orders",
    "NetSuite ids",
    "Client",
    "Currency",
    "Amount",
    "Stripe invoice",
    "Stripe customer",
    "New customer",
    "Invoice",
    "Content SHA-256",
    "Warnings",
    "Invoice date",
    "Due date",
    "Due date by its terms",
)
_ORDER: Final = (
    LineOutcome.FAILED,
    LineOutcome.HELD,
    LineOutcome.PROBLEM,
    LineOutcome.ENDED,
    LineOutcome.DRAFTED,
    LineOutcome.SKIPPED,
)


def report_faces(report: Report, console_url: str, stripe_dashboard: str) -> Iterator[tuple[str, bytes, str]]:
    """Yield the report's files for people: name, bytes, content type."""
    page = report_page(report, console_url, stripe_dashboard)
    yield "report.html", page.encode(), "text/html; charset=utf-8"
    yield "report.csv", report_csv(report), "text/csv; charset=utf-8"


def report_page(report: Report, console_url: str, stripe_dashboard: str) -> str:
    """One file of HTML that needs nothing else and runs nothing: outcome, proof of completeness, lines, votes."""
    return kept_page(
        "report_page.html.j2",
        {
            "report": report,
            "title": headline(report),
            "explanation": explanation(report),
            "good": is_good(report),
            "period_text": period_name(report.run.period or "unknown"),
            "console_url": console_url,
            "completeness": _completeness(report),
            "currencies": currencies(report),
            "accounted": sum(report.counts.values()),
            "unreadable": sum(1 for line in report.lines if not line_amount(line)),
            "sections": [
                (FATE_TITLES[fate], fate, report.of(fate), named_lines(report, fate))
                for fate in _ORDER
                if report.of(fate)
            ],
            "order_text": order_text,
            "line_amount": line_amount,
            "days_text": days_text,
            "invoice_url": lambda invoice_id: invoice_url(stripe_dashboard, invoice_id),
            "facts": _facts(report),
            "left_alone": left_alone_words(report.left_alone, report.run.bill_from),
            "of_others": of_others_words(report.of_others),
            "beside": [
                (title, [(one.number or one.order_id, words) for one, words in named])
                for title, named in (
                    (OUTSTANDING_TITLE, [(one, outstanding_words(one)) for one in report.outstanding]),
                    (GONE_TITLE, [(one, gone_words(one)) for one in report.carried_gone]),
                )
                if named
            ],
        },
    )


def report_csv(report: Report) -> bytes:
    """One row per line of the report, texts in full."""
    return csv_bytes(HEAD, _rows(report))


def _rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    for line in report.lines:
        yield (
            str(line.fate),
            line.reason,
            ", ".join(line.orders),
            ", ".join(line.order_ids),
            line.client,
            (line.currency or "").upper(),
            _amount(line),
            line.invoice_id or "",
            line.stripe_customer or "",
            "yes" if line.new_customer else "no",
            line.key,
            line.invoice_hash or "",
            " ".join(line.warnings),
            line.invoice_day,
            line.due_day,
            line.terms_day or line.due_day,
        )
    rest: tuple[Cell, ...] = ("", "", None, "", "", "", "", "", "")
    for one in report.outstanding:
        yield ("outstanding", outstanding_words(one), one.number, one.order_id, *rest)
    for gone in report.carried_gone:
        yield ("ended in NetSuite", gone_words(gone), gone.number, gone.order_id, *rest)


def _amount(line: ReportLine) -> Amount | None:
    if line.total is None or not line.currency:
        return None
    try:
        rule_of(line.currency)
    except CurrencyUnknown:
        return None
    return Amount(line.total, line.currency)


def _completeness(report: Report) -> list[tuple[str, int, list[str]]]:
    """Rows of the proof: a title, orders, and a sum per currency; last what was listed, which must be their sum."""
    rows: list[tuple[str, int, list[str]]] = []
    listed = dict.fromkeys(currencies(report), 0)
    for fate, title in FATE_TITLES.items():
        sums = report.totals.get(str(fate), {})
        for currency, minor in sums.items():
            listed[currency] += minor
        rows.append(
            (
                title,
                report.counts.get(str(fate), 0),
                [amount_words(sums.get(currency, 0), currency) for currency in listed],
            )
        )
    rows.append(("Listed", report.listed, [amount_words(minor, currency) for currency, minor in listed.items()]))
    return rows


def _facts(report: Report) -> list[tuple[str, Any]]:
    mode = {True: "live", False: "test", None: "not known"}[report.live_mode]
    run = report.run
    facts = [
        ("Run", run.id),
        ("Cycle", run.cycle),
        ("Orders dated from", run.listed_from),
        ("Orders dated before", run.listed_before),
        ("Dry run", "yes" if run.dry_run else None),
        ("Narrowed to", filter_words(run.filter)),
        ("Stripe mode", mode),
        ("Fingerprint of the batch (SHA-256)", report.batch_sha256),
    ]
    return [(label, value) for label, value in facts if value]

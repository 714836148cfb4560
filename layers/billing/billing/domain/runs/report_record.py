"""The report as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from billing.domain.approval.approval_request import RecordedOutcome, RecordedVote, request_from_dict
from billing.domain.approval.approvers import Answer
from billing.domain.batch.batch import left_alone_from
from billing.domain.orders.outstanding import CarriedGone, Outstanding
from billing.domain.runs.report import LineOutcome, RecordLine, Report, ReportLine, RunOutcome


def report_to_dict(report: Report) -> dict[str, Any]:
    """JSON-safe; `report_from_dict` gives an equal report."""
    return {
        "run": dict(report.run),
        "outcome": str(report.outcome),
        "error": report.error,
        "cause": report.cause,
        "listed": report.listed,
        "counts": dict(report.counts),
        "totals": {fate: dict(sums) for fate, sums in report.totals.items()},
        "batchSha256": report.batch_sha256,
        "liveMode": report.live_mode,
        "decision": asdict(report.decision) if report.decision else None,
        "votes": [_vote_to_dict(vote) for vote in report.votes],
        "request": report.request.to_dict() if report.request else None,
        "record": [asdict(line) for line in report.record],
        "asked": list(report.asked),
        "outstanding": [one.to_list() for one in report.outstanding],
        "carriedGone": [one.to_list() for one in report.gone],
        "leftAlone": None
        if report.left_alone is None
        else [[one.currency, one.orders, one.total] for one in report.left_alone],
        "lines": [_line_to_dict(line) for line in report.lines],
    }


def report_from_dict(data: Mapping[str, Any]) -> Report:
    """What report_to_dict wrote."""
    return Report(
        run=data["run"],
        outcome=RunOutcome(data["outcome"]),
        error=data["error"],
        cause=data["cause"],
        lines=tuple(_line(line) for line in data["lines"]),
        listed=data["listed"],
        counts=data["counts"],
        totals=data["totals"],
        decision=RecordedOutcome(**data["decision"]) if data["decision"] else None,
        votes=tuple(_vote(vote) for vote in data["votes"]),
        batch_sha256=data["batchSha256"],
        live_mode=data["liveMode"],
        request=request_from_dict(data["request"]) if data["request"] else None,
        record=tuple(RecordLine(**line) for line in data["record"]),
        asked=tuple(data.get("asked", ())),
        # A report that was written before these were kept has none of them.
        outstanding=tuple(Outstanding(*one) for one in data.get("outstanding", ())),
        gone=tuple(CarriedGone(*one) for one in data.get("carriedGone", ())),
        left_alone=left_alone_from(data.get("leftAlone")),
    )


def _line_to_dict(line: ReportLine) -> dict[str, Any]:
    data = {**asdict(line), "fate": str(line.fate)}
    data["content_hash"] = data.pop("invoice_hash")
    return data


def _line(data: Mapping[str, Any]) -> ReportLine:
    values = {name: value for name, value in data.items() if name != "content_hash"}
    values |= {name: tuple(data[name]) for name in ("orders", "order_ids", "warnings")}
    return ReportLine(**{**values, "fate": LineOutcome(data["fate"]), "invoice_hash": data["content_hash"]})


def _vote_to_dict(vote: RecordedVote) -> dict[str, Any]:
    data = {**asdict(vote), "answer": str(vote.answer)}
    data["batch_sha256"] = data.pop("request_hash")
    return data


def _vote(data: Mapping[str, Any]) -> RecordedVote:
    slots = data.get("slots")
    values = {name: value for name, value in data.items() if name != "batch_sha256"}
    values |= {"answer": Answer(data["answer"]), "slots": None if slots is None else tuple(slots)}
    return RecordedVote(**values, request_hash=data["batch_sha256"])

"""The report as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome, RecordedVote
from billing.domain.approval.approvers import Answer, Slot
from billing.domain.batch.batch import left_alone_from
from billing.domain.runs.outstanding import CarriedGone, Outstanding
from billing.domain.runs.report import Fate, RecordLine, Report, ReportLine, RunOutcome


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
        "votes": [{**asdict(vote), "answer": str(vote.answer)} for vote in report.votes],
        "request": asdict(report.request) if report.request else None,
        "record": [asdict(line) for line in report.record],
        "asked": list(report.asked),
        "outstanding": [one.to_list() for one in report.outstanding],
        "carriedGone": [one.to_list() for one in report.gone],
        "leftAlone": None
        if report.left_alone is None
        else [[one.currency, one.orders, one.total] for one in report.left_alone],
        "lines": [{**asdict(line), "fate": str(line.fate)} for line in report.lines],
    }


def report_from_dict(data: Mapping[str, Any]) -> Report:
    """What report_to_dict wrote."""
    return Report(
        run=data["run"],
        outcome=RunOutcome(data["outcome"]),
        error=data["error"],
        cause=data["cause"],
        lines=tuple(
            ReportLine(
                **{
                    **line,
                    "fate": Fate(line["fate"]),
                    **{name: tuple(line[name]) for name in ("orders", "order_ids", "warnings")},
                }
            )
            for line in data["lines"]
        ),
        listed=data["listed"],
        counts=data["counts"],
        totals=data["totals"],
        decision=RecordedOutcome(**data["decision"]) if data["decision"] else None,
        votes=tuple(_vote(vote) for vote in data["votes"]),
        batch_sha256=data["batchSha256"],
        live_mode=data["liveMode"],
        request=_request(data["request"]) if data["request"] else None,
        record=tuple(RecordLine(**line) for line in data["record"]),
        asked=tuple(data.get("asked", ())),
        # A report that was written before these were kept has none of them.
        outstanding=tuple(Outstanding(*one) for one in data.get("outstanding", ())),
        gone=tuple(CarriedGone(*one) for one in data.get("carriedGone", ())),
        left_alone=left_alone_from(data.get("leftAlone")),
    )


def _vote(data: Mapping[str, Any]) -> RecordedVote:
    slots = data.get("slots")
    return RecordedVote(**{**data, "answer": Answer(data["answer"]), "slots": None if slots is None else tuple(slots)})


def _request(data: Mapping[str, Any]) -> ApprovalRequest:
    slots = tuple(Slot(slot["name"], slot["need"], tuple(slot["people"])) for slot in data["slots"])
    return ApprovalRequest(**{**data, "slots": slots})

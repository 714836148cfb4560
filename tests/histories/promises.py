"""The product's promises, checked on what a finished world left behind. Any test may call this, on any world.

    I1  nothing is billed twice: nobody's order is ever in more live invoices than it is ordered
    I2  no draft without a recorded approval of exactly its content
    I3  drafted + held + failed + skipped + problems = listed, in number and in sum, and each order is named once
    I4  every decision has a person, a time and, when negative, a reason
    I5  running again after completion writes nothing
    I6  nothing waits in silence: what has ended has told the team

and of the settlement, where it is on:

    S1  no record twice: NetSuite has one record of each of Stripe's objects (and order)
    S2  both books agree: what NetSuite holds of an invoice is what Stripe billed, and what is due there is due here
    S3  nothing leaves sight: what was finalised is in NetSuite, or waits by a name

Written from the promises alone; amounts are Stripe's minor units. What comes in is plain data, so that the stand-ins'
stores and the run's files can be given as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.histories.books import Standing

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Signed:
    """One invoice that was on a page when somebody signed it: what it was to hold, line by line."""

    orders: tuple[str, ...]
    currency: str
    total: int
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RunEnded:
    """One execution that has ended. `listed` are ids of orders that NetSuite named and that are not done; `told` are
    the texts that people were sent while it ran."""

    name: str
    status: str
    report: Json | None
    listed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settled:
    """What the settlement left behind. `records` are NetSuite's transactions that name an object of Stripe's in their
    externalId, each with its `recordType`; `waiting` are Stripe's ids of what is held, parked or rings; `heard` of what
    a bell has rung for."""

    records: Sequence[Json] = ()
    waiting: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()


@dataclass
class Evidence:
    """What a world left behind. `signed` are the invoices on pages that were approved, by content hash; `settled` is
    None where the settlement is off."""

    invoices: Sequence[Json] = ()
    signed: Mapping[str, Signed] = field(default_factory=dict)
    runs: Sequence[RunEnded] = ()
    settled: Settled | None = None


def broken_promises(evidence: Evidence) -> list[str]:
    """One sentence for each promise that was broken, I1 to I6 in front; empty if all were kept."""
    return [
        *one_live_invoice_per_plan(evidence.invoices),
        *drafts_without_approval(evidence.invoices, evidence.signed),
        *(sentence for run in evidence.runs for sentence in report_adds_up(run)),
        *(sentence for run in evidence.runs for sentence in decisions_are_on_record(run)),
        *(sentence for run in evidence.runs for sentence in end_was_told(run)),
        *(settlement_agrees(evidence.invoices, evidence.settled) if evidence.settled is not None else ()),
    ]


# I1


def one_live_invoice_per_plan(invoices: Iterable[Json]) -> list[str]:
    """At most one live invoice for a plan, whatever happened; an order's parts and additions are plans of their own."""
    alive: dict[str, list[str]] = defaultdict(list)
    for one in invoices:
        if one["status"] != "void" and "billing_plan" in one["metadata"]:
            alive[str(one["metadata"]["billing_plan"])].append(str(one["id"]))
    return [f"I1: {plan} has {len(ids)} live invoices: {', '.join(ids)}" for plan, ids in alive.items() if len(ids) > 1]


def billed_twice(before: Mapping[int, Standing], after: Mapping[int, Standing]) -> list[str]:
    """What a run has put into Stripe goes no further than what was ordered when it listed. `before` are the orders as
    they were then, against Stripe as it was then; `after` the same orders against Stripe as the run left it."""
    return [
        f"I1: {one.number} was ordered for {one.ordered} and is billed for {one.billed} "
        f"({one.in_stripe} in Stripe, {one.in_netsuite} in NetSuite, {one.mirrored} of it in both)"
        for key, one in after.items()
        if one.in_stripe > (before[key].in_stripe if key in before else 0) and one.gap < 0
    ]


# I2


def signed_on(batch: bytes, sha256: str, held: Iterable[str] = ()) -> dict[str, Signed]:
    """What was signed by an approval of the page whose content has this hash, by content hash. ValueError if these
    bytes are not that content. `held` are plans that approvers held back."""
    if hashlib.sha256(batch).hexdigest() != sha256:
        raise ValueError("the batch is not the content that was signed")
    kept_back = set(held)
    found = {}
    for invoice in json.loads(batch)["invoices"]:
        plan = invoice["plan"]
        if invoice["disposition"] in ("ask", "finish") and plan["key"] not in kept_back:
            found[str(invoice["content_hash"])] = Signed(
                tuple(sorted(order["number"] for order in plan["orders"])),
                plan["currency"],
                plan["total"],
                tuple(sorted((line["description"], line["amount"]) for line in plan["lines"])),
            )
    return found


def drafts_without_approval(invoices: Iterable[Json], signed: Mapping[str, Signed]) -> list[str]:
    """Every invoice of ours that is whole was signed for, and holds exactly that. One that was begun and not finished
    has no more lines than were signed. One that a person changed while it was written says so itself."""
    found = []
    for one in invoices:
        metadata = one["metadata"]
        if "billing_plan" not in metadata:
            continue
        approved = signed.get(metadata.get("content_sha256", ""))
        if approved is None:
            found.append(f"I2: {one['id']} of {metadata['billing_plan']} holds content that nobody has signed")
            continue
        lines = Counter((line["description"], line["amount"]) for line in one["lines"]["data"])
        whole = Counter(approved.lines)
        says_so = "differs_from_approval" in metadata
        if not says_so and (one["currency"] != approved.currency or lines - whole):
            found.append(f"I2: {one['id']} of {metadata['billing_plan']} holds other lines than were signed")
    return found


# I3


def report_adds_up(run: RunEnded) -> list[str]:
    """Every order that NetSuite listed has a line, and counts and sums are those of the lines."""
    report = run.report
    if report is None:
        return []
    found = []
    fates: dict[str, set[str]] = defaultdict(set)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in report["lines"]:
        for order in line["order_ids"]:
            fates[order].add(line["fate"])
        if line["currency"] is not None and line["total"] is not None:
            sums[line["fate"]][line["currency"]] += line["total"]
    if lost := set(run.listed) - set(fates):
        found.append(f"I3: {run.name} listed {sorted(lost)} and its report does not name them")
    counts = report["counts"]
    if sum(counts.values()) != report["listed"]:
        found.append(f"I3: {run.name} listed {report['listed']} orders and counts {sum(counts.values())}")
    if sum(counts.values()) != len(fates):
        found.append(f"I3: {run.name} counts {sum(counts.values())} orders and names {len(fates)}")
    for fate, by_currency in report["totals"].items():
        if dict(by_currency) != dict(sums.get(fate, {})):
            found.append(f"I3: {run.name} sums {fate} as {by_currency}, its lines as {dict(sums.get(fate, {}))}")
    return found


# I4


def decisions_are_on_record(run: RunEnded) -> list[str]:
    """Who, when, and why."""
    report = run.report
    if report is None:
        return []
    found = []
    for vote in report["votes"]:
        if not vote["approver"] or not vote["at"]:
            found.append(f"I4: {run.name} has a vote without a person or a time")
        if vote["answer"] != "approve" and not vote["reason"].strip():
            found.append(f"I4: {run.name} was rejected without a reason")
    decision = report["decision"]
    if decision is not None and (not decision["at"] or not decision["reason"].strip()):
        found.append(f"I4: {run.name} ended as {decision['outcome']} without a time or a reason")
    drafted = any(line["fate"] == "drafted" for line in report["lines"])
    if drafted and not report["votes"] and not _signed_earlier(report):
        found.append(f"I4: {run.name} drafted, and nobody is on record as having signed")
    return found


def _signed_earlier(report: Json) -> bool:
    """A run that only finished what an earlier one had signed for asked nobody."""
    return report["request"] is None


# I5


def written_again(before: bytes, after: bytes) -> list[str]:
    """Two dumps of every store, around a run of a month that was complete."""
    return [] if before == after else ["I5: a month that was complete was run again, and something was written"]


# I6


def end_was_told(run: RunEnded) -> list[str]:
    """Whatever ends, but a second start that found the first at work, says so to people."""
    if run.status == "RUNNING":
        return [f"I6: {run.name} runs and waits for nobody"]
    return [] if run.told else [f"I6: {run.name} ended as {run.status}, and nobody was told"]


# S1 to S3

_NO_DECIMALS = ("jpy", "krw", "vnd", "clp", "isk")


def settlement_agrees(invoices: Iterable[Json], settled: Settled) -> list[str]:
    """Of each object one record; of each finalised invoice that was heard of and does not wait, the same amounts in
    NetSuite as in Stripe. Amounts of NetSuite are in major units."""
    found = []
    times = Counter(str(one["externalId"]).lower() for one in settled.records)
    found += [f"S1: NetSuite has {count} records {key}" for key, count in times.items() if count > 1]
    for one in invoices:
        root = str(one["id"])
        if one["status"] == "draft" or root not in settled.heard or root in settled.waiting or one["total"] <= 0:
            continue
        mirrors = [
            record
            for record in settled.records
            if record["recordType"] == "invoice" and str(record["externalId"]).partition("-")[0] == root
        ]
        if not mirrors:
            # What was voided before anybody heard of it is nothing.
            if one["status"] != "void":
                found.append(
                    f"S3: {root} is {one['status']} in Stripe, NetSuite has no invoice of it, and nothing waits"
                )
            continue
        minor = 1 if one["currency"] in _NO_DECIMALS else 100
        # What was collected of the client's balance with it is an invoice of its own.
        own = [record for record in mirrors if not str(record["externalId"]).endswith("-debit")]
        billed = round(sum(float(record["total"]) for record in own) * minor)
        due = round(sum(float(record["amountRemaining"]) for record in mirrors) * minor)
        owed = one["amount_remaining"] if one["status"] == "open" else 0
        if billed != one["total"]:
            found.append(f"S2: {root} is {one['total']} in Stripe and {billed} in NetSuite")
        # Whether one that is written off stays due is the firm's policy.
        if due != owed and one["status"] != "uncollectible":
            found.append(f"S2: of {root} Stripe waits for {owed} and NetSuite for {due}")
    return found


# The equation of a month's end.


def out_of_sight(standings: Mapping[int, Standing], expected: Iterable[int], named: Iterable[str]) -> list[str]:
    """Of every order that a run had to see: drafted alive + billed in NetSuite = ordered, or it is named as open.
    `expected` are the orders that the run had to see, `named` the numbers that its report names as open."""
    seen = set(named)
    return [
        f"Lost from sight: {one.number} is ordered for {one.ordered}, billed for {one.billed} "
        f"({one.in_stripe} in Stripe, {one.in_netsuite} in NetSuite, {one.mirrored} of it in both"
        f"{', for another client or currency' if one.moved else ''}), and nobody names it"
        for key, one in standings.items()
        if key in set(expected) and (one.gap != 0 or one.moved) and one.number not in seen
    ]


def named_as_open(report: Json) -> set[str]:
    """The numbers of the orders that a report names as not billed, or not billed as they are ordered: all that it says
    outside the lines of what is drafted or was drafted before."""
    numbers = {
        number for line in report["lines"] if line["fate"] in ("held", "problem", "failed") for number in line["orders"]
    }
    beside = {
        name: value for name, value in report.items() if name not in ("lines", "record", "request", "votes", "run")
    }
    words = json.dumps(beside).replace('"', " ").replace(",", " ").replace(".", " ").replace("(", " ").replace(")", " ")
    return numbers | set(words.split())

"""`make demo`: a monthly run on this machine, from the schedule to the drafts and the Slack message, and what follows
when the drafts are sent: from the finalised invoice to the bank.

Reads environment variables (see README.md of this folder): WORLD, INPUT, RECORD, ANSWER, SETTLE, STRIPE_URL, SLACK_URL,
NETSUITE_URL, PARAMS. The last line of the output is one JSON object; the exit code is 0 when the run ended as it
was answered.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.sandbox.aws import scheduler
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.aws.stepfunctions import EnteredState
from tests.sandbox.demo_bank import SecondHalf, policies_of_the_firm, with_items
from tests.sandbox.netsuite import World, load_world
from tests.sandbox.sandbox import Decision, Run, RunResult, Sandbox
from tests.sandbox.settlement import POLICIES_KEY

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 2.0
_FATES = ("drafted", "skipped", "held", "failed")
_ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()
)  # Stripe, "Zero-decimal currencies"
_THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())  # Stripe, "Three-decimal currencies"


@dataclass(frozen=True)
class Choices:
    """What the environment asks for. `answer` is approve, reject, or empty: wait for a person. `settle`: go on to the
    bank after the run."""

    world: str
    input: str
    record: str
    answer: str
    stripe_url: str
    slack_url: str
    netsuite_url: str
    parameters: Mapping[str, str]
    settle: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Choices:
        """Read and check the environment. SandboxError names the variable that is wrong."""
        answer = environment.get("ANSWER", "").strip().lower()
        if answer not in ("", "approve", "reject"):
            raise SandboxError(f"ANSWER must be approve, reject or empty, not {answer!r}")
        settle = environment.get("SETTLE", "").strip().lower()
        if settle not in ("", "yes", "no"):
            raise SandboxError(f"SETTLE must be yes, no or empty, not {settle!r}")
        return cls(
            world=environment.get("WORLD", "").strip() or "services_firm",
            input=environment.get("INPUT", "").strip(),
            record=environment.get("RECORD", "").strip(),
            answer=answer,
            stripe_url=environment.get("STRIPE_URL", "").strip(),
            slack_url=environment.get("SLACK_URL", "").strip(),
            netsuite_url=environment.get("NETSUITE_URL", "").strip(),
            parameters=read_parameters(environment.get("PARAMS", "")),
            settle=settle != "no",
        )

    def why_not_settled(self) -> str:
        """Why the demo ends with the drafts; empty if it goes on to the bank."""
        if not self.settle:
            return "SETTLE=no"
        if self.parameters.get("Settlement", "on") != "on":
            return "PARAMS turns the settlement off"
        if self.stripe_url or self.netsuite_url:
            return "clients and banks are played by the stand-ins, and another server was given"
        return ""


def read_parameters(text: str) -> dict[str, str]:
    """Template parameters from PARAMS: a JSON object, or Name=value pairs separated by blanks."""
    text = text.strip()
    if not text:
        return {}
    if text.startswith("{"):
        try:
            return {name: str(value) for name, value in json.loads(text).items()}
        except ValueError as error:
            raise SandboxError(f"PARAMS is not JSON: {error}") from None
    pairs = [item.partition("=") for item in text.split()]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise SandboxError(f"PARAMS: {wrong[0]!r} is not Name=value")
    return {name: value for name, _, value in pairs}


class Screen:
    """What the demo prints: one line a state, as it is entered."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = 0
        self._items_shown = -1

    def say(self, text: str = "") -> None:
        """A line, at once."""
        print(text, flush=True)

    def step(self, text: str) -> None:
        """A line with the seconds since the start."""
        self.say(f"{time.monotonic() - self._started:7.1f} s  {text}")

    def states(self, entered: Iterable[EnteredState]) -> None:
        """Lines for the states that are new since the last call."""
        own = [state for state in entered if state.child is None]
        for state in own[self._shown :]:
            self.step(f"-> {state.name}")
        self._shown = len(own)

    def items(self, done: int, total: int) -> None:
        """A line when more items of a Distributed Map are done."""
        step = max(1, total // 8)
        if total and done != self._items_shown and (done == total or done >= self._items_shown + step):
            self._items_shown = done
            self.step(f"   {done} of {total} items done")


def run_demo(choices: Choices) -> int:
    """Play one run. Returns the exit code."""
    screen = Screen()
    screen.step("starting NetSuite, Stripe, Slack and AWS on this machine ...")
    ends_here = choices.why_not_settled()
    world: str | World = choices.world if ends_here else with_items(load_world(choices.world))
    with Sandbox(
        world=world,
        parameters=choices.parameters if ends_here else {**choices.parameters, "Settlement": "on"},
        stripe_url=choices.stripe_url or None,
        slack_url=choices.slack_url or None,
        netsuite_url=choices.netsuite_url or None,
        record=choices.record or None,
    ) as sandbox:
        screen.step(f"template.yaml is deployed: {len(sandbox.stack.resources)} resources")
        if not ends_here:
            _prepare_settlement(sandbox)
        run = _start(sandbox, choices, screen)
        asked, result = _follow(sandbox, run, choices, screen)
        _show_end(sandbox, run, result, screen)
        last = summary(sandbox, run, result)
        if ends_here:
            screen.step(f"the demo ends with the drafts: {ends_here}")
        else:
            sandbox.stripe.release_events()
            last["settlement"] = SecondHalf(sandbox, screen.step).play()
            screen.say()
        print(json.dumps(last), flush=True)
        return 0 if ended_as_answered(choices.answer, asked, result) else 1


def _prepare_settlement(sandbox: Sandbox) -> None:
    """The firm's policy file, and a bank account in each currency. Stripe rings once the run has ended, so that the
    calls of the last line are the run's own."""
    if sandbox.stack.parameters["SettlementPolicies"] == POLICIES_KEY:
        sandbox.settlement.set_policies(policies_of_the_firm(sandbox.netsuite))
    for currency in sandbox.netsuite.records("currency"):
        sandbox.stripe.add_bank_account(str(currency["symbol"]).lower())
    sandbox.stripe.hold_events()


def ended_as_answered(answer: str, asked: bool, result: RunResult) -> bool:
    """Approved: SUCCEEDED. Rejected: FAILED with ApprovalRejected. Nobody asked: SUCCEEDED."""
    approved = result.status == "SUCCEEDED"
    rejected = result.status == "FAILED" and result.error == "ApprovalRejected"
    if not asked:
        return approved
    return {"approve": approved, "reject": rejected, "": approved or rejected}[answer]


def _start(sandbox: Sandbox, choices: Choices, screen: Screen) -> Run:
    if not choices.input:
        run = sandbox.fire_schedule()
        screen.step("the schedule fires")
        return run
    text = choices.input
    try:
        given = json.loads(text)
    except ValueError as error:
        raise SandboxError(f"INPUT is not JSON: {error}") from None
    if isinstance(given, dict) and not {"scheduledAt", "period"} & set(given):
        # By hand one says what differs; when the run would have started is the schedule's business.
        last = scheduler.occurrence(
            str(sandbox.stack.parameters["ScheduleExpression"]),
            str(sandbox.stack.parameters["FirmTimeZone"]),
            sandbox.now(),
            upcoming=False,
        )
        text = json.dumps({"scheduledAt": last.strftime("%Y-%m-%dT%H:%M:%SZ"), **given})
    screen.step(f"started by hand with {text}")
    return sandbox.start(text)


def _follow(sandbox: Sandbox, run: Run, choices: Choices, screen: Screen) -> tuple[bool, RunResult]:
    """Show the states as they pass, and answer or let a person answer. Returns whether anybody was asked."""
    asked = 0
    while True:
        screen.states(sandbox.states(run))
        children = sandbox.children(run)
        screen.items(sum(child.stopped is not None for child in children), len(children))
        result = sandbox.result(run)
        if result.status != "RUNNING":
            screen.states(sandbox.states(run))
            return bool(asked), result
        waits = sum(event["type"] == "TaskSubmitted" for event in sandbox.history(run))
        if waits > asked and sandbox.is_waiting(run):
            asked = waits
            _ask(sandbox, run, choices, screen)
        time.sleep(_POLL_SECONDS)


def _ask(sandbox: Sandbox, run: Run, choices: Choices, screen: Screen) -> None:
    mails = [mail for mail in sandbox.mails()[run.mails_before :] if sandbox.asking_links(mail)]
    screen.say()
    for mail in mails:
        screen.say(f"   mail to {', '.join(mail.to)}: {mail.subject}")
        screen.say(f"   {sandbox.page_links(mail)[0]}")
    screen.say()
    if not choices.answer:
        screen.step("waiting: open one of the links in a browser and decide ...")
        return
    for mail in mails:
        if not sandbox.is_waiting(run):
            return
        decision: Decision = "approve" if choices.answer == "approve" else "reject"
        try:
            page = sandbox.answer(mail, decision, reason="Rejected by the demo, as asked.")
        except SandboxError as error:
            screen.step(f"{mail.to[0]} cannot answer: {error}")
            continue
        screen.step(f"{mail.to[0]} answers {decision} through the page: HTTP {page.status}")
        if page.status >= 400:
            raise SandboxError(f"the page did not accept the answer: {page.text[:200]}")
        deadline = time.monotonic() + _GRACE_SECONDS
        while sandbox.is_waiting(run) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _show_end(sandbox: Sandbox, run: Run, result: RunResult, screen: Screen) -> None:
    screen.step(f"the run ended: {result.status}{f', {result.error}' if result.error else ''}")
    if result.cause:
        screen.say(f"   {_readable_cause(result.cause)}")
    drafts = sandbox.drafts()
    screen.say()
    screen.say(f"   {len(drafts)} drafts in Stripe")
    for draft in drafts:
        amount = _decimal_text(draft["total"], draft["currency"])
        name = draft.get("customer_name") or draft.get("customer_email") or ""
        screen.say(f"   {draft['id']:<30} {amount:>16} {draft['currency'].upper()}  {name}")
    for post in sandbox.posts():
        screen.say()
        screen.say(f"   Slack, {post['channel']}:")
        for line in _slack_lines(post):
            screen.say(f"   | {line}")
    screen.say()


def _readable_cause(cause: str) -> str:
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    return str(found.get("errorMessage", cause)) if isinstance(found, dict) else cause


def _slack_lines(post: Mapping[str, Any]) -> list[str]:
    texts = []
    for block in post["blocks"] or []:
        parts = (block.get("text"), *block.get("fields", []), *block.get("elements", []))
        texts += [str(part.get("text", "")) for part in parts if isinstance(part, Mapping)]
    return [line for text in texts or [str(post["text"])] for line in text.splitlines()]


def _decimals(currency: str) -> int:
    upper = currency.upper()
    if upper in _ZERO_DECIMAL:
        return 0
    return 3 if upper in _THREE_DECIMAL else 2


def _decimal_text(minor: int, currency: str) -> str:
    places = _decimals(currency)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def summary(sandbox: Sandbox, run: Run, result: RunResult) -> dict[str, Any]:
    """The last line: how the run ended, counts of orders, sums of the drafts, calls, and the drafts.

    `totals` are decimal texts in major units; an invoice's `total` is in Stripe's minor units.
    """
    try:
        report = sandbox.report(run)
    except SandboxError:
        report = {"counts": {}, "listed": 0, "lines": []}
    counts = {**report["counts"]}
    drafts = {draft["id"]: draft for draft in sandbox.drafts()}
    invoices = []
    for line in report["lines"]:
        if line["fate"] == "drafted" and line["invoice_id"]:
            draft = drafts.get(line["invoice_id"], {})
            invoices.append(
                {
                    "order": ", ".join(line["orders"]),
                    "id": line["invoice_id"],
                    "currency": str(draft.get("currency", line["currency"])).lower(),
                    "total": draft.get("total", line["total"]),
                }
            )
    sums: dict[str, int] = {}
    for invoice in invoices:
        sums[invoice["currency"].upper()] = sums.get(invoice["currency"].upper(), 0) + invoice["total"]
    calls = [(request.service, request.method) for request in sandbox.requests]
    return {
        "status": result.status,
        "error": result.error,
        "listed": report["listed"],
        **{fate: counts.get(fate, 0) for fate in _FATES},
        "problems": counts.get("problem", counts.get("problems", 0)),
        "totals": {currency: _decimal_text(minor, currency) for currency, minor in sorted(sums.items())},
        "calls": {
            "netsuite": sum(service == "netsuite" for service, _ in calls),
            "stripe": {
                "read": sum(service == "stripe" and method == "GET" for service, method in calls),
                "write": sum(service == "stripe" and method != "GET" for service, method in calls),
            },
            "slack": sum(service == "slack" for service, _ in calls),
        },
        "invoices": invoices,
    }


def _interrupt(signal_number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """The command. 0: ended as answered; 1: ended otherwise; 2: could not be run; 130: interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run_demo(Choices.from_environment(os.environ))
    except (SandboxError, FileNotFoundError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

"""A batch that waits for signatures: real tables, files, signatures and pages, and a run that can be woken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from billing.adapters.aws.run_files import RunFiles
from billing.adapters.aws.task_tokens import TaskCallback, complete, seal_token
from billing.adapters.dynamodb.approvals import ApprovalsTable
from billing.adapters.dynamodb.codes import Codes
from billing.adapters.dynamodb.ledger import LedgerTable
from billing.adapters.dynamodb.message_log import MessageLog
from billing.adapters.dynamodb.runs import RunsTable
from billing.adapters.signatures import Signatures
from billing.domain.approval.approvers import parse_slot_rules
from billing.domain.approval.second_factor import SecondFactor, digits_of
from billing.domain.approval.signers import ListedPeople
from billing.domain.batch.batch import Batch, BatchInvoice, with_pieces
from billing.domain.invoices.billing_policy import BillingPolicy
from billing.domain.invoices.invoice_plan import plan_hash, plan_invoices
from billing.domain.ledger.customer_match import How, MatchedCustomer
from billing.domain.ledger.ledger import Disposition, OrderLink
from billing.domain.mail import MailContent
from billing.domain.orders.order_rows import read_orders
from billing.domain.records import stored
from billing.domain.run import Matched, read_state, to_state
from billing.pages.approval.approval_mail import approval_mail
from billing.pages.approval.code_mail import code_mail
from billing.pages.approval.question_mail import question_mail
from billing.runtime.telemetry import logger, metrics
from billing.workflows.approval.approval_links import ApproverLinks
from billing.workflows.approval.who_may_sign import WhoMaySign
from billing.workflows.approval_page.after_signing import AfterSigning
from billing.workflows.approval_page.approval_exchange import ApprovalExchange, approval_exchange
from billing.workflows.approval_page.confirming import Confirming
from billing.workflows.approval_page.guard import Guard
from billing.workflows.approval_page.questions import Questions
from billing.workflows.monthly_billing.ask_for_approval import Asking
from billing.workflows.monthly_billing.ask_the_deputies import ask_the_deputies
from billing.workflows.monthly_billing.read_the_decision import read_the_decision
from billing.workflows.ports import Telemetry
from tests.a_run import a_run
from tests.adapters.aws_world import APPROVALS, BUCKET, LEDGER, RUNS, AwsWorld
from tests.domain.suiteql_rows import hours, order
from tests.workflows.moving_clock import MovingClock

ANN, BOB, CY = "ann@firm.example", "bob@firm.example", "cy@firm.example"
DAY = 86_400
TELEMETRY = Telemetry(logger, metrics)


@dataclass
class Outbox:
    """Keeps mails instead of sending them; fails for the addresses in `refuses`."""

    mails: list[tuple[str, MailContent, str]] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)

    def send(self, to: str, content: MailContent, thread: str, tags: Mapping[str, str] | None = None) -> None:
        if to in self.refuses:
            raise self.refuses[to]
        self.mails.append((to, content, thread))

    @property
    def receivers(self) -> list[str]:
        return [to for to, _, _ in self.mails]


@dataclass
class Sleeper:
    """Step Functions, as far as it is woken: each token once."""

    woken: list[str] = field(default_factory=list)
    failing: bool = False

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's own name
        if self.failing:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SendTaskSuccess")  # type: ignore[typeddict-item]
        if taskToken in self.woken:
            raise ClientError({"Error": {"Code": "TaskTimedOut"}}, "SendTaskSuccess")  # type: ignore[typeddict-item]
        self.woken.append(taskToken)


@dataclass
class ApprovalWorld:
    aws: AwsWorld
    clock: MovingClock
    approvers: str = f"Finance: {ANN}, {BOB}"
    run_id: str = "run-1"
    deputies: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    requested_by: str = ""
    factor: SecondFactor = "off"
    least_seconds: int = 0
    controllers: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    made_codes: int = 0
    sleeper: Sleeper = field(default_factory=Sleeper)
    outbox: Outbox = field(default_factory=Outbox)

    def __post_init__(self) -> None:
        self.requests = ApprovalsTable(self.aws.dynamodb, APPROVALS)
        self.files = RunFiles(self.aws.s3, BUCKET)
        self.ledger = LedgerTable(self.aws.dynamodb, LEDGER, RUNS)
        self.signatures = Signatures({"keys": [{"id": "1", "key": "k" * 40}]})
        self.matched = self.batch(3)

    @property
    def run(self) -> dict[str, Any]:
        return {
            "id": self.run_id, "executionArn": f"arn:{self.run_id}", "cycle": "main", "period": "2026-05",
            "zone": "America/New_York", "prefix": f"runs/2026-05/{self.run_id}/", "dryRun": False,
            "invoiceDate": "2026-06-01", "requestedBy": self.requested_by, "barred": self.requested_by,
            "settings": {
                "approvalTimeoutSeconds": 3 * DAY, "reminderIntervalSeconds": DAY, "escalationAfterSeconds": 0,
            },
        }  # fmt: skip

    def batch(self, count: int) -> dict[str, Any]:
        """Write a batch of so many invoices; answers what "Match the customers" does."""
        return self.batch_of(
            [row for n in range(count) for row in order("1000.00", hours(), id=str(500 + n), tranid=f"SO-{1001 + n}")]
        )

    def batch_of(self, rows: list[dict[str, str]], policy: BillingPolicy | None = None) -> dict[str, Any]:
        """The same of NetSuite's rows."""
        placed, _ = with_pieces(
            BatchInvoice(
                plan, plan_hash(plan), Disposition.ASK, "New.", MatchedCustomer("cus_1", How.KNOWN),
                orders=(OrderLink(plan.orders[0].id, plan_hash(plan), 0),),
            )
            for plan in plan_invoices(read_orders(rows), policy or BillingPolicy()).invoices
        )  # fmt: skip
        return self.keep(Batch(replace(a_run(self.run).frame, zone="UTC"), placed, ()))

    def keep(self, batch: Batch) -> dict[str, Any]:
        """Write any batch; answers what "Match the customers" does."""
        count = len(batch.to_draft)
        key = f"{self.run['prefix']}batch-{count}.json"
        return {"batchKey": key, "sha256": self.files.write_json(key, stored(batch)), "toAsk": count, "toFinish": 0}

    @property
    def listed(self) -> ListedPeople:
        """Whom the stack's parameters list."""
        return ListedPeople(parse_slot_rules(self.approvers), frozenset(self.deputies), frozenset(self.domains))

    def ask(self, token: str = "token-1", outcome_so_far: str = "not asked") -> int:
        """The state "Ask for approval"."""
        asking = Asking(
            listed=self.listed,
            requests=self.requests,
            starts=RunsTable(self.aws.dynamodb, RUNS),
            files=self.files,
            messages=MessageLog(self.aws.dynamodb, APPROVALS),
            mail=self.outbox,
            seal=lambda run_id, text: seal_token(self.aws.kms, self.aws.key_id, run_id, text),
            complete=lambda text: complete(self.sleeper, text),  # type: ignore[arg-type]
            signed=self.signatures,
            links=ApproverLinks("https://approve.example/", self.signatures.sign_link, self.signatures.sign_inbox),
            write_mail=approval_mail,
            now=self.clock.now,
        )
        return asking.ask(a_run(self.run), read_state(Matched, self.matched), outcome_so_far, token)["mails"]

    def decide(self) -> str:
        """The state "Read the decision"."""
        return str(self.read()["outcome"])

    def read(self) -> dict[str, Any]:
        """All that the state "Read the decision" answers."""
        decision = read_the_decision(
            a_run(self.run),
            read_state(Matched, self.matched),
            self.requests,
            self.files,
            self.ledger,
            self.signatures,
            self.clock.now,
            lambda: self.listed,
        )
        return dict(to_state(decision))

    def expire(self) -> str:
        """The whole wait passes, and the run looks."""
        self.clock.move(days=3)
        return self.decide()

    def escalate(self) -> int:
        """The state "Ask the deputies"."""
        asked = ask_the_deputies(a_run(self.run), self.deputies, self.requests, self.signatures, self.clock.now)
        return asked["deputies"]

    def link(self, person: str) -> str:
        """The newest link that a person was mailed."""
        mailed = [content.text for to, content, _ in self.outbox.mails if to == person]
        text = [one for one in mailed if "https://approve.example/approvals/" in one][-1]
        return text.split("https://approve.example/approvals/")[1].split()[0]

    @property
    def guard(self) -> Guard:
        """With the second factor and the least time that the world says; its codes are 100001, 100002 and so on."""
        confirming = Confirming(
            self.factor,
            Codes(self.aws.dynamodb, APPROVALS),
            self.signatures,
            lambda: self.outbox,
            lambda seen, digits: code_mail(seen.request, seen.approver, digits),
            self._next_code,
            self.clock.now,
        )
        return Guard(confirming, self.signatures, self.least_seconds, self.controllers)

    def _next_code(self) -> str:
        self.made_codes += 1
        return digits_of(100_000 + self.made_codes)

    @property
    def exchange(self) -> ApprovalExchange:
        who = WhoMaySign(self.listed)
        callback = TaskCallback(self.aws.kms, self.sleeper)  # type: ignore[arg-type]
        return ApprovalExchange(
            self.requests,
            self.files,
            self.signatures,
            callback,
            who,
            AfterSigning(self.ledger, self.files),
            self.guard,
            Questions(self.owners, MessageLog(self.aws.dynamodb, APPROVALS), lambda: self.outbox, question_mail),
            lambda: self.clock.now,
            finalizes=False,
            telemetry=TELEMETRY,
        )

    def inbox(self, person: str) -> str:
        """The newest link to a person's inbox."""
        text = [content.text for to, content, _ in self.outbox.mails if to == person][-1]
        return text.split("https://approve.example/approvals/inbox/")[1].split()[0]

    def get(self, link: str, method: str = "GET", query: str = "", **headers: str) -> dict[str, Any]:
        return self._call(link, method, query, None, headers=headers)

    def look_into(self, link: str) -> dict[str, Any]:
        """GET of an inbox."""
        return self._call(link, "GET", "", None, "/approvals/inbox/")

    def post(self, link: str, **form: str) -> dict[str, Any]:
        """Open the page and send a form of it, with what is hidden in it."""
        return self.send(link, **{**self.shown(link), **form})

    def send(self, link: str, **form: str) -> dict[str, Any]:
        """POST exactly this."""
        return self._call(link, "POST", "", urlencode(form))

    def shown(self, link: str) -> dict[str, str]:
        """What the page's forms carry unseen; nothing if it has none."""
        found = re.search(r'<input type="hidden" name="(content)" value="(\w+)">', self.get(link)["body"])
        return {found[1]: found[2]} if found else {}

    def _call(
        self,
        link: str,
        method: str,
        query: str,
        body: str | None,
        path: str = "/approvals/",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return approval_exchange(
            {
                "version": "2.0",
                "rawPath": path + link,
                "pathParameters": {"link": link},
                "rawQueryString": query,
                "headers": {name.replace("_", "-"): value for name, value in (headers or {}).items()},
                "requestContext": {
                    "requestId": "ref-1",
                    "http": {"method": method, "sourceIp": "203.0.113.7", "userAgent": "Firefox/140"},
                },
                **({"body": body, "isBase64Encoded": False} if body is not None else {}),
            },
            lambda: self.exchange,
            TELEMETRY,
        )

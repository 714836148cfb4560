"""Where ports meet adapters: one function per Lambda, called once per process.

Imports stand inside, so that a function loads only what it uses: the approval page never imports Stripe's SDK.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from billing.runtime.settings import Environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from stripe import StripeClient

    from billing.adapters.aws.mailer import Mailer
    from billing.adapters.aws.run_files import RunFiles
    from billing.adapters.netsuite.suiteql import SuiteQL
    from billing.adapters.signatures import Signatures
    from billing.adapters.slack import Slack
    from billing.adapters.stripe.client import Caller
    from billing.domain.approval.approval_request import ApprovalRequest, RecordedOutcome, RecordedVote
    from billing.domain.approval.approvers import Slot, SlotRule
    from billing.domain.approval.signers import ListedPeople
    from billing.domain.batch.batch import Batch
    from billing.domain.invoices.billing_policy import BillingPolicy
    from billing.domain.mail import MailContent
    from billing.domain.orders.invoice_preview import InvoicePreview
    from billing.domain.orders.sales_order import SalesOrder
    from billing.domain.runs.report import Report
    from billing.workflows.approval.approval_links import ApproverLinks
    from billing.workflows.monthly_billing.draft_the_invoice import Drafting
    from billing.workflows.monthly_billing.open_the_run import RunSettings

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)


def now() -> datetime:
    """The only clock."""
    return datetime.now(UTC)


def _environment() -> Environment:
    return Environment(os.environ)


def _dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_RETRIES)


def _files(env: Environment) -> RunFiles:
    from billing.adapters.aws.run_files import RunFiles

    return RunFiles(boto3.client("s3", config=_RETRIES), env.text("RUNS_BUCKET"))


def _mailer(env: Environment) -> Mailer:
    from billing.adapters.aws.mailer import Mailer

    return Mailer(boto3.client("sesv2", config=_RETRIES), env.text("SENDER_EMAIL"), env.text("MAIL_CONFIGURATION_SET"))


def _signatures(secret_arn: str) -> Signatures:
    """Made for each event: a key that was added meanwhile verifies and signs."""
    from billing.adapters.aws.secrets import secret
    from billing.adapters.signatures import Signatures

    return Signatures(secret(secret_arn))


def _approver_links(env: Environment, signatures: Signatures) -> ApproverLinks:
    from billing.workflows.approval.approval_links import ApproverLinks

    return ApproverLinks(env.text("PUBLIC_URL"), signatures.sign_link, signatures.sign_inbox)


def _channel(env: Environment) -> Callable[[], Slack]:
    """Made when it is used: a token that cannot be read must not keep the mails from going out."""
    from billing.adapters.aws.secrets import field
    from billing.adapters.slack import Slack, slack_client

    channel_id, slack_url = env.text("SLACK_CHANNEL"), env.optional("SLACK_API_URL")
    return lambda: Slack(slack_client(field(env.text("SLACK_SECRET_ARN"), "bot_token"), slack_url), channel_id)


def open_the_run() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Open the run"."""
    from billing.adapters.aws.executions import Executions
    from billing.adapters.dynamodb.runs import RunsTable
    from billing.workflows.monthly_billing.open_the_run import former_listing, open_the_run

    env = _environment()
    settings = _run_settings(env)
    locks = RunsTable(_dynamodb(), env.text("RUNS_TABLE"))
    executions = Executions(boto3.client("stepfunctions", config=_RETRIES))

    def opened(event: Mapping[str, Any]) -> dict[str, Any]:
        run = open_the_run(
            event["input"],
            event["executionArn"],
            event["executionName"],
            settings,
            locks,
            executions.is_running,
            now(),
            event.get("before"),
            event.get("redriveCount", 0),
        )
        # An execution that is redriven goes on with the definition it started with: an older one wants the frame alone.
        return {"run": run, "former": former_listing(run, event["before"])} if "before" in event else run

    return opened


def check_the_parameters() -> Callable[[Mapping[str, Any]], None]:
    """Wire what CloudFormation calls while the stack is deployed."""
    from billing.adapters.aws.cloudformation import respond
    from billing.domain.batch.upper_bounds import parse_upper_bounds
    from billing.domain.runs.period import parse_bill_from
    from billing.workflows.monthly_billing.open_the_run import check_who_signs
    from billing.workflows.operations.check_the_parameters import check_the_parameters

    def check(properties: Mapping[str, str]) -> None:
        env = Environment(properties)
        settings = _run_settings(env)
        parse_bill_from(settings.bill_from)
        check_who_signs(settings, settings.cycle, "")
        parse_upper_bounds(env.optional("UPPER_BOUNDS"))
        _policy(env, "2026-01", ("email",))

    return lambda event: check_the_parameters(event, check, respond)


def _run_settings(env: Environment) -> RunSettings:
    from billing.domain.approval.waiting import WaitingRules
    from billing.workflows.monthly_billing.open_the_run import RunSettings

    return RunSettings(
        zone=env.zone("FIRM_TIME_ZONE"),
        cycle=env.text("CYCLE_NAME"),
        bill_from=env.optional("BILL_FROM"),
        approvers=env.text("APPROVERS"),
        deputies=env.optional("DEPUTIES"),
        delegate_domains=env.optional("DELEGATE_DOMAINS"),
        requester_may_sign=env.flag("REQUESTER_MAY_SIGN"),
        waiting=WaitingRules(
            env.number("APPROVAL_TIMEOUT_SECONDS"),
            env.number("REMINDER_INTERVAL_SECONDS"),
            env.number("ESCALATION_AFTER_SECONDS"),
        ),
        draft_concurrency=env.number("DRAFT_CONCURRENCY"),
    )


def list_the_sales_orders() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "List the sales orders"."""
    from billing.adapters.dynamodb.carry_over import CarryOver
    from billing.adapters.dynamodb.ended_orders import EndedOrders
    from billing.adapters.netsuite.beside_the_listing import order_states, orders_before
    from billing.adapters.netsuite.invoice_previews import InvoicePreviews
    from billing.adapters.netsuite.sales_orders import list_sales_orders
    from billing.domain.invoices.order_plan import needs_preview
    from billing.workflows.monthly_billing.list_the_sales_orders import NetSuite, list_the_sales_orders

    env = _environment()
    files = _files(env)
    suiteql = _suiteql(env)
    carry_over = CarryOver(_dynamodb(), env.text("LEDGER_TABLE"))
    ended = EndedOrders(_dynamodb(), env.text("LEDGER_TABLE"))
    previews, in_advance = env.text("PREVIEW_PARTLY_BILLED") == "on", env.flag("INVOICE_IN_ADVANCE")

    def preview(order: SalesOrder) -> InvoicePreview | None:
        return InvoicePreviews(suiteql()).of(order.id) if previews and needs_preview(order, in_advance) else None

    def list_orders(event: Mapping[str, Any]) -> dict[str, Any]:
        asked = suiteql()  # one login for all four
        return list_the_sales_orders(
            event["run"],
            env.texts("ORDER_STATUSES"),
            env.texts("BILLING_EMAIL_FIELDS"),
            env.optional("STRIPE_ID_FIELD"),
            NetSuite(
                partial(list_sales_orders, asked),
                partial(orders_before, asked),
                partial(order_states, asked),
                preview,
            ),
            carry_over,
            ended,
            files,
        )

    return list_orders


def compare_with_the_listing() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Compare with the listing"."""
    from billing.adapters.dynamodb.carry_over import CarryOver
    from billing.adapters.dynamodb.ended_orders import EndedOrders
    from billing.adapters.netsuite.fingerprints import columns_beside, orders_listed_now
    from billing.workflows.monthly_billing.compare_with_the_listing import compare_with_the_listing

    env = _environment()
    files = _files(env)
    suiteql = _suiteql(env)
    carry_over = CarryOver(_dynamodb(), env.text("LEDGER_TABLE"))
    ended = EndedOrders(_dynamodb(), env.text("LEDGER_TABLE"))
    return lambda event: compare_with_the_listing(
        event["run"],
        event["listed"],
        env.texts("ORDER_STATUSES"),
        env.texts("BILLING_EMAIL_FIELDS"),
        env.optional("STRIPE_ID_FIELD"),
        columns_beside,
        partial(orders_listed_now, suiteql()),
        carry_over,
        ended,
        files,
    )


def match_the_customers() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Match the customers"."""
    from billing.adapters.dynamodb.customers import CustomersTable
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.adapters.dynamodb.months import Months
    from billing.adapters.netsuite.beside_the_listing import order_states
    from billing.adapters.netsuite.clients import clients_with_emails
    from billing.adapters.netsuite.clients import sharing as others_with
    from billing.adapters.stripe.customers import StripeCustomers
    from billing.adapters.stripe.invoices import StripeInvoices
    from billing.domain.batch.upper_bounds import parse_upper_bounds
    from billing.workflows.monthly_billing.match_the_customers import Matching

    env = _environment()
    files = _files(env)
    dynamodb = _dynamodb()
    stripe = _stripe(env, share=1)
    suiteql = _suiteql(env)

    def sharing(addresses: Mapping[str, str]) -> dict[str, list[str]]:
        found = clients_with_emails(suiteql(), addresses.values())
        return {netsuite_id: others_with(found, email, netsuite_id) for netsuite_id, email in addresses.items()}

    return lambda event: Matching(
        policy_of=partial(_policy, env),
        bounds=parse_upper_bounds(env.optional("UPPER_BOUNDS")),
        change_percent=env.number("CHANGE_WARNING_PERCENT"),
        files=files,
        ledger=LedgerTable(dynamodb, env.text("LEDGER_TABLE")),
        known=CustomersTable(dynamodb, env.text("CUSTOMERS_TABLE")),
        customers=StripeCustomers(*stripe()),
        invoices=StripeInvoices(*stripe()),
        unsigned_drafts=env.text("UNSIGNED_DRAFTS"),  # type: ignore[arg-type]
        months=Months(dynamodb, env.text("RUNS_TABLE")),
        now=now(),
        sharing=sharing,
        order_states=lambda order_ids: order_states(suiteql(), order_ids),
    ).match(event["run"], event["listed"])


def check_for_changes() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Check for changes"."""
    from billing.adapters.dynamodb.ended_orders import EndedOrders
    from billing.adapters.netsuite.fingerprints import order_fingerprints
    from billing.workflows.monthly_billing.check_for_changes import check_for_changes

    env = _environment()
    files = _files(env)
    suiteql = _suiteql(env)
    ended = EndedOrders(_dynamodb(), env.text("LEDGER_TABLE"))
    return lambda event: check_for_changes(
        event["run"],
        event["listed"],
        event["matched"],
        event["decision"],
        partial(order_fingerprints, suiteql()),
        ended,
        files,
    )


def announce_the_request() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Announce the request"."""
    from billing.adapters.dynamodb.message_log import MessageLog
    from billing.domain.approval.approvers import parse_slot_rules
    from billing.pages.approval.approval_notices import asked_notice
    from billing.workflows.monthly_billing.announce_the_request import announce_the_request

    env = _environment()
    files = _files(env)
    messages = MessageLog(_dynamodb(), env.text("RUNS_TABLE"))
    channel = _channel(env)

    def write(run: Mapping[str, Any], batch: Batch, slots: Sequence[Slot]) -> tuple[str, list[dict[str, Any]]]:
        left = timedelta(seconds=run["settings"]["approvalTimeoutSeconds"])
        message = asked_notice(run, batch, slots, left)
        return message.text, message.blocks

    return lambda event: announce_the_request(
        event["run"],
        event["matched"],
        parse_slot_rules(env.text("APPROVERS")),
        files,
        messages,
        channel,
        write,
        now(),
    )


def ask_for_approval() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Ask for approval"."""
    from billing.adapters.aws.task_tokens import complete, seal_token
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.adapters.dynamodb.message_log import MessageLog
    from billing.pages.approval.approval_mail import approval_mail
    from billing.workflows.monthly_billing.ask_for_approval import Asking

    env = _environment()
    listed = _listed(env)
    files = _files(env)
    dynamodb = _dynamodb()
    table = env.text("APPROVALS_TABLE")
    mailer = _mailer(env)
    kms = boto3.client("kms", config=_RETRIES)
    stepfunctions = boto3.client("stepfunctions", config=_RETRIES)

    def ask(event: Mapping[str, Any]) -> dict[str, int]:
        signatures = _signatures(env.text("SIGNING_SECRET_ARN"))
        asking = Asking(
            listed=listed(),
            requests=ApprovalsTable(dynamodb, table),
            files=files,
            messages=MessageLog(dynamodb, table),
            mail=mailer,
            seal=partial(seal_token, kms, env.text("TASK_TOKEN_KEY_ID")),
            complete=partial(complete, stepfunctions),
            signed=signatures,
            links=_approver_links(env, signatures),
            write_mail=partial(approval_mail, finalizes=env.flag("AUTO_ADVANCE")),
            now=now(),
        )
        return asking.ask(event["run"], event["matched"], event["outcomeSoFar"], event["taskToken"])

    return ask


def remind_the_approvers() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Remind the approvers"."""
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.adapters.dynamodb.message_log import MessageLog
    from billing.pages.approval.approval_mail import approval_mail, bounce_mail
    from billing.pages.approval.approval_notices import bounce_notice
    from billing.workflows.monthly_billing.remind_the_approvers import Reminding

    env = _environment()
    listed = _listed(env)
    files = _files(env)
    dynamodb = _dynamodb()
    table = env.text("APPROVALS_TABLE")
    mailer = _mailer(env)
    channel = _channel(env)

    def write_slack(request: ApprovalRequest, lost: str) -> tuple[str, list[dict[str, Any]]]:
        message = bounce_notice(request, lost)
        return message.text, message.blocks

    def remind(event: Mapping[str, Any]) -> dict[str, int]:
        signatures = _signatures(env.text("SIGNING_SECRET_ARN"))
        return Reminding(
            listed=listed(),
            requests=ApprovalsTable(dynamodb, table),
            files=files,
            messages=MessageLog(dynamodb, table),
            mail=mailer,
            channel=channel,
            signed=signatures,
            links=_approver_links(env, signatures),
            write_reminder=partial(approval_mail, finalizes=env.flag("AUTO_ADVANCE")),
            write_bounce=bounce_mail,
            write_slack=write_slack,
            now=now(),
        ).remind(event["run"])

    return remind


def ask_the_deputies() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Ask the deputies"."""
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.domain.approval.approvers import parse_people
    from billing.workflows.monthly_billing.ask_the_deputies import ask_the_deputies

    env = _environment()
    requests = ApprovalsTable(_dynamodb(), env.text("APPROVALS_TABLE"))
    return lambda event: ask_the_deputies(
        event["run"],
        parse_people(env.optional("DEPUTIES"), "The parameter Deputies"),
        requests,
        _signatures(env.text("SIGNING_SECRET_ARN")),
        now(),
    )


def note_the_bounce() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire what SNS calls when SES reports a bounce."""
    from billing.adapters.aws.task_tokens import TaskCallback
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.workflows.approval.note_the_bounce import note_the_bounce

    env = _environment()
    requests = ApprovalsTable(_dynamodb(), env.text("APPROVALS_TABLE"))
    callback = TaskCallback(boto3.client("kms", config=_RETRIES), boto3.client("stepfunctions", config=_RETRIES))
    return lambda event: note_the_bounce(event, requests, callback, now())


def read_the_decision() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Read the decision"."""
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.workflows.monthly_billing.read_the_decision import read_the_decision

    env = _environment()
    listed = _listed(env)
    files = _files(env)
    dynamodb = _dynamodb()
    requests = ApprovalsTable(dynamodb, env.text("APPROVALS_TABLE"))
    ledger = LedgerTable(dynamodb, env.text("LEDGER_TABLE"))
    return lambda event: read_the_decision(
        event["run"],
        event["matched"],
        requests,
        files,
        ledger,
        _signatures(env.text("SIGNING_SECRET_ARN")),
        now(),
        listed,
    )


def draft_the_invoice() -> Callable[[Mapping[str, Any]], Drafting]:
    """Wire the state "Draft the invoice"."""
    from billing.adapters.dynamodb.customers import CustomersTable
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.adapters.stripe.customers import StripeCustomers
    from billing.adapters.stripe.invoices import StripeInvoices
    from billing.workflows.monthly_billing.draft_the_invoice import Drafting, DraftSettings

    env = _environment()
    files = _files(env)
    dynamodb = _dynamodb()
    stripe = _stripe(env, share=env.number("DRAFT_CONCURRENCY"))
    settings = DraftSettings(env.flag("AUTO_ADVANCE"), env.text("TAX_MODE"))  # type: ignore[arg-type]
    return lambda event: Drafting(
        event["run"],
        settings,
        files,
        LedgerTable(dynamodb, env.text("LEDGER_TABLE"), env.text("RUNS_TABLE")),
        CustomersTable(dynamodb, env.text("CUSTOMERS_TABLE")),
        StripeCustomers(*stripe()),
        StripeInvoices(*stripe()),
        now(),
    )


def find_the_orphans() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the repair that is started by hand."""
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.adapters.netsuite.beside_the_listing import order_states
    from billing.adapters.stripe.invoices import StripeInvoices
    from billing.workflows.operations.find_the_orphans import find_the_orphans

    env = _environment()
    stripe, suiteql = _stripe(env, share=1), _suiteql(env)
    ledger = LedgerTable(_dynamodb(), env.text("LEDGER_TABLE"))
    return lambda event: find_the_orphans(
        event,
        StripeInvoices(*stripe()),
        ledger,
        lambda order_ids: order_states(suiteql(), order_ids),
        env.zone("FIRM_TIME_ZONE"),
    )


def end_the_order() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Wire what a person starts who knows that nothing more is to be billed of an order."""
    from billing.adapters.dynamodb.carry_over import CarryOver
    from billing.adapters.dynamodb.ended_orders import EndedOrders
    from billing.workflows.operations.end_the_order import end_the_order

    env = _environment()
    dynamodb, table, cycle = _dynamodb(), env.text("LEDGER_TABLE"), env.text("CYCLE_NAME")
    carried, ended = CarryOver(dynamodb, table), EndedOrders(dynamodb, table)
    return lambda event: end_the_order(event, cycle, carried, ended, now())


def settle_the_customer() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Wire what a person starts who knows which Stripe customer a client is."""
    from billing.adapters.dynamodb.customers import CustomersTable
    from billing.adapters.netsuite.clients import client_by_id
    from billing.adapters.stripe.customers import StripeCustomers
    from billing.workflows.operations.settle_the_customer import settle_the_customer

    env = _environment()
    suiteql, stripe = _suiteql(env), _stripe(env, share=1)
    known = CustomersTable(_dynamodb(), env.text("CUSTOMERS_TABLE"))
    return lambda event: settle_the_customer(
        event,
        lambda netsuite_id: client_by_id(suiteql(), netsuite_id, env.optional("STRIPE_ID_FIELD")),
        lambda stripe_id: StripeCustomers(*stripe()).by_id(stripe_id),
        known,
        now(),
    )


def note_the_failure() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Wire the state "Note the failure"."""
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.workflows.monthly_billing.note_the_failure import note_the_failure

    ledger = LedgerTable(_dynamodb(), _environment().text("LEDGER_TABLE"))
    return lambda event: note_the_failure(event["run"], event["item"], event["error"], ledger)


def close_the_run() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Close the run"."""
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.adapters.dynamodb.carry_over import CarryOver
    from billing.adapters.dynamodb.ended_orders import EndedOrders
    from billing.adapters.dynamodb.ledger import LedgerTable
    from billing.adapters.dynamodb.months import Months
    from billing.adapters.dynamodb.runs import RunsTable
    from billing.domain.approval.approvers import parse_slot_rules
    from billing.workflows.monthly_billing.close_the_run import close_the_run
    from billing.workflows.monthly_billing.note_the_end import note_the_end

    env = _environment()
    dynamodb = _dynamodb()
    ledger_table, runs_table = env.text("LEDGER_TABLE"), env.text("RUNS_TABLE")
    files = _files(env)
    ledger = LedgerTable(dynamodb, ledger_table)
    requests = ApprovalsTable(dynamodb, env.text("APPROVALS_TABLE"))
    locks = RunsTable(dynamodb, runs_table)
    carry_over, months = CarryOver(dynamodb, ledger_table), Months(dynamodb, runs_table)
    preview = partial(_preview, parse_slot_rules(env.text("APPROVERS")), env.flag("AUTO_ADVANCE"))

    def close(event: Mapping[str, Any]) -> dict[str, Any]:
        closed = close_the_run(
            event["state"],
            event["redriveCount"],
            files,
            ledger,
            requests,
            locks,
            carry_over,
            EndedOrders(dynamodb, ledger_table),
            months,
            _signatures(env.text("SIGNING_SECRET_ARN")),
            _report_faces,
            preview,
        )
        note_the_end(event["state"]["run"], closed, requests, now())
        return closed

    return close


def tell_the_team() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Tell the team"."""
    from billing.adapters.dynamodb.message_log import MessageLog
    from billing.pages.approval.approval_mail import decided_mail
    from billing.pages.report.run_messages import slack_summary, summary_mail
    from billing.workflows.monthly_billing.tell_the_team import tell_the_team

    env = _environment()
    files = _files(env)
    mailer = _mailer(env)
    messages = MessageLog(_dynamodb(), env.text("RUNS_TABLE"))
    channel = _channel(env)

    def links(report: Report) -> dict[str, str]:
        return {
            "console_url": _console_url(report),
            "report_url": _object_url(files.bucket, f"{report.run['prefix']}report.html"),
            "stripe_dashboard": _dashboard(report),
        }

    def notice(
        request: ApprovalRequest, outcome: RecordedOutcome, approver: str, votes: Sequence[RecordedVote]
    ) -> MailContent:
        # Made when it is used: keys that cannot be read must not keep the summary from going out.
        of_approver = _approver_links(env, _signatures(env.text("SIGNING_SECRET_ARN")))
        return decided_mail(request, outcome, approver, votes, of_approver.to_inbox_after(request, approver, now()))

    def slack_content(report: Report) -> tuple[str, list[dict[str, Any]]]:
        message = slack_summary(report, **links(report))
        return message.text, list(message.blocks)

    return lambda event: tell_the_team(
        event["run"],
        event["closed"],
        env.texts("OWNER_EMAILS"),
        files,
        messages,
        channel,
        mailer,
        slack_content,
        lambda report: summary_mail(report, **links(report)),
        notice,
        now(),
    )


def tell_of_the_failure() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Tell of the failure"."""
    from billing.adapters.dynamodb.message_log import MessageLog
    from billing.domain.runs.failure_notice import FailureNotice, failure_notice
    from billing.pages.report.failure_messages import failure_mail, failure_post
    from billing.workflows.monthly_billing.note_the_failure import message_of
    from billing.workflows.monthly_billing.tell_of_the_failure import Telling

    env = _environment()
    mailer = _mailer(env)
    messages = MessageLog(_dynamodb(), env.text("RUNS_TABLE"))
    channel = _channel(env)

    def write_slack(notice: FailureNotice) -> tuple[str, list[dict[str, Any]]]:
        message = failure_post(notice, _execution_url(notice.execution_arn))
        return message.text, message.blocks

    return lambda event: Telling(
        owners=env.texts("OWNER_EMAILS"),
        messages=messages,
        channel=channel,
        mail=mailer,
        write_slack=write_slack,
        write_mail=lambda notice: failure_mail(notice, _execution_url(notice.execution_arn)),
        now=now(),
    ).tell(failure_notice(event, message_of({"Cause": event["closed"]["cause"]})))


def approval_page() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the approval page."""
    from billing.adapters.aws.task_tokens import TaskCallback
    from billing.adapters.dynamodb.approvals import ApprovalsTable
    from billing.workflows.approval.who_may_sign import WhoMaySign
    from billing.workflows.approval_page.approval_exchange import ApprovalExchange, approval_exchange

    env = _environment()
    listed, secret_arn = _listed(env), env.text("SIGNING_SECRET_ARN")
    finalizes = env.flag("AUTO_ADVANCE")
    requests = ApprovalsTable(_dynamodb(), env.text("APPROVALS_TABLE"))
    files = _files(env)
    callback = TaskCallback(boto3.client("kms", config=_RETRIES), boto3.client("stepfunctions", config=_RETRIES))

    def connect() -> ApprovalExchange:
        return ApprovalExchange(
            requests=requests,
            files=files,
            signatures=_signatures(secret_arn),
            callback=callback,
            who=WhoMaySign(listed()),
            now=now,
            finalizes=finalizes,
        )

    return lambda event: approval_exchange(event, connect)


def _listed(env: Environment) -> Callable[[], ListedPeople]:
    """Read now and parsed when it is called, which raises InputInvalid if a parameter cannot be followed."""
    from billing.domain.approval.approvers import parse_domains, parse_people, parse_slot_rules
    from billing.domain.approval.signers import ListedPeople

    approvers, deputies, domains = env.text("APPROVERS"), env.optional("DEPUTIES"), env.optional("DELEGATE_DOMAINS")
    return lambda: ListedPeople(
        rules=parse_slot_rules(approvers),
        deputies=frozenset(parse_people(deputies, "The parameter Deputies")),
        domains=parse_domains(domains),
    )


def _suiteql(env: Environment) -> Callable[[], SuiteQL]:
    """One connection a process, made at the first call: a secret that cannot be read is then named like any failure."""
    import requests

    from billing.adapters.aws.secrets import secret
    from billing.adapters.netsuite.login import base_url_of, login_from_secret
    from billing.adapters.netsuite.suiteql import SuiteQL

    @cache
    def connect() -> SuiteQL:
        credentials = secret(env.text("NETSUITE_SECRET_ARN"))
        base_url = base_url_of(credentials, env.optional("NETSUITE_API_URL"))
        return SuiteQL(base_url, login_from_secret(credentials, base_url, time.time), time.sleep, requests.Session())

    return connect


def _stripe(env: Environment, share: int) -> Callable[[], tuple[StripeClient, Caller]]:
    """One client a process, made at the first call."""
    from billing.adapters.aws.secrets import field
    from billing.adapters.stripe.client import Caller, stripe_client

    @cache
    def connect() -> tuple[StripeClient, Caller]:
        client = stripe_client(field(env.text("STRIPE_SECRET_ARN"), "api_key"), env.optional("STRIPE_API_URL"))
        return client, Caller(time.sleep, time.monotonic, share)

    return connect


def _policy(env: Environment, period: str, email_columns: tuple[str, ...]) -> BillingPolicy:
    from billing.domain.errors import InputInvalid
    from billing.domain.invoices.billing_policy import BillingPolicy, PolicyInvalid
    from billing.domain.runs.period_name import period_name

    try:
        return BillingPolicy(
            line_style=env.text("LINE_STYLE"),  # type: ignore[arg-type]
            tax=env.text("TAX_MODE"),  # type: ignore[arg-type]
            grouping=env.text("INVOICE_GROUPING"),  # type: ignore[arg-type]
            invoice_in_advance=env.flag("INVOICE_IN_ADVANCE"),
            default_due_days=env.number("DEFAULT_DUE_DAYS"),
            description_template=env.text("DESCRIPTION_TEMPLATE"),
            footer_template=env.optional("FOOTER_TEMPLATE"),
            email_fields=email_columns,
            period=period_name(period),
        )
    except PolicyInvalid as error:
        raise InputInvalid(f"A parameter of the stack cannot be followed: {error}.") from None


def _report_faces(report: Report) -> Iterable[tuple[str, bytes, str]]:
    from billing.pages.report.report_page import report_csv, report_page

    yield (
        "report.html",
        report_page(report, _console_url(report), _dashboard(report)).encode(),
        "text/html; charset=utf-8",
    )
    yield "report.csv", report_csv(report), "text/csv; charset=utf-8"


def _preview(rules: tuple[SlotRule, ...], finalizes: bool, run: Mapping[str, Any], batch: Batch, sha256: str) -> bytes:
    """The page that the approvers would be shown, for a dry run."""
    from billing.domain.approval.approval_request import ApprovalRequest
    from billing.domain.approval.approvers import count_votes, everybody, slots_without
    from billing.domain.batch.batch import totals
    from billing.pages.approval.approval_page import approval_page as page

    opened = now()
    slots = slots_without(rules, run["cycle"], totals(batch.to_draft), run["barred"])
    request = ApprovalRequest(
        id=f"{run['id']}.preview",
        run_id=run["id"],
        execution_arn=run["executionArn"],
        cycle=run["cycle"],
        period=run["period"],
        batch_key="",
        request_hash=sha256,
        slots=slots,
        opened_at=opened.isoformat(),
        expires_at=(opened + timedelta(seconds=run["settings"]["approvalTimeoutSeconds"])).isoformat(),
        invoices=len(batch.to_draft),
    )
    tally = count_votes(slots, (), sha256)
    return page(request, batch, everybody(slots)[0], (), tally, opened, finalizes=finalizes).html.encode()


def _console_url(report: Report) -> str:
    return _execution_url(report.run["executionArn"])


def _execution_url(arn: str) -> str:
    region = os.environ["AWS_REGION"]
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"


def _object_url(bucket: str, key: str) -> str:
    region = os.environ["AWS_REGION"]
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"


def _dashboard(report: Report) -> str:
    return "https://dashboard.stripe.com" + ("/test" if report.live_mode is False else "")

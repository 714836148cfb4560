"""Where ports meet adapters: one function per Lambda, called once per process.

Imports stand inside, so that a function loads only what it uses: the approval page never imports Stripe's SDK.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from billing.settings import Environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from billing.adapters.mailer import Mailer
    from billing.adapters.run_files import RunFiles
    from billing.domain.billing_policy import BillingPolicy
    from billing.domain.report import Report
    from billing.steps.draft_the_invoice import Drafting

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)


def now() -> datetime:
    """The only clock."""
    return datetime.now(UTC)


def _environment() -> Environment:
    return Environment(os.environ)


def _dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_RETRIES)


def _files(env: Environment) -> RunFiles:
    from billing.adapters.run_files import RunFiles

    return RunFiles(boto3.client("s3", config=_RETRIES), env.text("RUNS_BUCKET"))


def _mailer(env: Environment) -> Mailer:
    from billing.adapters.mailer import Mailer

    return Mailer(boto3.client("sesv2", config=_RETRIES), env.text("SENDER_EMAIL"), env.text("MAIL_CONFIGURATION_SET"))


def _signatures(env: Environment) -> Any:
    from billing.adapters.secrets import secret
    from billing.adapters.signatures import Signatures

    return Signatures(secret(env.text("SIGNING_SECRET_ARN")))


def open_the_run() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Open the run"."""
    from billing.adapters.executions import Executions
    from billing.adapters.runs_table import RunsTable
    from billing.steps.open_the_run import RunSettings, open_the_run

    env = _environment()
    settings = RunSettings(
        zone=env.zone("FIRM_TIME_ZONE"),
        cycle=env.text("CYCLE_NAME"),
        lookback_months=env.number("LOOKBACK_MONTHS"),
        approvers=env.text("APPROVERS"),
        approval_timeout_seconds=env.number("APPROVAL_TIMEOUT_SECONDS"),
        draft_concurrency=env.number("DRAFT_CONCURRENCY"),
    )
    locks = RunsTable(_dynamodb(), env.text("RUNS_TABLE"))
    executions = Executions(boto3.client("stepfunctions", config=_RETRIES))
    return lambda event: open_the_run(
        event["input"], event["executionArn"], event["executionName"], settings, locks, executions.is_running, now()
    )


def list_the_sales_orders() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "List the sales orders"."""
    import requests

    from billing.adapters.netsuite import SuiteQL
    from billing.adapters.netsuite_login import base_url_of, login_from_secret
    from billing.adapters.sales_orders import list_sales_orders
    from billing.adapters.secrets import secret
    from billing.steps.list_the_sales_orders import list_the_sales_orders

    env = _environment()
    credentials = secret(env.text("NETSUITE_SECRET_ARN"))
    base_url = base_url_of(credentials, env.optional("NETSUITE_API_URL"))
    suiteql = SuiteQL(base_url, login_from_secret(credentials, base_url, time.time), time.sleep, requests.Session())
    return lambda event: list_the_sales_orders(
        event["run"],
        env.texts("ORDER_STATUSES"),
        env.texts("BILLING_EMAIL_FIELDS"),
        env.optional("STRIPE_ID_FIELD"),
        partial(list_sales_orders, suiteql),
        _files(env),
    )


def match_the_customers() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Match the customers"."""
    from billing.adapters.customers_table import CustomersTable
    from billing.adapters.ledger_table import LedgerTable
    from billing.adapters.stripe_customers import StripeCustomers
    from billing.steps.match_the_customers import match_the_customers

    env = _environment()
    dynamodb = _dynamodb()
    client, call = _stripe(env, share=1)
    files = _files(env)
    ledger = LedgerTable(dynamodb, env.text("LEDGER_TABLE"))
    known = CustomersTable(dynamodb, env.text("CUSTOMERS_TABLE"))
    policy = partial(_policy, env)
    policy("2000-01", ("clientemail",))  # A mistake in the parameters shows at the start.
    return lambda event: match_the_customers(
        event["run"], event["listed"], policy, files, ledger, known, StripeCustomers(client, call)
    )


def ask_for_approval() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Ask for approval"."""
    from billing.adapters.approvals_table import ApprovalsTable
    from billing.adapters.message_log import MessageLog
    from billing.adapters.task_tokens import seal_token
    from billing.domain.approvers import parse_slots
    from billing.pages.approval_mail import approval_mail
    from billing.steps.ask_for_approval import ask_for_approval

    env = _environment()
    dynamodb = _dynamodb()
    table = env.text("APPROVALS_TABLE")
    return lambda event: ask_for_approval(
        event["run"],
        event["matched"],
        event["taskToken"],
        parse_slots(env.text("APPROVERS")),
        env.text("PUBLIC_URL"),
        ApprovalsTable(dynamodb, table),
        _files(env),
        MessageLog(dynamodb, table),
        _mailer(env),
        partial(seal_token, boto3.client("kms", config=_RETRIES), env.text("TASK_TOKEN_KEY_ID")),
        _signatures(env).sign_link,
        approval_mail,
        now(),
    )


def read_the_decision() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Read the decision"."""
    from billing.adapters.approvals_table import ApprovalsTable
    from billing.adapters.ledger_table import LedgerTable
    from billing.steps.read_the_decision import read_the_decision

    env = _environment()
    dynamodb = _dynamodb()
    requests = ApprovalsTable(dynamodb, env.text("APPROVALS_TABLE"))
    ledger = LedgerTable(dynamodb, env.text("LEDGER_TABLE"))
    return lambda event: read_the_decision(
        event["run"],
        event["matched"],
        event["wait"],
        requests,
        _files(env),
        ledger,
        _signatures(env).read_vote,
        now(),
    )


def draft_the_invoice() -> Callable[[Mapping[str, Any]], Drafting]:
    """Wire the state "Draft the invoice"."""
    from billing.adapters.customers_table import CustomersTable
    from billing.adapters.ledger_table import LedgerTable
    from billing.adapters.stripe_customers import StripeCustomers
    from billing.adapters.stripe_invoices import StripeInvoices
    from billing.steps.draft_the_invoice import Drafting, DraftSettings

    env = _environment()
    dynamodb = _dynamodb()
    client, call = _stripe(env, share=env.number("DRAFT_CONCURRENCY"))
    settings = DraftSettings(env.zone("FIRM_TIME_ZONE"), env.flag("AUTO_ADVANCE"), env.text("TAX_MODE"))  # type: ignore[arg-type]
    return lambda event: Drafting(
        event["run"],
        settings,
        _files(env),
        LedgerTable(dynamodb, env.text("LEDGER_TABLE"), env.text("RUNS_TABLE")),
        CustomersTable(dynamodb, env.text("CUSTOMERS_TABLE")),
        StripeCustomers(client, call),
        StripeInvoices(client, call),
        now(),
    )


def note_the_failure() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Wire the state "Note the failure"."""
    from billing.adapters.ledger_table import LedgerTable
    from billing.steps.note_the_failure import note_the_failure

    ledger = LedgerTable(_dynamodb(), _environment().text("LEDGER_TABLE"))
    return lambda event: note_the_failure(event["run"], event["item"], event["error"], ledger)


def close_the_run() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the state "Close the run"."""
    from billing.adapters.approvals_table import ApprovalsTable
    from billing.adapters.ledger_table import LedgerTable
    from billing.adapters.runs_table import RunsTable
    from billing.steps.close_the_run import close_the_run

    env = _environment()
    dynamodb = _dynamodb()
    ledger = LedgerTable(dynamodb, env.text("LEDGER_TABLE"))
    requests = ApprovalsTable(dynamodb, env.text("APPROVALS_TABLE"))
    locks = RunsTable(dynamodb, env.text("RUNS_TABLE"))
    return lambda event: close_the_run(
        event["state"],
        event["redriveCount"],
        _files(env),
        ledger,
        requests,
        locks,
        _signatures(env).read_vote,
        _report_faces,
    )


def tell_the_team() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Wire the state "Tell the team"."""
    from billing.adapters.message_log import MessageLog
    from billing.adapters.secrets import field
    from billing.adapters.slack import Slack, slack_client
    from billing.domain.approvers import everybody, parse_slots
    from billing.pages.run_messages import slack_summary, summary_mail
    from billing.steps.tell_the_team import tell_the_team

    env = _environment()
    files = _files(env)
    messages = MessageLog(_dynamodb(), env.text("RUNS_TABLE"))
    channel_id, slack_url = env.text("SLACK_CHANNEL"), env.optional("SLACK_API_URL")

    def channel() -> Slack:
        token = field(env.text("SLACK_SECRET_ARN"), "bot_token")
        return Slack(slack_client(token, slack_url), channel_id)

    def links(report: Report) -> dict[str, str]:
        return {
            "console_url": _console_url(report),
            "report_url": _object_url(files.bucket, f"{report.run['prefix']}report.html"),
            "stripe_dashboard": _dashboard(report),
        }

    def slack_content(report: Report) -> tuple[str, list[dict[str, Any]]]:
        message = slack_summary(report, **links(report))
        return message.text, list(message.blocks)

    return lambda event: tell_the_team(
        event["run"],
        event["closed"],
        env.texts("OWNER_EMAILS"),
        everybody(parse_slots(env.text("APPROVERS"))),
        files,
        messages,
        channel,
        _mailer(env),
        slack_content,
        lambda report: summary_mail(report, **links(report)),
        now(),
    )


def approval_page() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Wire the approval page."""
    from billing.adapters.approvals_table import ApprovalsTable
    from billing.adapters.task_tokens import Waker
    from billing.steps.approval_exchange import ApprovalExchange

    env = _environment()
    return ApprovalExchange(
        requests=ApprovalsTable(_dynamodb(), env.text("APPROVALS_TABLE")),
        files=_files(env),
        signatures=_signatures(env),
        waker=Waker(boto3.client("kms", config=_RETRIES), boto3.client("stepfunctions", config=_RETRIES)),
        now=now,
    ).handle


def _stripe(env: Environment, share: int) -> Any:
    from billing.adapters.secrets import field
    from billing.adapters.stripe_api import Caller, stripe_client

    client = stripe_client(field(env.text("STRIPE_SECRET_ARN"), "api_key"), env.optional("STRIPE_API_URL"))
    return client, Caller(time.sleep, time.monotonic, share)


def _policy(env: Environment, period: str, email_columns: tuple[str, ...]) -> BillingPolicy:
    from billing.domain.billing_policy import BillingPolicy, PolicyInvalid
    from billing.domain.errors import InputInvalid
    from billing.domain.period_name import period_name

    try:
        return BillingPolicy(
            line_style=env.text("LINE_STYLE"),  # type: ignore[arg-type]
            tax=env.text("TAX_MODE"),  # type: ignore[arg-type]
            grouping=env.text("INVOICE_GROUPING"),  # type: ignore[arg-type]
            default_due_days=env.number("DEFAULT_DUE_DAYS"),
            description_template=env.text("DESCRIPTION_TEMPLATE"),
            footer_template=env.optional("FOOTER_TEMPLATE"),
            email_fields=email_columns,
            period=period_name(period),
        )
    except PolicyInvalid as error:
        raise InputInvalid(f"A parameter of the stack cannot be followed: {error}.") from None


def _report_faces(report: Report) -> Iterable[tuple[str, bytes, str]]:
    from billing.pages.report_page import report_csv, report_page

    yield (
        "report.html",
        report_page(report, _console_url(report), _dashboard(report)).encode(),
        "text/html; charset=utf-8",
    )
    yield "report.csv", report_csv(report), "text/csv; charset=utf-8"


def _console_url(report: Report) -> str:
    region = os.environ["AWS_REGION"]
    arn = report.run["executionArn"]
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"


def _object_url(bucket: str, key: str) -> str:
    region = os.environ["AWS_REGION"]
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"


def _dashboard(report: Report) -> str:
    return "https://dashboard.stripe.com" + ("/test" if report.live_mode is False else "")

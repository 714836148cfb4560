"""What an examination of the set-up is made of: each check reads with the product's own secrets, role and network."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import boto3
import requests

from billing.adapters.aws.setup_reads import MailSetup, bucket_versioning, readable_secret, table_states, with_fields
from billing.adapters.netsuite.certificates import certificate_in
from billing.adapters.netsuite.examination import WRITTEN, Asked, NetSuiteSetup, optional_columns
from billing.adapters.netsuite.login import CertificateLogin, account_host, base_url_of, login_from_secret
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.adapters.slack import Slack, SlackIdentity, slack_client
from billing.adapters.stripe.client import Caller, stripe_client
from billing.adapters.stripe.examination import StripeSetup
from billing.domain.approval.approvers import parse_people, parse_slot_rules
from billing.domain.doctor import kept, mail, netsuite, policies, schedules, slack
from billing.domain.doctor import stripe as stripe_lines
from billing.domain.doctor.finding import Finding, fine
from billing.domain.errors import InputInvalid, OurFault, PersonNeeded
from billing.domain.settlement.event_roots import EVENTS
from billing.domain.settlement.policies import SettlementPolicies, parse_policies
from billing.runtime.clock import now
from billing.runtime.connections.aws import CONFIG, dynamodb, environment, run_files
from billing.runtime.parameters.settlement import policy_file
from billing.runtime.parameters.whole import check_who_and_when
from billing.runtime.settings import Environment
from billing.runtime.webhook import signing_secrets
from billing.workflows.operations.examine_the_setup import Check

_LONGEST_PAUSE = 2.0
"""Seconds before a call is repeated: somebody waits, and may run it again."""

env = environment()

_OF_A_SECRET: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "netsuite": (
        "NETSUITE_SECRET_ARN",
        ("secret.netsuite", "netsuite.login", "netsuite.certificate", "netsuite.columns"),
    ),
    "stripe": ("STRIPE_SECRET_ARN", ("secret.stripe", "stripe.key", "stripe.permissions", "stripe.version")),
    "slack": ("SLACK_SECRET_ARN", ("secret.slack", "slack.token", "slack.scopes", "slack.channel")),
    "webhook": (
        "STRIPE_WEBHOOK_SECRET_ARN",
        ("secret.stripe", "stripe.key", "stripe.permissions", "secret.webhook", "stripe.webhook"),
    ),
    "links": ("SIGNING_SECRET_ARN", ("links.keys",)),
}
"""By a secret's service: the variable of its ARN, and the checks that use it."""

_versions: dict[str, str] = {}
"""Versions of secrets that are examined instead of the current ones, by the variable of their ARN."""

_values: dict[str, Mapping[str, Any]] = {}
"""Values that are in no secret yet, by the same."""


def checks_of_a_secret(service: str, version_id: str) -> Sequence[Check]:
    """The checks that use this service's secret, with one version of it instead of the current one. Raises InputInvalid
    for a service that the stack has not."""
    if service not in _OF_A_SECRET or (service == "webhook" and not _settles()):
        raise InputInvalid(f"There is no secret of {service[:40]!r} in this stack: {', '.join(_OF_A_SECRET)}.")
    variable, names = _OF_A_SECRET[service]
    _versions[variable] = version_id
    return [check for check in checks() if check.name in names]


def checks_of_a_value(service: str, value: Mapping[str, Any], variables: Mapping[str, str]) -> Sequence[Check]:
    """The checks that use this service's secret, with a value that no stack has yet, for a process that is no function:
    `variables` stand for those of the template. Without SLACK_CHANNEL no channel is looked at."""
    global env
    env = Environment(variables)
    forget_connections()
    variable, names = _OF_A_SECRET[service]
    _values[variable] = value
    hidden = () if env.optional("SLACK_CHANNEL") else ("slack.channel",)
    return [check for check in checks() if check.name in names and check.name not in hidden]


def checks() -> Sequence[Check]:
    """Every check of this stack, in the order in which they are told."""
    on_netsuite, on_stripe, on_slack = ("netsuite.login",), ("stripe.key",), ("slack.token",)
    found = [
        Check("parameters", _parameters),
        Check("schedule.monthly", _monthly_schedule),
        Check("aws.tables", lambda: kept.tables_finding(table_states(dynamodb(), _tables()))),
        Check("aws.bucket", _bucket),
        Check("links.keys", _link_keys),
        Check("mail.sender", _mail_sender),
        Check("mail.account", _mail_account, ("parameters",)),
        Check("mail.tracking", _mail_tracking),
        Check("secret.netsuite", _netsuite_secret),
        Check("netsuite.login", _netsuite_login, ("secret.netsuite",)),
        Check("netsuite.certificate", _netsuite_certificate, ("secret.netsuite",)),
        Check("netsuite.columns", _netsuite_columns, on_netsuite),
        Check("netsuite.queries", _netsuite_queries, ("netsuite.login", "netsuite.columns")),
        Check("netsuite.currencies", _netsuite_currencies, ("netsuite.login", "netsuite.columns")),
    ]
    if _settles() or env.text("PREVIEW_PARTLY_BILLED") == "on":
        found.append(Check("netsuite.records", _netsuite_records, ("netsuite.login", "netsuite.columns")))
    found += [
        Check("secret.stripe", _stripe_secret),
        Check("stripe.key", _stripe_key, ("secret.stripe",)),
        Check("stripe.permissions", _stripe_permissions, on_stripe),
        Check("stripe.version", _stripe_version, ("stripe.key", "stripe.permissions")),
        Check("secret.slack", _slack_secret),
        Check("slack.token", _slack_token, ("secret.slack",)),
        Check("slack.scopes", lambda: slack.scopes_finding(_identity().scopes), on_slack),
        Check("slack.channel", _slack_channel, ("slack.token", "slack.scopes")),
    ]
    return [*found, *(_settlement_checks() if _settles() else ())]


def _settlement_checks() -> Sequence[Check]:
    return (
        Check("secret.webhook", _webhook_secret),
        Check("stripe.webhook", _stripe_webhook, ("stripe.key", "stripe.permissions", "secret.webhook")),
        Check("schedule.sweep", _sweep_schedule),
        Check("settlement.policies", _settlement_policies, ("netsuite.login", "netsuite.columns")),
    )


def forget_connections() -> None:
    """A warm process looks anew: with today's secrets, and with what was corrected since."""
    _versions.clear()
    _values.clear()
    for made in (_netsuite, _stripe, _identity):
        made.cache_clear()


def _secret(variable: str, parameter: str, fields: Iterable[str] = ()) -> Mapping[str, Any]:
    if variable in _values:
        return with_fields(_values[variable], parameter, fields)
    return readable_secret(env.text(variable), parameter, fields, _versions.get(variable, ""))


def _signing_secrets() -> Sequence[str]:
    return signing_secrets(env, _versions.get("STRIPE_WEBHOOK_SECRET_ARN", ""))


def _settles() -> bool:
    return env.text("SETTLEMENT") == "on"


def _today() -> date:
    return now().astimezone(env.zone("FIRM_TIME_ZONE")).date()


def _pause(seconds: float) -> None:
    time.sleep(min(seconds, _LONGEST_PAUSE))


# ---- parameters and schedules ---------------------------------------------------------------------------------------


def _parameters() -> Finding:
    check_who_and_when(env)
    people = _people()
    return fine("parameters", f"read as a run reads them; {len(people)} people are mailed")


def _people() -> set[str]:
    """Everybody who may be mailed: approvers, deputies, owners."""
    approvers = {address for rule in parse_slot_rules(env.text("APPROVERS")) for address in rule.slot.people}
    deputies = parse_people(env.optional("DEPUTIES"), "The parameter Deputies")
    return approvers | {*deputies, *parse_people(env.optional("OWNER_EMAILS"), "The parameter OwnerEmails")}


def _monthly_schedule() -> Finding:
    enabled = env.text("SCHEDULE_STATE") == "ENABLED"
    return schedules.monthly_finding(env.text("SCHEDULE_EXPRESSION"), enabled, env.zone("FIRM_TIME_ZONE"), now())


def _sweep_schedule() -> Finding:
    expression, zone = env.text("SWEEP_SCHEDULE"), env.zone("FIRM_TIME_ZONE")
    return schedules.schedule_finding("schedule.sweep", "SweepSchedule", expression, zone, now())


# ---- what the stack itself keeps ------------------------------------------------------------------------------------


def _tables() -> dict[str, str]:
    tables = {
        "LedgerTable": env.text("LEDGER_TABLE"),
        "CustomersTable": env.text("CUSTOMERS_TABLE"),
        "ApprovalsTable": env.text("APPROVALS_TABLE"),
        "RunsTable": env.text("RUNS_TABLE"),
        "SettlementTable": env.optional("SETTLEMENT_TABLE"),
    }
    return {name: table for name, table in tables.items() if table}


def _bucket() -> Finding:
    return kept.bucket_finding(bucket_versioning(boto3.client("s3", config=CONFIG), env.text("RUNS_BUCKET")))


def _link_keys() -> Finding:
    return kept.ring_finding(_secret("SIGNING_SECRET_ARN", "SigningSecret"))


# ---- mail -----------------------------------------------------------------------------------------------------------


def _mail() -> MailSetup:
    return MailSetup(boto3.client("sesv2", config=CONFIG))


def _mail_sender() -> Finding:
    sender = env.text("SENDER_EMAIL")
    return mail.sender_finding(sender, _mail().is_verified(sender))


def _mail_account() -> Finding:
    ses = _mail()
    account = ses.account()
    unverified = [] if account.production else [one for one in sorted(_people()) if not ses.is_verified(one)]
    return mail.account_finding(account, unverified)


def _mail_tracking() -> Finding:
    return mail.tracking_finding(_mail().configuration(env.text("MAIL_CONFIGURATION_SET")))


# ---- NetSuite -------------------------------------------------------------------------------------------------------


def _netsuite_secret() -> Finding:
    secret = _secret("NETSUITE_SECRET_ARN", "NetSuiteSecretArn", ("account",))
    login_from_secret(secret, base_url_of(secret, env.optional("NETSUITE_API_URL")), time.time)
    return fine("secret.netsuite", "can be read, and has the fields of a login")


@cache
def _netsuite() -> NetSuiteSetup:
    """Without a slot of those that the runs share: taking one would be a write."""
    secret = _secret("NETSUITE_SECRET_ARN", "NetSuiteSecretArn")
    base_url = base_url_of(secret, env.optional("NETSUITE_API_URL"))
    login = login_from_secret(secret, base_url, time.time)
    asked = Asked(
        env.texts("ORDER_STATUSES"),
        env.texts("BILLING_EMAIL_FIELDS"),
        env.optional("STRIPE_ID_FIELD"),
        _settles(),
        _match_field(),
        env.texts("SUBSIDIARIES"),
    )
    return NetSuiteSetup(SuiteQL(base_url, login, _pause, requests.Session()), asked, _today())


def _match_field() -> str:
    """The field by which the settlement finds items; what is wrong with the policy file is a check of its own."""
    if not _settles():
        return ""
    try:
        return _policies().match_item_field
    except Exception:  # noqa: BLE001 - "settlement.policies" names it
        return ""


def _method() -> str:
    return "oauth2" if isinstance(_netsuite().connection.login, CertificateLogin) else "tba"


def _account() -> str:
    return str(_secret("NETSUITE_SECRET_ARN", "NetSuiteSecretArn", ("account",))["account"])


def _netsuite_login() -> Finding:
    _netsuite().sign_in()
    return netsuite.login_finding(_method(), _account())


def _netsuite_certificate() -> Finding:
    secret = _secret("NETSUITE_SECRET_ARN", "NetSuiteSecretArn")
    return netsuite.certificate_finding(_method(), certificate_in(secret), _today())


def _netsuite_columns() -> Finding:
    setup = _netsuite()
    return netsuite.columns_finding(setup.tables(), optional_columns(setup.asked))


def _netsuite_queries() -> Finding:
    return netsuite.queries_finding(_netsuite().asked_for_nothing())


def _netsuite_currencies() -> Finding:
    return netsuite.currencies_finding(_netsuite().currencies())


def _netsuite_records() -> Finding:
    setup = _netsuite()
    transformed = setup.preview_refused()
    refused = [*([transformed] if transformed else []), *(setup.records_refused() if _settles() else [])]
    return netsuite.records_finding(WRITTEN if _settles() else ("invoice",), refused)


# ---- Stripe ---------------------------------------------------------------------------------------------------------


def _stripe_secret() -> Finding:
    _secret("STRIPE_SECRET_ARN", "StripeSecretArn", ("api_key",))
    return fine("secret.stripe", "can be read")


def _stripe_api_key() -> str:
    return str(_secret("STRIPE_SECRET_ARN", "StripeSecretArn", ("api_key",))["api_key"])


@cache
def _stripe() -> StripeSetup:
    client = stripe_client(_stripe_api_key(), env.optional("STRIPE_API_URL"))
    return StripeSetup(client, Caller(_pause, time.monotonic))


def _stripe_key() -> Finding:
    try:
        account_host(_account())
        sandbox = netsuite.is_sandbox(_account())
    except Exception:  # noqa: BLE001 - "secret.netsuite" names it
        sandbox = None
    return stripe_lines.key_finding(_stripe_api_key(), env.text("STRIPE_EVENT_MODE") if _settles() else "", sandbox)


def _stripe_permissions() -> Finding:
    return stripe_lines.permissions_finding(_stripe().reads(_settles()))


def _stripe_version() -> Finding:
    return stripe_lines.version_finding(*_stripe().versions())


def _webhook_secret() -> Finding:
    secrets = _signing_secrets()
    return fine("secret.webhook", f"holds {len(secrets)} signing secret(s)")


def _stripe_webhook() -> Finding:
    wanted = stripe_lines.WebhookWanted(env.text("STRIPE_WEBHOOK_URL"), EVENTS, bool(env.optional("STRIPE_EVENT_BUS")))
    mode = stripe_lines.mode_of(_stripe_api_key())
    return stripe_lines.webhook_finding(wanted, _stripe().webhooks(), mode, len(_signing_secrets()))


# ---- Slack ----------------------------------------------------------------------------------------------------------


def _slack_secret() -> Finding:
    _secret("SLACK_SECRET_ARN", "SlackSecretArn", ("bot_token",))
    return fine("secret.slack", "can be read")


def _slack() -> Slack:
    token = _secret("SLACK_SECRET_ARN", "SlackSecretArn", ("bot_token",))["bot_token"]
    return Slack(slack_client(str(token), env.optional("SLACK_API_URL")), env.text("SLACK_CHANNEL"))


@cache
def _identity() -> SlackIdentity:
    return _slack().identity()


def _slack_token() -> Finding:
    return slack.token_finding(_identity().refused, _identity().team)


def _slack_channel() -> Finding:
    return slack.channel_finding(env.text("SLACK_CHANNEL"), _slack().why_hidden())


# ---- the settlement -------------------------------------------------------------------------------------------------


def _policies() -> SettlementPolicies:
    name = env.text("SETTLEMENT_POLICIES")
    if "/" not in name:
        return parse_policies(policy_file(name))
    try:
        data = run_files(env).read(name)
    except OurFault:
        raise PersonNeeded(f"SettlementPolicies names {name}, which is not in the bucket: upload it.") from None
    return parse_policies(data.decode("utf-8"))


def _settlement_policies() -> Finding:
    given, setup = _policies(), _netsuite()
    asked = {table: keys.values() for table, keys in policies.ids_of(given).items() if keys}
    existing = {table: setup.existing(table, ids) for table, ids in asked.items()}
    return policies.policies_finding(given, existing, setup.subsidiaries(), env.texts("SUBSIDIARIES"))

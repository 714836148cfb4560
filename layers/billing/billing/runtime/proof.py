"""What the nightly proof is made of."""

from __future__ import annotations

from dataclasses import replace

import boto3
from botocore.config import Config

from billing.adapters.aws.functions import OtherFunction
from billing.adapters.dynamodb.proofs import ProofRows
from billing.adapters.netsuite.books import NetSuiteBooks
from billing.adapters.stripe.settlement_span import SpanReads
from billing.domain.settlement.proof import Difference, Proof
from billing.runtime import netsuite, settlement, stripe
from billing.runtime.connections.aws import dynamodb, environment

_PATIENT = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=130)


def span(since: int) -> SpanReads:
    """Reads of what was made in Stripe since then (epoch seconds)."""
    reads = stripe.reads()
    return SpanReads(reads.client, reads.call, since)


def books() -> NetSuiteBooks:
    """NetSuite's books, of the subsidiary that the policies name."""
    return NetSuiteBooks(netsuite.suiteql(), settlement.policies().subsidiary)


def proofs() -> ProofRows:
    """Which proofs there are."""
    return ProofRows(dynamodb(), environment().text("SETTLEMENT_TABLE"))


def telling() -> OtherFunction:
    """What shows a proof to people: pages and Slack are too much to load beside NetSuite and Stripe."""
    return OtherFunction(boto3.client("lambda", config=_PATIENT), environment().text("TELL_OF_THE_PROOF"))


def with_links(proof: Proof) -> Proof:
    """The proof with a link to each object in Stripe's dashboard and each record in NetSuite."""
    stripe_url = "https://dashboard.stripe.com" + ("" if environment().text("STRIPE_EVENT_MODE") == "live" else "/test")
    netsuite_url = netsuite.suiteql().base_url.replace(".suitetalk.api.", ".app.")
    return replace(proof, differences=tuple(_linked(one, stripe_url, netsuite_url) for one in proof.differences))


_PAGES = {"in": "invoices", "ch": "payments", "py": "payments", "po": "payouts", "cus": "customers"}


def _linked(one: Difference, stripe_url: str, netsuite_url: str) -> Difference:
    page = _PAGES.get(one.root.partition("_")[0])
    transaction = f"{netsuite_url}/app/accounting/transactions/transaction.nl?id={one.netsuite_id}"
    return replace(
        one,
        stripe_link=f"{stripe_url}/{page}/{one.root}" if page else "",
        netsuite_link=transaction if one.netsuite_id else "",
    )

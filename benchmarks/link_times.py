"""Whether the time of an answer tells an unknown link from a forged one: both, in turn, at the deployed page.

Medians of N requests of each kind, the difference with a bootstrapped 95 % interval, and the Mann-Whitney test (normal
approximation). The same for two heaps of forged links: what "no difference" looks like on this machine.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import requests

from billing.adapters.signatures import Signatures
from tests.sandbox import Sandbox
from tests.sandbox.netsuite import generate_world

REQUESTS = 1000
RESAMPLES = 2000
WARM_UP = 50


@dataclass(frozen=True)
class Difference:
    """Of two lists of seconds, in milliseconds: both medians, the second minus the first with its 95 % interval, and
    the probability of a rank sum this uneven if there is no difference."""

    page: str
    kinds: tuple[str, str]
    medians: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    probability: float


def differences() -> Iterator[Difference]:
    """Deploy, ask, and measure on the page and the inbox."""
    with Sandbox(generate_world(10, 3, 3, 1), now=datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)) as sandbox:
        mail = sandbox.wait_for_approval(sandbox.fire_schedule(), 600)[0]
        address, _, text = sandbox.page_links(mail)[0].rpartition("/")
        inbox = next(link for link in mail.links if "/inbox/" in link).rpartition("/")[2]
        signatures = _ring(sandbox)
        link, mine = signatures.read_link(text), signatures.read_inbox(inbox)
        assert link is not None
        assert mine is not None
        unknown = [signatures.sign_link(replace(link, request_id=f"{link.request_id}{n}")) for n in range(REQUESTS)]
        strangers = [signatures.sign_inbox(replace(mine, approver=f"{n:016x}")) for n in range(REQUESTS)]
        with requests.Session() as session:
            yield from _both(session, "page", address, unknown)
            yield from _both(session, "inbox", f"{address}/inbox", strangers)


def compared(page: str, kinds: tuple[str, str], first: Sequence[float], second: Sequence[float]) -> Difference:
    """What the two lists of seconds come to."""
    chance = random.Random(1)
    found = sorted(
        statistics.median(chance.choices(second, k=len(second)))
        - statistics.median(chance.choices(first, k=len(first)))
        for _ in range(RESAMPLES)
    )
    medians = (statistics.median(first) * 1000, statistics.median(second) * 1000)
    interval = (found[round(0.025 * RESAMPLES)] * 1000, found[round(0.975 * RESAMPLES) - 1] * 1000)
    return Difference(page, kinds, medians, medians[1] - medians[0], interval, rank_sum_probability(first, second))


def rank_sum_probability(first: Sequence[float], second: Sequence[float]) -> float:
    """Mann-Whitney, two-sided, normal approximation. Equal values, rare among times, are not corrected for."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, start=1) if kind == 0)
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def _both(session: requests.Session, page: str, address: str, unknown: Sequence[str]) -> Iterator[Difference]:
    forged = [_with_another_signature(text) for text in unknown]
    yield compared(page, ("forged", "unknown"), *_in_turn(session, address, forged, unknown))
    yield compared(page, ("forged", "forged"), *_in_turn(session, address, forged, forged))


def _in_turn(
    session: requests.Session, address: str, first: Sequence[str], second: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Seconds of each. Who goes first changes by chance, so that neither has the other's leftovers."""
    chance = random.Random(2)
    times: tuple[list[float], list[float]] = ([], [])
    pairs = list(zip(first, second, strict=True))
    for place, pair in enumerate([*pairs[:WARM_UP], *pairs]):
        for kind in chance.sample((0, 1), 2):
            start = time.perf_counter()
            answer = session.get(f"{address}/{pair[kind]}", timeout=60)
            seconds = time.perf_counter() - start
            assert answer.status_code == 404
            if place >= WARM_UP:
                times[kind].append(seconds)
    return times


def _with_another_signature(text: str) -> str:
    """As long as the good one, and wrong in its first character."""
    payload, _, signature = text.rpartition(".")
    return f"{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _ring(sandbox: Sandbox) -> Signatures:
    client = sandbox.aws.client("secretsmanager")
    found = [
        client.get_secret_value(SecretId=one["ARN"])["SecretString"] for one in client.list_secrets()["SecretList"]
    ]
    return Signatures(next(ring for ring in map(json.loads, found) if "first" in ring))

from __future__ import annotations

import os
from collections.abc import Iterator

# The logger, the tracer and the metrics read these when they are imported, as in Lambda.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "billing-test")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "billing-test")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")

import pytest

from tests.adapters.aws_world import AwsWorld, aws_world
from tests.steps.moving_clock import MovingClock


@pytest.fixture
def aws() -> Iterator[AwsWorld]:
    """An empty AWS account in moto."""
    with aws_world() as world:
        yield world


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()

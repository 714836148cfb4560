from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.aws_world import AwsWorld, aws_world


@pytest.fixture
def aws() -> Iterator[AwsWorld]:
    """An empty AWS account in moto."""
    with aws_world() as world:
        yield world

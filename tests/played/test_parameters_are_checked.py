"""A mistake in a parameter takes the deployment back, with a sentence, instead of waiting for the month's end."""

from __future__ import annotations

import pytest

from tests.played.firm import firm, order
from tests.played.story import deployed
from tests.sandbox.aws.errors import DeployError


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("Approvers", "Lead (2): ann@firm.example", "Lead"),
        ("Deputies", "dee@firm.example", "EscalationAfterSeconds"),
        ("DelegateDomains", "not a domain", "DelegateDomains"),
        ("FirmTimeZone", "Mars/Olympus", "time zone"),
        ("UpperBounds", "lots", "UpperBounds"),
        ("DescriptionTemplate", "For {nobody}", "nobody"),
    ],
)
def test_a_parameter_that_cannot_be_read_stops_the_deployment(parameter: str, value: str, sentence: str) -> None:
    with (
        pytest.raises(DeployError, match=sentence) as refused,
        deployed(firm([order(1)]), parameters={parameter: value}),
    ):
        pass
    assert "CheckedParameters" in str(refused.value)

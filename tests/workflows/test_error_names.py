"""What leaves a function bears a name that Retry and Catch know, exactly."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from billing.domain.errors import AddressRefused, PassingError, PersonNeeded
from billing.runtime.entry import state

CONTEXT = SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", function_version="1"
)


@pytest.mark.parametrize(
    ("error", "name"),
    [(AddressRefused("Illegal address: a@b"), PersonNeeded), (PassingError("later"), PassingError)],
)
def test_a_special_case_leaves_by_the_name_that_the_state_machine_knows(error: Exception, name: type) -> None:
    @state
    def handler(event: dict[str, Any], context: Any) -> Any:
        raise error

    with pytest.raises(name) as left:
        handler({}, CONTEXT)
    assert type(left.value) is name
    assert "a@b" not in str(left.value)

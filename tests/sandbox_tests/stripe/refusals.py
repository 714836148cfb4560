"""How the tests say that Stripe must refuse something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stripe


@contextmanager
def refused(text: str, *, status: int = 400, code: str | None = None, param: str | None = None) -> Iterator[None]:
    """The block must end in a Stripe error with exactly this status, code and param, and this in its
    message.
    """
    with pytest.raises(stripe.StripeError) as caught:
        yield
    error = caught.value
    body = error.json_body["error"]
    assert text in body["message"]
    assert (error.http_status, body.get("code"), body.get("param")) == (status, code, param)
    assert error.request_id

"""Calls to NetSuite over HTTP: the login, repeating what may be repeated, and what an error answer says.

Sources: Oracle's help pages "Error Handling in REST Web Services" and "Web Services Concurrency Governance".
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import requests

from billing.adapters.netsuite.login import Login
from billing.domain.errors import OurFault, PassingError, PersonNeeded

ATTEMPTS: Final = 7
NO_ANSWER: Final = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
_LONGEST_PAUSE: Final = 60.0
_TIMEOUT: Final = (5, 120)
_PASSING: Final = frozenset({429, 500, 502, 503, 504})

Json = Mapping[str, Any]


@dataclass(slots=True)
class Transport:
    """A connection to one account. `sleep` is in seconds. `slot` is held during each call: NetSuite counts concurrent
    calls per account, and whoever shares it waits there."""

    base_url: str
    login: Login
    sleep: Callable[[float], None]
    session: requests.Session
    jitter: Callable[[], float] = random.random
    slot: Callable[[], AbstractContextManager[None]] = nullcontext

    def send(self, method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> requests.Response:
        """One call. Raises NO_ANSWER's, PassingError (the login gives no answer), PersonNeeded."""
        url = f"{self.base_url}{path}"
        with self.slot():
            return self.session.request(
                method,
                url,
                json=None if body is None else as_json(body),
                headers={**headers, "Authorization": self.login.authorize(self.session, method, url)},
                timeout=_TIMEOUT,
            )

    def repeat(
        self,
        method: str,
        path: str,
        body: Json | None,
        headers: Mapping[str, str],
        refusal: Callable[[requests.Response], Exception | None],
    ) -> Json:
        """A call that changes nothing, repeated as long as that may help; its JSON object.

        `refusal` names what another error answer means; None for one that passes. Raises what it says, and PassingError
        when nothing helped.
        """
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            answer = None
            try:
                answer = self.send(method, path, body, headers)
            except NO_ANSWER as error:
                problem = f"no answer ({type(error).__name__})"
            except PassingError as error:
                problem = str(error)
            else:
                if answer.ok:
                    fields = json_of(answer)
                    if fields is not None:
                        return fields
                    problem = "an answer that is not JSON"
                elif answer.status_code == 401 and not renewed:
                    # Seen under load as well; one fresh login, and no more: five bad logins lock a user.
                    renewed = True
                    self.login.renew()
                    continue
                else:
                    problem = f"HTTP {answer.status_code}"
                    named = None if answer.status_code in _PASSING else refusal(answer)
                    if named is not None:
                        raise named
            if attempt == ATTEMPTS:
                raise PassingError(f"NetSuite gave {problem} {ATTEMPTS} times. Run again later.")
            self.pause(attempt, answer)
        raise PassingError("NetSuite refused the login twice.")

    def pause(self, attempt: int, answer: requests.Response | None) -> None:
        """Wait before the next attempt: as long as NetSuite asks, else longer each time."""
        asked = "" if answer is None else answer.headers.get("Retry-After", "")
        own = 2.0 ** (attempt - 1) * (0.5 + self.jitter() / 2)
        self.sleep(min(_LONGEST_PAUSE, float(asked) if re.fullmatch("[0-9]{1,6}", asked) else own))


def json_of(answer: requests.Response) -> Json | None:
    """The body with every fraction as a Decimal, None if it is no JSON object."""
    try:
        value = answer.json(parse_float=Decimal)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def error_of(answer: requests.Response) -> tuple[str, str]:
    """The first error's detail and code; "" where the answer has none."""
    details = (json_of(answer) or {}).get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    return str(first.get("detail", "")), str(first.get("o:errorCode", ""))


def login_refused() -> PersonNeeded:
    """What a second 401 means."""
    return PersonNeeded(
        "NetSuite refuses the login (INVALID_LOGIN). See the Login Audit Trail in NetSuite; the credentials may have "
        "been revoked or the certificate may have expired."
    )


def as_json(value: Any) -> Any:
    """Decimals as JSON numbers, exactly. Raises OurFault for one that a JSON number could not hold."""
    if isinstance(value, Decimal):
        number = float(value)
        if Decimal(repr(number)) != value:
            raise OurFault("An amount has more digits than a JSON number holds.")
        return number
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value

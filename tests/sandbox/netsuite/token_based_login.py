"""Token-based authentication: verifies OAuth 1.0a with HMAC-SHA256 (RFC 5849), as NetSuite does.

The realm is the account; it is not part of the signature. Query parameters are signed, a JSON body is not.
HMAC-SHA1 is refused, the timestamp may be off by 300 s, and a nonce serves once. Five bad logins lock the
user for 30 minutes. The reason stands in the Login Audit Trail only; the HTTP answer is always the same 401.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.sandbox.http_messages import Request
from tests.sandbox.http_server import Clock
from tests.sandbox.netsuite.credentials import TokenPair
from tests.sandbox.netsuite.original_url import original_url

_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
_SIGNED = ("oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature_method")
_SKEW = 300
_SHORTEST_NONCE = 6
_LOCK_SECONDS = 30 * 60


@dataclass(frozen=True)
class _Refused(Exception):
    reason: str


class TokenBasedLogin:
    """`lock_after` bad logins lock the user; None never does. `audit` lists the reasons of refusals."""

    def __init__(self, account: str, clock: Clock, audit: list[str]) -> None:
        self._account = account
        self._clock = clock
        self._audit = audit
        self._lock = threading.Lock()
        self._pairs: dict[tuple[str, str], TokenPair] = {}
        self._nonces: set[tuple[str, str, str]] = set()
        self._failures: dict[str, int] = {}
        self._locked_until: dict[str, float] = {}
        self.lock_after: int | None = 5
        self.public_base: str | None = None

    def register(self, pair: TokenPair) -> None:
        self._pairs[pair.consumer_key, pair.token_id] = pair

    def revoke(self) -> None:
        """Forget every token, as when an administrator revokes them."""
        with self._lock:
            self._pairs.clear()

    def accepts(self, request: Request) -> bool:
        """True if the request is signed as NetSuite wants it."""
        parameters = dict(_PARAMETER.findall(request.headers.get("authorization", "").removeprefix("OAuth")))
        values = {name: unquote(value) for name, value in parameters.items()}
        token = values.get("oauth_token", "")
        with self._lock:
            try:
                if self._clock() < self._locked_until.get(token, 0):
                    raise _Refused("temporary_locked")
                self._check(request, values)
            except _Refused as refused:
                self._count_failure(token, refused.reason)
                return False
            self._failures.pop(token, None)
            return True

    def _count_failure(self, token: str, reason: str) -> None:
        self._audit.append(f"tba {reason}")
        if reason == "temporary_locked" or not any(pair.token_id == token for pair in self._pairs.values()):
            return
        self._failures[token] = self._failures.get(token, 0) + 1
        if self.lock_after is not None and self._failures[token] >= self.lock_after:
            self._locked_until[token] = self._clock() + _LOCK_SECONDS
            self._failures.pop(token)

    def _check(self, request: Request, values: dict[str, str]) -> None:
        missing = [name for name in (*_SIGNED, "oauth_signature") if not values.get(name)]
        if missing:
            raise _Refused(f"ParameterAbsent {', '.join(missing)}")
        if values.get("realm") != self._account:
            raise _Refused(f"InvalidRealm {values.get('realm')}")
        if values["oauth_signature_method"] != "HMAC-SHA256":
            raise _Refused(f"UnknownAlgorithm {values['oauth_signature_method']}")
        if values.get("oauth_version", "1.0") != "1.0":
            raise _Refused("VersionRejected")
        pair = self._pairs.get((values["oauth_consumer_key"], values["oauth_token"]))
        if pair is None:
            raise _Refused("TokenRejected")
        stamp = values["oauth_timestamp"]
        if not stamp.isdigit() or abs(int(stamp) - self._clock()) > _SKEW:
            raise _Refused(f"InvalidTimestamp {stamp}")
        if len(values["oauth_nonce"]) < _SHORTEST_NONCE:
            raise _Refused("InvalidNonce")
        nonce = (pair.consumer_key, pair.token_id, values["oauth_nonce"])
        if nonce in self._nonces:
            raise _Refused("NonceUsed")
        given = values["oauth_signature"].encode()
        if not any(
            hmac.compare_digest(sign(request, values, pair, url).encode(), given) for url in self._urls(request)
        ):
            raise _Refused("InvalidSignature")
        self._nonces.add(nonce)

    def _urls(self, request: Request) -> list[str]:
        host = self._account.lower().replace("_", "-")
        urls = [original_url(request), f"https://{host}.suitetalk.api.netsuite.com{request.path}"]
        if self.public_base:
            base = urlsplit(self.public_base.rstrip("/"))
            urls.append(f"{base.scheme.lower()}://{base.netloc.lower()}{base.path}{request.path}")
        return urls


def sign(request: Request, values: dict[str, str], pair: TokenPair, url: str) -> str:
    """The signature that a request to `url` must carry (RFC 5849, sections 3.4.1 and 3.4.2), in base 64."""
    signed = [(name, value) for name, value in values.items() if name.startswith("oauth_")]
    signed = [(name, value) for name, value in signed if name != "oauth_signature"]
    signed += parse_qsl(request.query, keep_blank_values=True)
    if "application/x-www-form-urlencoded" in request.headers.get("content-type", ""):
        signed += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs = sorted((_escape(name), _escape(value)) for name, value in signed)
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((request.method.upper(), _escape(url), _escape(parameters)))
    key = f"{_escape(pair.consumer_secret)}&{_escape(pair.token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _escape(text: str) -> str:
    return quote(text, safe="-._~")

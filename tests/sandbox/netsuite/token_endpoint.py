"""POST /services/rest/auth/oauth2/v1/token: OAuth 2.0 client credentials with a signed JWT.

Rules from Oracle's help "OAuth 2.0 Client Credentials Flow": PS256/384/512 or ES256/384/512 only, RSA keys of
3072 bits or more, iss = client id, aud = the token endpoint, exp less than 60 minutes after iat.
"""

from __future__ import annotations

import functools
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.http_server import Clock
from tests.sandbox.netsuite import answers
from tests.sandbox.netsuite.credentials import Certificate
from tests.sandbox.netsuite.original_url import original_url

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
ACCESS_TOKEN_SECONDS = 3600
_ALGORITHMS = frozenset({"PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SCOPES = frozenset({"restlets", "rest_webservices", "suite_analytics"})
_LONGEST_ASSERTION = 3600
_CLOCK_SKEW = 300


@dataclass(frozen=True)
class _Refused(Exception):
    """`code` is the OAuth error, `reason` what the Login Audit Trail says."""

    code: str
    reason: str


class TokenEndpoint:
    """Issues access tokens and knows which still hold. `audit` lists the reasons of refusals."""

    def __init__(self, account: str, clock: Clock, audit: list[str]) -> None:
        self._account = account
        self._clock = clock
        self._audit = audit
        self._lock = threading.Lock()
        self._certificates: dict[str, Certificate] = {}
        self._tokens: dict[str, float] = {}
        self._scopes: dict[str, frozenset[str]] = {}
        self.public_base: str | None = None

    def register(self, certificate: Certificate) -> None:
        self._certificates[certificate.certificate_id] = certificate

    def revoke(self, certificate_id: str | None = None) -> None:
        """Forget a certificate (None: all), as a sandbox refresh or a revocation does."""
        with self._lock:
            if certificate_id is None:
                self._certificates.clear()
            else:
                self._certificates.pop(certificate_id, None)

    def expire_tokens(self) -> None:
        """End every access token that was issued, before its time."""
        with self._lock:
            self._tokens.clear()

    def accepts(self, access_token: str) -> bool:
        """True if the token was issued here, still holds, and opens REST web services."""
        with self._lock:
            ends = self._tokens.get(access_token)
            scopes = self._scopes.get(access_token, frozenset())
        return ends is not None and self._clock() < ends and "rest_webservices" in scopes

    def answer(self, request: Request) -> Response:
        try:
            scopes = self._check(request)
        except _Refused as refused:
            self._audit.append(f"oauth2 {refused.code}: {refused.reason}")
            return answers.token_error(refused.code, self._account)
        token = self._issue(scopes)
        body = {"access_token": token, "expires_in": ACCESS_TOKEN_SECONDS, "token_type": "Bearer"}
        return Response(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _issue(self, scopes: frozenset[str]) -> str:
        now = int(self._clock())
        claims = {"iat": now, "exp": now + ACCESS_TOKEN_SECONDS, "jti": secrets.token_hex(16)}
        claims_and_scope = {**claims, "scope": sorted(scopes), "iss": "https://system.netsuite.com"}
        token = jwt.encode(claims_and_scope, _signing_key(), algorithm="RS256", headers={"kid": "s.SYSTEM.2020_1"})
        with self._lock:
            self._tokens[token] = self._clock() + ACCESS_TOKEN_SECONDS
            self._scopes[token] = scopes
        return token

    def _check(self, request: Request) -> frozenset[str]:
        content_type = request.headers.get("content-type", "")
        if request.method != "POST" or "application/x-www-form-urlencoded" not in content_type:
            raise _Refused("invalid_request", "the token endpoint takes a form by POST")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            raise _Refused("unsupported_grant_type", f"grant_type is {form.get('grant_type')!r}")
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise _Refused("invalid_request", f"client_assertion_type is {form.get('client_assertion_type')!r}")
        if not form.get("client_assertion"):
            raise _Refused("invalid_request", "client_assertion is missing")
        return self._check_assertion(form["client_assertion"], original_url(request))

    def _check_assertion(self, assertion: str, called: str) -> frozenset[str]:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError as error:
            raise _Refused("invalid_request", f"client_assertion is no JWT: {error}") from None
        algorithm = header.get("alg")
        if header.get("typ") != "JWT" or algorithm not in _ALGORITHMS:
            raise _Refused("invalid_client", f"typ {header.get('typ')!r}, alg {algorithm!r} are not accepted")
        certificate = self._certificates.get(str(header.get("kid")))
        if certificate is None:
            raise _Refused("invalid_client", "kid is no certificate that was uploaded")
        _check_key(certificate, str(algorithm))
        try:
            # Times and audience are checked below, by this server's clock.
            claims = jwt.decode(
                assertion,
                certificate.public_key,
                algorithms=[str(algorithm)],
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise _Refused("invalid_client", f"signature does not match: {error}") from None
        if claims.get("iss") != certificate.client_id:
            raise _Refused("invalid_client", "iss is not the client id of the certificate's integration")
        self._check_audience(claims.get("aud"), called)
        self._check_times(claims)
        return _scopes(claims.get("scope"))

    def _check_audience(self, audience: object, called: str) -> None:
        host = self._account.lower().replace("_", "-")
        accepted = {f"https://{host}.suitetalk.api.netsuite.com{TOKEN_PATH}", called}
        if self.public_base:
            accepted.add(self.public_base.rstrip("/") + TOKEN_PATH)
        named = audience if isinstance(audience, list) else [audience]
        if not accepted.intersection(each for each in named if isinstance(each, str)):
            raise _Refused("invalid_grant", f"aud {audience!r} is not the token endpoint {sorted(accepted)}")

    def _check_times(self, claims: Mapping[str, object]) -> None:
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, (int, float)) or not isinstance(expires, (int, float)):
            raise _Refused("invalid_grant", "iat and exp must be numbers of seconds")
        now = self._clock()
        if not 0 < expires - issued <= _LONGEST_ASSERTION:
            raise _Refused("invalid_grant", "exp must be after iat by no more than 60 minutes")
        if issued > now + _CLOCK_SKEW or expires <= now:
            raise _Refused("invalid_grant", "the assertion is expired, or from the future")


@functools.cache
def _signing_key() -> rsa.RSAPrivateKey:
    """NetSuite's own key for access tokens; one per process, because making it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _check_key(certificate: Certificate, algorithm: str) -> None:
    key = certificate.public_key
    if isinstance(key, rsa.RSAPublicKey):
        if not algorithm.startswith("PS"):
            raise _Refused("invalid_client", f"alg {algorithm} does not fit the RSA key")
        if key.key_size < 3072:
            raise _Refused("invalid_client", f"RSA key of {key.key_size} bits; 3072 or more are needed")
    elif _CURVES.get(algorithm) != key.curve.name:
        raise _Refused("invalid_client", f"alg {algorithm} does not fit a key on {key.curve.name}")


def _scopes(scope: object) -> frozenset[str]:
    """Oracle's page says comma, its sample is an array, clients send spaces: all three pass."""
    if isinstance(scope, str):
        names = frozenset(scope.replace(",", " ").split())
    elif isinstance(scope, list):
        names = frozenset(str(each) for each in scope)
    else:
        names = frozenset()
    if not names or not names <= _SCOPES:
        raise _Refused("invalid_scope", f"scope {scope!r} is not among {sorted(_SCOPES)}")
    return names

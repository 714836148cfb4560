"""The two ways in to NetSuite's REST services, chosen by what the secret holds.

OAuth 2.0 client credentials (machine to machine): a JWT signed with the certificate's key is exchanged for an access
token that lives 60 minutes. Token-based authentication (OAuth 1.0a, HMAC-SHA256) signs every single request; Oracle
closes it for new integrations from 2027.1. Sources: Oracle's help pages "OAuth 2.0 for Integration Applications" and
"The Signature for Web Services and RESTlets".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import requests

from billing.domain.errors import PassingError, PersonNeeded

_ACCOUNT = re.compile(r"[0-9A-Za-z]+([_-][0-9A-Za-z]+)?")
_OAUTH2_FIELDS = ("account", "client_id", "certificate_id", "private_key")
_TBA_FIELDS = ("account", "consumer_key", "consumer_secret", "token_id", "token_secret")
_JWT_ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# A token that ends within this many seconds is renewed first, so that it outlives the request that carries it.
_RENEWAL_MARGIN = 120


class Login(Protocol):
    """Signs requests."""

    def authorize(self, session: requests.Session, method: str, url: str, /) -> str:
        """The Authorization header for this request."""

    def renew(self) -> None:
        """Forget what was cached: NetSuite has refused it."""


def account_host(account: str) -> str:
    """The REST host of an account: 1234567_SB1 -> 1234567-sb1.suitetalk.api.netsuite.com.

    The account id becomes a host name, so it is matched strictly first (an id like "x@evil" would send credentials
    elsewhere).
    """
    if not _ACCOUNT.fullmatch(account):
        raise PersonNeeded(
            'The NetSuite secret\'s field "account" is not an account id such as 1234567 or 1234567_SB1.'
        )
    return f"{account.lower().replace('_', '-')}.suitetalk.api.netsuite.com"


def login_from_secret(secret: Mapping[str, Any], base_url: str, now: Callable[[], float]) -> Login:
    """Choose the login by the secret's fields. `now` gives epoch seconds."""
    if all(secret.get(field) for field in _OAUTH2_FIELDS):
        return CertificateLogin(secret, base_url, now)
    if all(secret.get(field) for field in _TBA_FIELDS):
        return TokenLogin(secret)
    missing = [field for field in _OAUTH2_FIELDS if not secret.get(field)]
    raise PersonNeeded(
        "The NetSuite secret holds neither kind of login. For OAuth 2.0 it lacks "
        f"{', '.join(missing)}; for token-based "
        f"authentication it needs {', '.join(_TBA_FIELDS)}."
    )


class CertificateLogin:
    """OAuth 2.0 client credentials with a certificate."""

    def __init__(self, secret: Mapping[str, Any], base_url: str, now: Callable[[], float]) -> None:
        self._secret = secret
        path = "/services/rest/auth/oauth2/v1/token"
        self._token_url = base_url + path
        # NetSuite checks the audience against its own address, also when a proxy stands in between.
        self._audience = f"https://{account_host(str(secret['account']))}{path}"
        self._now = now
        self._token = ""
        self._expires_at = 0.0

    def authorize(self, session: requests.Session, _method: str, _url: str) -> str:
        """A bearer token, minted anew shortly before it ends."""
        if not self._token or self._now() > self._expires_at - _RENEWAL_MARGIN:
            self._mint(session)
        return f"Bearer {self._token}"

    def renew(self) -> None:
        """Mint a new token next time."""
        self._token = ""

    def _mint(self, session: requests.Session) -> None:
        answer = session.post(
            self._token_url,
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._assertion(),
            },
            timeout=(5, 60),
        )
        if answer.status_code in (429, 500, 502, 503, 504):
            raise PassingError(f"NetSuite's token endpoint answered {answer.status_code}.")
        fields = _json_object(answer)
        if answer.status_code == 200 and not fields:
            raise PassingError("NetSuite's token endpoint answered something that is not JSON.")
        if answer.status_code != 200 or not fields.get("access_token"):
            code = str(fields.get("error", ""))[:40] or f"HTTP {answer.status_code}"
            raise PersonNeeded(
                f"NetSuite refused the OAuth 2.0 login: {code}. invalid_client means a wrong client id, certificate id "
                "or key; invalid_grant a missing mapping of certificate, role and entity. A certificate lives two "
                "years at most."
            )
        self._token = str(fields["access_token"])
        # Some accounts send expires_in as a text.
        self._expires_at = self._now() + float(fields.get("expires_in", 3600))

    def _assertion(self) -> str:
        import jwt  # PyJWT pulls in cryptography, which token-based logins never need.

        algorithm = str(self._secret.get("algorithm") or "PS256")
        if algorithm not in _JWT_ALGORITHMS:
            raise PersonNeeded(f'The NetSuite secret\'s field "algorithm" must be one of {", ".join(_JWT_ALGORITHMS)}.')
        issued_at = int(self._now())
        claims = {
            "iss": self._secret["client_id"],
            "scope": ["rest_webservices"],
            "aud": self._audience,
            "iat": issued_at,
            "exp": issued_at + 300,
            "jti": str(uuid.uuid4()),
        }
        try:
            return jwt.encode(
                claims,
                str(self._secret["private_key"]),
                algorithm=algorithm,
                headers={"kid": str(self._secret["certificate_id"])},
            )
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise PersonNeeded(
                f'The NetSuite secret\'s field "private_key" is no key for {algorithm} ({type(error).__name__}): '
                "PEM text, RSA of 3072 or 4096 bits for PS256, EC P-256 for ES256."
            ) from None


class TokenLogin:
    """OAuth 1.0a. Every attempt is signed anew: a nonce or an old timestamp is refused the second time."""

    def __init__(self, secret: Mapping[str, Any]) -> None:
        self._secret = secret

    def authorize(self, _session: requests.Session, method: str, url: str) -> str:
        """A signature over method and URL with a nonce of its own."""
        from oauthlib.oauth1 import Client  # only token-based logins pay for this import

        client = Client(
            client_key=str(self._secret["consumer_key"]),
            client_secret=str(self._secret["consumer_secret"]),
            resource_owner_key=str(self._secret["token_id"]),
            resource_owner_secret=str(self._secret["token_secret"]),
            # The realm is the account in capitals with an underscore; it is not part of the base string.
            realm=str(self._secret["account"]).upper().replace("-", "_"),
            signature_method="HMAC-SHA256",
        )
        # A JSON body is not signed, query parameters are.
        _, headers, _ = client.sign(url, http_method=cast(Any, method))
        return str(headers["Authorization"])

    def renew(self) -> None:
        """Nothing is cached."""


def base_url_of(secret: Mapping[str, Any], override: str) -> str:
    """The account's public address, or `override` where the stack names another server."""
    public = f"https://{account_host(str(secret.get('account', '')))}"
    if not override:
        return public
    if urlsplit(override).scheme not in ("http", "https"):
        raise PersonNeeded("The parameter NetSuiteApiUrl is not an http(s) address.")
    return override.rstrip("/")


def _json_object(answer: requests.Response) -> Mapping[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

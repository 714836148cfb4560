"""Both ways in are verified for real: every single thing that NetSuite checks is wrong once here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sandbox.netsuite import NetSuiteServer
from tests.sandbox_tests.netsuite.account_client import (
    SUITEQL_PATH,
    TOKEN_PATH,
    Account,
    assertion,
    oauth1,
)
from tests.sandbox_tests.netsuite.conftest import StartAccount

ONE_ROW = {"q": "SELECT 1 AS one FROM dual"}
TRANSIENT = {"Prefer": "transient"}


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "PS256"])
def test_a_right_assertion_gives_a_token_that_opens_suiteql(start_account: StartAccount, algorithm: str) -> None:
    secret = NetSuiteServer.new_credentials("oauth2", algorithm)
    account = start_account("tiny", credentials=secret)

    answer = account.ask_token(assertion(account.server, account.clock()))

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "expires_in", "token_type"}
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    assert account.query("SELECT 1 AS one FROM dual").json()["items"] == [{"links": [], "one": "1"}]


def test_the_audience_may_be_the_accounts_public_address(tiny: Account) -> None:
    public = "https://1234567-sb1.suitetalk.api.netsuite.com" + TOKEN_PATH
    assert tiny.ask_token(assertion(tiny.server, tiny.clock(), aud=public)).status_code == 200


def test_behind_a_proxy_the_audience_is_the_address_that_was_called_first(tiny: Account) -> None:
    token = assertion(tiny.server, tiny.clock(), aud="https://proxy.example:8443/netsuite" + TOKEN_PATH)
    forwarded = {
        "X-Forwarded-Host": "proxy.example:8443",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/netsuite",
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": token,
    }
    url = tiny.server.url + TOKEN_PATH
    assert requests.post(url, data=form, headers=forwarded, timeout=10).status_code == 200
    assert requests.post(url, data=form, timeout=10).json() == {"error": "invalid_grant"}


@dataclass(frozen=True)
class Wrong:
    error: str
    claims: dict[str, object] = field(default_factory=dict)
    header: dict[str, object] = field(default_factory=dict)
    algorithm: str | None = None


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(Wrong("invalid_client", header={"kid": "unknown"}), id="kid"),
        pytest.param(Wrong("invalid_client", {"iss": "another-client"}), id="issuer"),
        pytest.param(Wrong("invalid_client", header={"typ": "at+jwt"}), id="typ"),
        pytest.param(Wrong("invalid_grant", {"aud": "https://elsewhere.example/token"}), id="audience"),
        pytest.param(Wrong("invalid_grant", {"aud": None}), id="no-audience"),
        pytest.param(Wrong("invalid_grant", {"exp": 1780300800 + 3601}), id="more-than-an-hour"),
        pytest.param(Wrong("invalid_grant", {"exp": 1780300799, "iat": 1780300000}), id="expired"),
        pytest.param(Wrong("invalid_grant", {"exp": 1780305000, "iat": 1780304000}), id="from-the-future"),
        pytest.param(Wrong("invalid_grant", {"iat": None}), id="no-iat"),
        pytest.param(Wrong("invalid_scope", {"scope": None}), id="no-scope"),
        pytest.param(Wrong("invalid_scope", {"scope": ["everything"]}), id="unknown-scope"),
    ],
)
def test_an_assertion_with_one_thing_wrong_is_refused_with_a_plain_oauth_error(tiny: Account, wrong: Wrong) -> None:
    answer = tiny.ask_token(
        assertion(tiny.server, tiny.clock(), header=wrong.header, **wrong.claims)  # type: ignore[arg-type]
    )

    assert answer.json() == {"error": wrong.error}
    assert answer.status_code == (401 if wrong.error == "invalid_client" else 400)
    assert ("WWW-Authenticate" in answer.headers) == (wrong.error == "invalid_client")
    assert tiny.server.login_audit


def test_a_signature_by_another_key_is_refused(tiny: Account) -> None:
    forged = NetSuiteServer.new_credentials("oauth2")
    known = tiny.server.oauth2_credentials
    secret = {**forged, "client_id": known["client_id"], "certificate_id": known["certificate_id"]}

    answer = tiny.ask_token(assertion(tiny.server, tiny.clock(), secret))

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize(("bits", "algorithm"), [(2048, "PS256"), (3072, "RS256")])
def test_short_rsa_keys_and_rs256_are_refused(start_account: StartAccount, bits: int, algorithm: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret = {**NetSuiteServer.new_credentials("oauth2"), "private_key": pem.decode(), "algorithm": algorithm}
    account = start_account("tiny", credentials=secret)

    answer = account.ask_token(assertion(account.server, account.clock()))

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_another_grant_type_is_refused(tiny: Account) -> None:
    token = assertion(tiny.server, tiny.clock())
    answer = tiny.ask_token(token, grant_type="authorization_code")
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


def test_an_access_token_ends_after_3600_seconds(tiny: Account) -> None:
    tiny.token()
    tiny.clock.now += 3599
    assert tiny.query("SELECT 1 AS one FROM dual").status_code == 200
    tiny.clock.now += 1
    answer = tiny.query("SELECT 1 AS one FROM dual")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="1234567_SB1", error="invalid_token", error_description="Invalid login attempt."'
    )


def test_a_revoked_certificate_and_its_tokens_are_refused(tiny: Account) -> None:
    tiny.token()
    tiny.server.revoke_credentials()
    assert tiny.query("SELECT 1 AS one FROM dual").status_code == 401
    answer = tiny.ask_token(assertion(tiny.server, tiny.clock()))
    assert answer.json() == {"error": "invalid_client"}


def test_a_token_without_the_rest_scope_does_not_open_suiteql(tiny: Account) -> None:
    token = tiny.ask_token(assertion(tiny.server, tiny.clock(), scope=["restlets"])).json()["access_token"]
    answer = tiny.query("SELECT 1 AS one FROM dual", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def _tba(account: Account, auth: object, query: str = "?limit=10&offset=0") -> requests.Response:
    url = account.server.url + SUITEQL_PATH + query
    return requests.post(url, json=ONE_ROW, headers=TRANSIENT, auth=auth, timeout=10)  # type: ignore[arg-type]


def test_a_request_signed_by_an_independent_library_is_accepted(tiny: Account) -> None:
    answer = _tba(tiny, oauth1(tiny.server, tiny.clock()), "?limit=10&offset=0&x=a%20b%2Bc")
    assert answer.status_code == 200, tiny.server.login_audit


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_secret": "wrong"}, "InvalidSignature"),
        ({"consumer_secret": "wrong"}, "InvalidSignature"),
        ({"token_id": "unknown"}, "TokenRejected"),
        ({"realm": "1234567"}, "InvalidRealm"),
        ({"signature_method": "HMAC-SHA1"}, "UnknownAlgorithm"),
        ({"nonce": "short"}, "InvalidNonce"),
    ],
)
def test_a_wrong_signature_gets_the_generic_401_and_its_reason_in_the_audit_trail(
    tiny: Account, changes: dict[str, str], reason: str
) -> None:
    answer = _tba(tiny, oauth1(tiny.server, tiny.clock(), **changes))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'OAuth realm="1234567_SB1", error="token_rejected", error_description="Invalid login attempt."'
    )
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"
    assert reason in tiny.server.login_audit[-1]


@pytest.mark.parametrize(("skew", "status"), [(-300, 200), (300, 200), (-301, 401), (301, 401)])
def test_the_timestamp_may_be_off_by_300_seconds(tiny: Account, skew: int, status: int) -> None:
    assert _tba(tiny, oauth1(tiny.server, tiny.clock() + skew)).status_code == status


def test_a_nonce_serves_once(tiny: Account) -> None:
    auth = oauth1(tiny.server, tiny.clock(), nonce="abcdef123456")
    assert _tba(tiny, auth).status_code == 200
    assert _tba(tiny, auth).status_code == 401
    assert "NonceUsed" in tiny.server.login_audit[-1]


def test_query_parameters_are_part_of_the_signature(tiny: Account) -> None:
    url = tiny.server.url + SUITEQL_PATH
    request = requests.Request(
        "POST", url + "?limit=10", json=ONE_ROW, headers=TRANSIENT, auth=oauth1(tiny.server, tiny.clock())
    )
    prepared = request.prepare()
    prepared.url = url + "?limit=11"
    with requests.Session() as session:
        assert session.send(prepared, timeout=10).status_code == 401
    assert "InvalidSignature" in tiny.server.login_audit[-1]


def test_behind_a_proxy_the_signature_is_over_the_address_that_was_called_first(tiny: Account) -> None:
    signed = requests.Request(
        "POST",
        "https://proxy.example" + SUITEQL_PATH + "?limit=10",
        json=ONE_ROW,
        headers=TRANSIENT,
        auth=oauth1(tiny.server, tiny.clock()),
    ).prepare()
    headers = {**signed.headers, "X-Forwarded-Host": "proxy.example", "X-Forwarded-Proto": "https"}
    url = tiny.server.url + SUITEQL_PATH + "?limit=10"
    assert requests.post(url, data=signed.body, headers=headers, timeout=10).status_code == 200


def test_five_bad_logins_lock_the_user_for_half_an_hour(tiny: Account) -> None:
    for _ in range(5):
        assert _tba(tiny, oauth1(tiny.server, tiny.clock(), token_secret="wrong")).status_code == 401
    assert _tba(tiny, oauth1(tiny.server, tiny.clock())).status_code == 401
    assert "temporary_locked" in tiny.server.login_audit[-1]
    tiny.clock.now += 30 * 60
    assert _tba(tiny, oauth1(tiny.server, tiny.clock())).status_code == 200


def test_without_any_login_nothing_is_answered(tiny: Account) -> None:
    answer = requests.post(tiny.server.url + SUITEQL_PATH, json=ONE_ROW, headers=TRANSIENT, timeout=10)
    assert answer.status_code == 401
    assert re.match(r"application/vnd\.oracle\.resource\+json; type=error", answer.headers["Content-Type"])

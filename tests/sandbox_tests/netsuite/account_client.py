"""What these tests need of a NetSuite client: logins with foreign libraries, and queries over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests
from requests_oauthlib import OAuth1

from tests.sandbox.netsuite import NetSuiteServer

JUNE_FIRST = 1780300800.0
"""2026-06-01 08:00 UTC, 04:00 in New York: month -1 is May 2026."""

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
RECORD_PATH = "/services/rest/record/v1/"
SUITEQL_PATH = "/services/rest/query/v1/suiteql"

MAIN_QUERY = """
SELECT t.id, t.tranid, t.status, TO_CHAR(t.trandate,'YYYY-MM-DD') AS trandate,
 TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS') AS lastmodified, t.entity, c.entityid AS clientnumber,
 c.companyname AS clientname, c.email AS clientemail, t.email AS orderemail, cur.symbol AS currencycode,
 t.foreigntotal, t.otherrefnum, t.memo, term.daysuntilnetdue, BUILTIN.DF(t.terms) AS termsname,
 tl.id AS line, tl.uniquekey, tl.item, i.itemid, i.itemtype, tl.memo AS linememo, tl.quantity, tl.rate,
 tl.foreignamount, NVL(tl.quantitybilled,0) AS quantitybilled, tl.isclosed, tl.mainline, tl.taxline,
 tl.kitmemberof
FROM transaction t
 LEFT JOIN customer c ON c.id = t.entity
 LEFT JOIN currency cur ON cur.id = t.currency
 LEFT JOIN term ON term.id = t.terms
 LEFT JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F'
 LEFT JOIN item i ON i.id = tl.item
WHERE t.type = 'SalesOrd' AND BUILTIN.CF(t.status) IN ('SalesOrd:E','SalesOrd:F')
 AND t.trandate >= TO_DATE('2026-05-01','YYYY-MM-DD') AND t.trandate < TO_DATE('2026-06-01','YYYY-MM-DD')
 AND (t.id > ? OR (t.id = ? AND tl.id > ?))
ORDER BY t.id ASC, tl.id ASC
"""


@dataclass
class MovableClock:
    """Epoch seconds that stand still until a test moves them."""

    now: float = JUNE_FIRST

    def __call__(self) -> float:
        return self.now


@dataclass
class Account:
    """A started server, its clock, and a session that is logged in."""

    server: NetSuiteServer
    clock: MovableClock
    session: requests.Session = field(default_factory=requests.Session)
    _token: str | None = None

    def token(self) -> str:
        if self._token is None:
            answer = self.ask_token(assertion(self.server, self.clock()))
            assert answer.status_code == 200, (answer.text, self.server.login_audit)
            self._token = str(answer.json()["access_token"])
        return self._token

    def ask_token(self, client_assertion: str, **changes: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": client_assertion,
            **changes,
        }
        return self.session.post(self.server.url + TOKEN_PATH, data=form, timeout=10)

    def query(
        self,
        sql: str,
        *params: object,
        page: Mapping[str, int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token()}", "Prefer": "transient", **(headers or {})}
        return self.session.post(
            self.server.url + SUITEQL_PATH,
            params=page,
            json={"q": sql, **({"params": list(params)} if params else {})},
            headers=sent,
            timeout=10,
        )

    def rows(self, sql: str, *params: object) -> list[dict[str, str]]:
        """All items of one page, without their links."""
        answer = self.query(sql, *params)
        assert answer.status_code == 200, answer.text
        return [{key: value for key, value in item.items() if key != "links"} for item in answer.json()["items"]]

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """A call of the record API; `path` begins after /record/v1/."""
        return self.session.request(
            method,
            f"{self.server.url}{RECORD_PATH}{path}",
            json=body,
            params=params,
            headers={"Authorization": f"Bearer {self.token()}", **(headers or {})},
            timeout=10,
        )

    def write(self, method: str, path: str, body: object) -> int:
        """The internal id of what was saved (or changed)."""
        answer = self.send(method, path, body, headers={"X-NetSuite-PropertyNameValidation": "Error"})
        assert answer.status_code == 204, answer.text
        assert answer.content == b""
        return int(answer.headers["Location"].rpartition("/")[2])

    def preview(self, order_id: int, body: object = None) -> dict[str, Any]:
        """The invoice that NetSuite would save for a sales order."""
        answer = self.send(
            "POST",
            f"salesOrder/{order_id}/!transform/invoice",
            {} if body is None else body,
            headers={"Accept": "application/vnd.oracle.resource+json; type=create-form"},
            params={"expandSubResources": "true"},
        )
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def bill(self, order_id: int, body: object) -> int:
        """The internal id of the invoice that a sales order was transformed to."""
        return self.write("POST", f"salesOrder/{order_id}/!transform/invoice", body)

    def get(self, path: str) -> dict[str, Any]:
        """A record with its sublists."""
        answer = self.send("GET", path, params={"expandSubResources": "true"})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def refused(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """The detail of the 400 that the call gets."""
        answer = self.send(method, path, body, headers=headers)
        assert answer.status_code == 400, (answer.status_code, answer.text)
        return str(answer.json()["o:errorDetails"][0]["detail"])

    def refusal(self, sql: str, *params: object) -> str:
        """The detail of the 400 that the query gets."""
        answer = self.query(sql, *params)
        assert answer.status_code == 400, answer.text
        detail = answer.json()["o:errorDetails"][0]
        assert detail["o:errorCode"] == "INVALID_PARAMETER"
        assert detail["o:errorQueryParam"] == "q"
        return str(detail["detail"])


def assertion(
    server: NetSuiteServer,
    now: float,
    secret: Mapping[str, str] | None = None,
    header: Mapping[str, object] | None = None,
    algorithm: str | None = None,
    **claims: object,
) -> str:
    """A client assertion as the product makes it, with whatever a test wants to be wrong."""
    secret = secret or server.oauth2_credentials
    body: dict[str, object] = {
        "iss": secret["client_id"],
        "aud": server.url + TOKEN_PATH,
        "iat": int(now),
        "exp": int(now) + 300,
        "scope": ["rest_webservices"],
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in body.items() if value is not None},
        secret["private_key"],
        algorithm=algorithm or secret["algorithm"],
        headers={"kid": secret["certificate_id"], **(header or {})},
    )


def oauth1(server: NetSuiteServer, now: float, **changes: str) -> OAuth1:
    """requests-oauthlib's signature for token-based authentication."""
    secret = {**server.tba_credentials, **changes}
    return OAuth1(
        secret["consumer_key"],
        secret["consumer_secret"],
        secret["token_id"],
        secret["token_secret"],
        signature_method=changes.get("signature_method", "HMAC-SHA256"),
        realm=changes.get("realm", server.account),
        timestamp=str(int(now)),
        nonce=changes.get("nonce"),
    )

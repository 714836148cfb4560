"""GET /services/rest/record/v1/salesOrder/{id}: one sales order as the record API shows it.

Amounts and quantities are positive here, kit components and tax lines are not shown, sublists are links
unless expandSubResources=true, null fields are absent. Orders on legacy tax carry no tax field (Oracle's
help: REST web services do not support legacy tax).
"""

from __future__ import annotations

import re
from datetime import UTC
from urllib.parse import parse_qsl

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.netsuite import answers
from tests.sandbox.netsuite.oracle_functions import parse_stored
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.tables import STATUS_NAMES

RECORD_PATH = "/services/rest/record/v1/"
_SALES_ORDER = re.compile(r"/services/rest/record/v1/salesorder/(\d+)/?", re.IGNORECASE)

_Cells = dict[str, str | int | float | None]


class RecordApi:
    """Reads sales orders from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def serves(self, request: Request) -> bool:
        """True for one sales order by its internal id; all else is `records.service`."""
        return request.method == "GET" and _SALES_ORDER.fullmatch(request.path) is not None

    def answer(self, request: Request, base: str) -> Response:
        """`base` is the URL up to and without /services, as the caller knows it."""
        if request.method != "GET":
            return answers.error(405, "METHOD_NOT_ALLOWED", f"{request.method} is not served by this stand-in.")
        found = _SALES_ORDER.fullmatch(request.path)
        if found is None:
            return answers.not_found()
        expand = dict(parse_qsl(request.query)).get("expandSubResources", "").lower() == "true"
        body = self.shown(int(found[1]), f"{base}{RECORD_PATH}", expand)
        return answers.json_answer(200, body, "singular") if body else answers.not_found()

    def shown(self, order_id: int, root: str, expand: bool) -> dict[str, object]:
        """The order as GET shows it; empty if there is none with that id."""
        with self._store.lock:
            query = 'SELECT * FROM "transaction" WHERE "id" = ? AND "type" = \'SalesOrd\''
            rows = self._rows(query, order_id)
            if not rows:
                return {}
            lines = self._rows(
                'SELECT l.*, i."itemid", i."itemtype" FROM "transactionline" l '
                'LEFT JOIN "item" i ON i."id" = l."item" '
                'WHERE l."transaction" = ? ORDER BY l."linesequencenumber"',
                order_id,
            )
            return self._order(rows[0], lines, root, expand)

    def _rows(self, sql: str, *parameters: int) -> list[_Cells]:
        cursor = self._store.connection.execute(sql, parameters)
        names = [description[0] for description in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _order(self, row: _Cells, lines: list[_Cells], root: str, expand: bool) -> dict[str, object]:
        here = f"{root}salesorder/{row['id']}"
        visible = [
            line
            for line in lines
            if line["mainline"] == "F"
            and line["taxline"] == "F"
            and line["kitmemberof"] is None
            and line["itemtype"] != "ShipItem"
        ]
        shipping = [_positive(line["foreignamount"]) for line in lines if line["itemtype"] == "ShipItem"]
        status = str(row["status"])
        sublist: dict[str, object] = {"links": [{"rel": "self", "href": f"{here}/item"}]}
        if expand:
            items = [self._line(line, here, root) for line in visible]
            sublist |= {"items": items, "totalResults": len(items)}
        body: dict[str, object] = {
            "links": [{"rel": "self", "href": f"{root}salesOrder/{row['id']}"}],
            "createdDate": self._utc(row["createddate"]),
            "currency": self._reference("currency", "name", row["currency"], root),
            "email": row["email"],
            "endDate": _day(row["enddate"]),
            "entity": self._reference("customer", "altname", row["entity"], root),
            "exchangeRate": row["exchangerate"],
            "externalId": row["externalid"],
            "id": str(row["id"]),
            "item": sublist,
            "lastModifiedDate": self._utc(row["lastmodifieddate"]),
            "memo": row["memo"],
            "orderStatus": {"id": status, "refName": STATUS_NAMES.get(status, status)},
            "otherRefNum": row["otherrefnum"],
            "shippingCost": sum(shipping) if shipping else None,
            "startDate": _day(row["startdate"]),
            "status": {"id": status, "refName": STATUS_NAMES.get(status, status)},
            "terms": self._reference("term", "name", row["terms"], root),
            "total": row["foreigntotal"],
            "tranDate": _day(row["trandate"]),
            "tranId": row["tranid"],
        }
        body |= {name: value for name, value in row.items() if name.startswith("custbody")}
        return {name: value for name, value in body.items() if value is not None}

    def _line(self, line: _Cells, here: str, root: str) -> dict[str, object]:
        fields: dict[str, object] = {
            "links": [{"rel": "self", "href": f"{here}/item/{line['id']}"}],
            "amount": _positive(line["foreignamount"]),
            "description": line["memo"],
            "isClosed": line["isclosed"] == "T",
            "isOpen": line["isclosed"] != "T",
            "item": self._reference("item", "itemid", line["item"], f"{root}inventoryItem/", plain=True),
            "itemType": {"id": line["itemtype"], "refName": line["itemtype"]} if line["itemtype"] else None,
            "line": line["id"],
            "lineUniqueKey": line["uniquekey"],
            "quantity": _positive(line["quantity"]),
            "quantityBilled": line["quantitybilled"],
            "quantityFulfilled": line["quantityshiprecv"],
            "rate": line["rate"],
        }
        if line["itemtype"] in ("Discount", "Payment") and isinstance(line["foreignamount"], (int, float)):
            fields["amount"] = -line["foreignamount"]
        fields |= {name: value for name, value in line.items() if name.startswith("custcol")}
        return {name: value for name, value in fields.items() if value is not None}

    def _reference(
        self, record: str, display: str, key: str | int | float | None, root: str, plain: bool = False
    ) -> dict[str, object] | None:
        if key is None:
            return None
        cursor = self._store.connection.execute(f'SELECT "{display}" FROM "{record}" WHERE "id" = ?', (key,))
        found = cursor.fetchone()
        href = f"{root}{key}" if plain else f"{root}{record}/{key}"
        reference: dict[str, object] = {"links": [{"rel": "self", "href": href}], "id": str(key)}
        return {**reference, "refName": found[0]} if found else reference

    def _utc(self, value: str | int | float | None) -> str | None:
        if value is None:
            return None
        local = parse_stored(value).replace(tzinfo=self._store.zone)
        return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: str | int | float | None) -> str | None:
    return None if value is None else str(value)[:10]


def _positive(value: str | int | float | None) -> float | int:
    return abs(value) if isinstance(value, (int, float)) else 0

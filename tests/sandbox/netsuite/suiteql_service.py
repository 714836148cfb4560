"""POST /services/rest/query/v1/suiteql: paging rules, execution and the shape of the result."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from urllib.parse import parse_qsl

from tests.sandbox.http_messages import Request, Response
from tests.sandbox.netsuite import answers
from tests.sandbox.netsuite.oracle_functions import show
from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.suiteql_refusal import SuiteQLRefused
from tests.sandbox.netsuite.suiteql_translation import Translation, translate

LARGEST_PAGE = 1000
_REMEMBERED_QUERIES = 64


class SuiteQLService:
    """Executes queries on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._translations: OrderedDict[tuple[object, ...], Translation] = OrderedDict()

    def answer(self, request: Request, url: str) -> Response:
        """`url` is the service's address as the caller knows it."""
        options = self._store.options
        if not options.may_query:
            return answers.no_permission()
        if "transient" not in request.headers.get("prefer", "").lower():
            text = "The required request header 'Prefer' is missing or invalid. It must be set to 'transient'."
            return answers.error(400, "INVALID_HEADER", text, header="Prefer")
        page = _page(request.query, options.max_rows)
        if isinstance(page, Response):
            return page
        try:
            body = json.loads(request.body)
        except ValueError:
            return answers.error(400, "INVALID_REQUEST", "The request body is not valid JSON.")
        if not isinstance(body, dict) or not isinstance(body.get("q"), str) or not body["q"].strip():
            return answers.error(400, "INVALID_PARAMETER", "Missing query.", query_param="q")
        parameters = body.get("params", [])
        if not isinstance(parameters, list) or not all(isinstance(each, (str, int, float)) for each in parameters):
            return answers.error(400, "INVALID_PARAMETER", "Invalid parameters.", query_param="params")
        try:
            return self._run(body["q"], parameters, *page, url)
        except SuiteQLRefused as refusal:
            return answers.bad_query(str(refusal))

    def _run(self, query: str, parameters: list[str | int | float], limit: int, offset: int, url: str) -> Response:
        store = self._store
        with store.lock:
            translation = self._translated(query)
            if translation.parameters != len(parameters):
                raise SuiteQLRefused(
                    f"Search error occurred: the query has {translation.parameters} parameters, "
                    f"{len(parameters)} values were given."
                )
            bound: dict[str, str | int | float] = {f"p{place}": each for place, each in enumerate(parameters, 1)}
            total = self._execute(translation.count_sql, bound)[0][0]
            assert isinstance(total, int)
            if translation.most_rows is not None:
                total = min(total, translation.most_rows)
            sql, start = translation.sql, offset
            if store.options.shift_pages and not translation.unique_order and total > limit:
                sql = translation.scrambled_sql
                number = offset // limit
                # A page's border moves: rows are lost before odd pages and repeated before even ones.
                start = offset if number == 0 else offset + (1 if number % 2 else -1)
            bound |= {"ns_page": offset, "ns_limit": max(0, min(limit, total - start)), "ns_offset": start}
            rows = self._execute(f"{sql} LIMIT :ns_limit OFFSET :ns_offset", bound)
        keys = [self._cased(key) for key in translation.keys]
        items = [
            {
                "links": [],
                **{key: show(cell) for key, cell in zip(keys, row, strict=True) if cell is not None},
            }
            for row in rows
        ]
        more = offset + limit < total
        result = {
            "links": _links(url, limit, offset, total),
            "count": len(items),
            "hasMore": more,
            "items": items,
            "offset": offset,
            "totalResults": total,
        }
        return answers.json_answer(200, result, "collection")

    def _translated(self, query: str) -> Translation:
        """The translation of a query, remembered as long as nothing it depends on has changed."""
        options = self._store.options
        shown = options.absent_words, options.columns_absent, options.records_absent
        key = (query, self._store.schema_version, *shown)
        found = self._translations.get(key)
        if found is None:
            found = translate(query, self._store)
            if "SYSDATE" not in query.upper():
                self._translations[key] = found
            while len(self._translations) > _REMEMBERED_QUERIES:
                self._translations.popitem(last=False)
        return found

    def _execute(self, sql: str, bound: dict[str, str | int | float]) -> list[tuple[str | int | float | None, ...]]:
        functions = self._store.functions
        functions.take_failure()
        try:
            return self._store.connection.execute(sql, bound).fetchall()
        except sqlite3.Error as error:
            reason = functions.take_failure() or f"Invalid or unsupported search: {error}"
            raise SuiteQLRefused(f"Search error occurred: {reason}") from None

    def _cased(self, key: str) -> str:
        casing = self._store.options.key_casing
        if casing == "upper":
            return key.upper()
        if casing == "mixed":
            return key[:1].upper() + key[1:]
        return key


def _page(query: str, max_rows: int) -> tuple[int, int] | Response:
    values = dict(parse_qsl(query, keep_blank_values=True))
    numbers: dict[str, int] = {}
    for name, default in (("limit", LARGEST_PAGE), ("offset", 0)):
        text = values.get(name, str(default))
        if not text.isdigit():
            return _bad_page(name, f"Invalid value '{text}' of query parameter '{name}': it must be an integer.")
        numbers[name] = int(text)
    limit, offset = numbers["limit"], numbers["offset"]
    if not 1 <= limit <= LARGEST_PAGE:
        return _bad_page("limit", f"Provided limit {limit} is not valid. It must be between 1 and 1000.")
    if offset % limit:
        return _bad_page("offset", f"Provided offset {offset} is not valid. It must be divisible by limit {limit}.")
    if offset >= max_rows or (offset > 0 and offset + limit > max_rows):
        return _bad_page("offset", f"Provided offset {offset} is not valid. At most {max_rows} rows can be read.")
    return limit, offset


def _bad_page(name: str, text: str) -> Response:
    return answers.error(400, "INVALID_PARAMETER", text, query_param=name)


def _links(url: str, limit: int, offset: int, total: int) -> list[dict[str, str]]:
    def link(rel: str, start: int) -> dict[str, str]:
        return {"rel": rel, "href": f"{url}?limit={limit}&offset={start}"}

    links: list[dict[str, str]] = []
    if offset > 0:
        links += [link("previous", max(0, offset - limit)), link("first", 0)]
    if offset + limit < total:
        links += [link("next", offset + limit), link("last", (total - 1) // limit * limit)]
    return [*links, link("self", offset)]

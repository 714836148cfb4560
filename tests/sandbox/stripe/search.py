"""Stripe's search: its query language, over objects as they looked some time ago.

Source: Stripe's docs on search. Clauses `field:'value'`, `field~'part'`, `field>1`, `-field:'value'`,
`metadata['key']:'value'`, `field:null`; joined by AND (or a blank) or by OR, never both; at most 10 clauses.
Matching ignores case. On free text `:` matches whole words in their order anywhere in the field, on the other
kinds the whole value.

Answers show objects as search saw them, which may be older than what a retrieve shows: the docs promise no
more.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from tests.sandbox.stripe.endpoint import Exchange
from tests.sandbox.stripe.errors import Refusal
from tests.sandbox.stripe.records import Json

MOST_CLAUSES = 10
FIELDS: dict[str, dict[str, str]] = {
    "customers": {
        "created": "number", "email": "words", "metadata": "token", "name": "words", "phone": "words",
    },
    "invoices": {
        "created": "number", "currency": "token", "customer": "token", "metadata": "token", "number": "words",
        "receipt_number": "words", "status": "words", "subscription": "token", "total": "number",
    },
}  # fmt: skip
_CLAUSE = re.compile(
    r"""\s*(?P<no>-?)(?P<field>[a-z_]+)
        (?:\[\s*(?P<kq>['"])(?P<key>(?:\\.|(?!(?P=kq)).)*)(?P=kq)\s*\])?
        (?P<op>:|~|>=|<=|>|<)
        (?:(?P<q>['"])(?P<text>(?:\\.|(?!(?P=q)).)*)(?P=q)|(?P<bare>[^\s'"]+))""",
    re.VERBOSE | re.DOTALL,
)
_JOINT = re.compile(r"\s+(?:(AND|OR)\s+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    """One condition; `value` None asks for an absent field."""

    field: str
    kind: str
    key: str | None
    operator: str
    value: str | None
    negated: bool

    def matches(self, shape: Json) -> bool:
        found = shape["metadata"].get(self.key) if self.field == "metadata" else shape.get(self.field)
        return self._holds(found) != self.negated

    def _holds(self, found: Any) -> bool:
        if self.value is None or found is None:
            return self.value is None and found is None
        if self.kind == "number":
            number, wanted = int(found), int(self.value)
            compared = {":": number == wanted, ">": number > wanted, "<": number < wanted}
            return {**compared, ">=": number >= wanted, "<=": number <= wanted}[self.operator]
        text, wanted_text = str(found).lower(), self.value.lower()
        if self.operator == "~":
            return wanted_text in text
        if self.kind == "token":
            return text == wanted_text
        words, phrase = re.findall(r"\w+", text), re.findall(r"\w+", wanted_text)
        return any(words[i : i + len(phrase)] == phrase for i in range(len(words) - len(phrase) + 1))


def parse(query: str, resource: str) -> tuple[list[Clause], bool]:
    """The clauses, and whether any one suffices (OR) instead of all (AND)."""
    unreadable = Refusal(
        'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query '
        'for metadata or key:"value" to query for other fields.',
        param="query",
    )
    clauses: list[Clause] = []
    joints: set[str] = set()
    position = 0
    query = query.strip()
    while True:
        match = _CLAUSE.match(query, position)
        if match is None:
            raise unreadable
        clauses.append(_clause(match, resource))
        position = match.end()
        if position == len(query):
            break
        joint = _JOINT.match(query, position)
        if joint is None:
            raise unreadable
        joints.add((joint[1] or "AND").upper())
        position = joint.end()
    if len(joints) > 1:
        raise Refusal("You cannot combine AND and OR in one search query.", param="query")
    if len(clauses) > MOST_CLAUSES:
        raise Refusal(f"A search query can have at most {MOST_CLAUSES} clauses.", param="query")
    return clauses, joints == {"OR"}


def _clause(match: re.Match[str], resource: str) -> Clause:
    name, operator, key = match["field"], match["op"], match["key"]
    kind = FIELDS[resource].get(name)
    if kind is None or (name == "metadata") != (key is not None):
        raise Refusal(
            f"Field `{name}` is an unsupported search field for resource `{resource}`. See "
            f"http://stripe.com/docs/search#query-fields-for-{resource} for a list of supported fields.",
            param="query",
        )
    value = re.sub(r"\\(.)", r"\1", match["text"]) if match["text"] is not None else match["bare"]
    absent = match["bare"] == "null" and operator == ":"
    if not absent and kind == "number":
        if operator == "~" or not re.fullmatch(r"-?\d+", value):
            raise Refusal(f"The field `{name}` takes a number.", param="query")
    elif not absent:
        if match["text"] is None:
            raise Refusal(f"The value of `{name}` must be in quotation marks.", param="query")
        if operator not in (":", "~"):
            raise Refusal(f"The operator `{operator}` does not work on the field `{name}`.", param="query")
        if operator == "~" and len(value) < 3:
            raise Refusal("Substring search needs at least 3 characters.", param="query")
    unescape = re.sub(r"\\(.)", r"\1", key) if key is not None else None
    return Clause(name, kind, unescape, operator, None if absent else value, match["no"] == "-")


def search(call: Exchange, resource: str) -> Json:
    """One page of matches, newest first; `next_page` is the cursor for the next."""
    clauses, any_of = parse(call.params["query"] or "", resource)
    found = [
        shape
        for shape in call.store.as_of(resource, call.search_moment)
        if (any if any_of else all)(clause.matches(shape) for clause in clauses)
    ]
    limit = call.params.get("limit", 10)
    start = _start(call.params.get("page"))
    more = len(found) > start + limit
    answer: Json = {
        "object": "search_result",
        "data": found[start : start + limit],
        "has_more": more,
        "next_page": base64.urlsafe_b64encode(f"from {start + limit}".encode()).decode() if more else None,
        "url": f"/v1/{resource}/search",
    }
    if "total_count" in call.params.get("expand", []):
        answer["total_count"] = len(found)
    return answer


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    match = re.fullmatch(r"from (\d+)", text)
    if match is None:
        raise Refusal("Invalid page: pass the next_page of a previous answer.", param="page")
    return int(match[1])

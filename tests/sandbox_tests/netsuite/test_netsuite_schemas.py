"""The record API against NetSuite's own schemas of 2026.1, where a copy lies beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.sandbox.http_messages import Request
from tests.sandbox.netsuite.records.property_names import RECORDS, line_properties, properties
from tests.sandbox.netsuite.records.refusals import Refused
from tests.sandbox.netsuite.records.request_body import read_body
from tests.sandbox_tests.netsuite.books import started
from tests.sandbox_tests.netsuite.conftest import StartAccount

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "netsuite" / "openapi"
SCHEMAS = {path.name.partition(".")[0]: path for path in SHARED.glob("*.2026.1.schema.json")}
SERVED = sorted(RECORDS & set(SCHEMAS))
present = pytest.mark.skipif(not SERVED, reason="no copy of NetSuite's schemas beside the repository")

STRICT = {"x-netsuite-propertynamevalidation": "Error"}


def schema(record: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMAS[record].read_text())
    return found


def sample(spec: dict[str, Any]) -> Any:
    """A value that the schema allows."""
    kind = spec["type"]
    if kind == "object":
        inner = spec.get("properties", {})
        if "items" in inner:
            lines = inner["items"].get("items", {}).get("properties")
            return {"items": [{name: sample(each) for name, each in lines.items()} if lines else {"anything": 1}]}
        if "id" in inner:
            return {"id": inner["id"].get("enum", ["5"])[0]}
        return {}
    formats = {"date": "2026-05-12", "date-time": "2026-05-12T10:00:00Z"}
    values = {"string": formats.get(spec.get("format", ""), "x"), "integer": 3, "number": 1.5, "boolean": True}
    return [] if kind == "array" else values[kind]


def request(body: dict[str, Any]) -> Request:
    return Request("POST", "/", headers=STRICT, body=json.dumps(body).encode())


@present
@pytest.mark.parametrize("record", SERVED)
def test_every_field_of_the_schema_is_taken(record: str) -> None:
    body = {name: sample(spec) for name, spec in schema(record)["properties"].items()}
    read = read_body(request(body), record, legacy_tax=False, flags_as_choice=False)
    assert set(read.fields) == set(body) - {"links"}
    assert read.unknown == []


@present
@pytest.mark.parametrize("record", SERVED)
def test_nothing_else_is_taken_in_the_header_or_in_a_line(record: str) -> None:
    specs = schema(record)["properties"]
    assert set(properties(record)) == set(specs) - {"links"}
    with pytest.raises(Refused, match="notAField"):
        read_body(request({"notAField": 1}), record, legacy_tax=False, flags_as_choice=False)
    for name, spec in specs.items():
        inner = spec.get("properties", {}).get("items", {}).get("items", {}).get("properties")
        if not inner:
            continue
        assert set(line_properties(record, name) or {}) == set(inner) - {"links"}, name
        with pytest.raises(Refused, match="notAField"):
            read_body(request({name: {"items": [{"notAField": 1}]}}), record, legacy_tax=False, flags_as_choice=False)


@present
@pytest.mark.parametrize("record", SERVED)
def test_a_value_of_another_kind_is_refused(record: str) -> None:
    wrong = {"string": 5, "integer": "x", "number": "x", "boolean": "x", "object": 5}
    for name, spec in schema(record)["properties"].items():
        if name == "links":
            continue
        with pytest.raises(Refused, match=name):
            read_body(request({name: wrong[spec["type"]]}), record, legacy_tax=False, flags_as_choice=False)


@present
def test_what_get_shows_fits_the_schemas(start_account: StartAccount) -> None:
    books = started(start_account, tax_mode="suitetax")
    account = {"id": str(books.accounts["Hosting Revenue"])}
    subsidiary = {"items": [{"id": "1"}]}
    item = {"itemId": "Gold", "incomeAccount": account, "subsidiary": subsidiary}
    books.account.write("POST", "serviceSaleItem", item)
    books.account.write("POST", "discountItem", {"itemId": "OFF", "account": account, "subsidiary": subsidiary})
    invoice = books.invoice(100, externalId="in_1", memo="Stripe: in_1", terms={"id": "1"})
    payment = books.payment(60, {invoice: 60}, externalId="ch_1")
    memo = books.memo(10, {invoice: 5})
    books.refund({memo: 5}, line=1)
    books.deposit([payment], fee=2, other={"items": [books.cash(1)]})
    seen = 0
    for record in SERVED:
        validator = Draft202012Validator(schema(record))
        for body in books.server.records(record):
            assert [(record, list(each.path), each.message) for each in validator.iter_errors(body)] == []
            seen += 1
    assert seen > 100

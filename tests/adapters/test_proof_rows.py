"""Which proofs there are, as rows: each day's, and the latest, which no older day takes back."""

from __future__ import annotations

from billing.adapters.dynamodb.items import to_item
from billing.adapters.dynamodb.proofs import KeptProof, ProofRows
from tests.adapters.aws_world import aws_world, client


def test_an_older_day_is_kept_and_never_becomes_the_latest() -> None:
    with aws_world():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="proofs",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        rows = ProofRows(dynamodb, "proofs")
        assert rows.latest() is None
        assert rows.of_day("2026-05-31") is None
        for day, previous in (("2026-05-30", ""), ("2026-05-31", "2026-05-30"), ("2026-05-31", "2026-05-30")):
            rows.keep(day, f"{day}.json", f"hash of {day}", previous, "2026-06-01T08:30:00+00:00")
        rows.keep("2026-05-01", "2026-05-01.json", "hash", "", "2026-06-01T09:00:00+00:00")
        assert rows.latest() == KeptProof("2026-05-31", "2026-05-31.json", "hash of 2026-05-31", "2026-05-30")
        assert rows.of_day("2026-05-01") == KeptProof("2026-05-01", "2026-05-01.json", "hash", "")
        stored = dynamodb.get_item(TableName="proofs", Key=to_item({"pk": "PROOF#2026-05-31"}))["Item"]
        assert "row_format" in stored

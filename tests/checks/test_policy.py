"""Each finding of checkov has a reason, each reason a finding. checkov itself runs in `make lint`."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.policy import asked, exceptions, judge, named_in, plain

TEXT = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
FOUND = [("CKV_1", "Ensure that it is encrypted", "LedgerTable"), ("CKV_1", "Ensure that it is encrypted", "RunsTable")]


def test_a_finding_without_a_reason_is_named_with_its_resource() -> None:
    (first, second) = judge(FOUND, {})
    assert first.startswith("template.yaml: LedgerTable: CKV_1: Ensure that it is encrypted. Mend it")
    assert "RunsTable" in second


def test_a_reason_for_all_and_one_for_some() -> None:
    assert judge(FOUND, {"CKV_1": "Encrypted by the service: see there."}) == []
    (left,) = judge(FOUND, {"CKV_1": "LedgerTable: encrypted by the service."})
    assert "RunsTable" in left
    assert judge(FOUND, {"CKV_1": "LedgerTable, RunsTable: encrypted by the service."}) == []


def test_a_reason_that_excuses_nothing_any_more_is_refused() -> None:
    (left,) = judge(FOUND, {"CKV_1": "So it is.", "CKV_2": "It was so once."})
    assert "PolicyExceptions has CKV_2, which finds nothing" in left
    (left,) = judge(FOUND, {"CKV_1": "LedgerTable, RunsTable, GoneTable: so it is."})
    assert "names GoneTable" in left


def test_every_exception_of_the_template_has_a_reason_and_names_what_is_there() -> None:
    made = plain(TEXT)["Resources"]
    reasons = exceptions(TEXT)
    assert reasons
    for check, reason in reasons.items():
        assert len(reason) > 60, check
        assert named_in(reason) <= set(made), check


def test_checkov_reads_everything_there_is_after_sam_and_with_the_settlement_on() -> None:
    resources = plain(TEXT)["Resources"]
    assert not [name for name, resource in resources.items() if "Condition" in resource]
    assert {"SettlementTable", "DraftTheInvoiceFunctionRole", "ApprovalDomain"} <= set(resources)


def test_a_checkov_that_says_nothing_is_no_pass(tmp_path: Path) -> None:
    silent = tmp_path / "checkov"
    silent.write_text('#!/bin/sh\necho \'{"passed": 0, "failed": 0}\'\n', encoding="utf-8")
    silent.chmod(0o755)
    with pytest.raises(RuntimeError, match="checkov"):
        asked(str(silent), tmp_path / "template.json")

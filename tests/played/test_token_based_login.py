"""Token-based authentication as the second way into NetSuite, chosen by what the secret holds."""

from __future__ import annotations

from tests.played.firm import firm, only, order
from tests.played.story import amounts, billed, deployed, live


def test_a_secret_with_tokens_bills_as_one_with_a_certificate_does() -> None:
    with deployed(firm([order(1)]), netsuite_auth="tba") as sandbox:
        assert billed(sandbox, only(1))[1].status == "SUCCEEDED"
        assert [amounts(invoice) for invoice in live(sandbox, 1)] == [[30000]]
        assert sandbox.netsuite.counts()["token"] == 0
        assert sandbox.netsuite.login_audit == []


def test_the_doctor_examines_a_secret_with_tokens_too() -> None:
    with deployed(firm([order(1)]), netsuite_auth="tba") as sandbox:
        answer = sandbox.invoke("ExamineTheSetupFunction", {})
        assert answer["ok"], "\n".join(answer["lines"])
        assert [one["check"] for one in answer["findings"] if one["verdict"] == "note"] == ["netsuite.login"]
        role = "ExamineTheSetupFunctionRole"
        assert [grant for grant in sandbox.unused_permissions() if grant[0] == role] == [], (
            "nor with the settlement off"
        )
        assert sandbox.denials == []

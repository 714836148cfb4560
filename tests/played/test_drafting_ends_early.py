"""Too many invoices that fail stop the drafting: Step Functions itself counts, under the deployed roles."""

from __future__ import annotations

from tests.played.firm import firm, order
from tests.played.story import SECONDS, billed, deployed, in_slack, live, stripe_error


def test_too_many_that_fail_stop_the_drafting_early_and_what_is_missing_is_drafted_by_a_redrive() -> None:
    parameters = {"ToleratedFailurePercentage": "25", "DraftConcurrency": "1"}
    with deployed(firm(order(place) for place in range(1, 7)), parameters=parameters) as sandbox:
        fault = sandbox.stripe.faults.add(
            method="POST", path="^/v1/invoices$", times=None, action=stripe_error("No.", code="parameter_invalid_empty")
        )
        run, result = billed(sandbox, {"period": "2026-05"})
        assert (result.status, result.error) == ("FAILED", "InvoicesMissing")
        assert fault.hits == 2
        assert "ToleratedFailurePercentage" in in_slack(sandbox, 1)
        assert (sandbox.report(run)["listed"], sandbox.report(run)["counts"]["failed"]) == (6, 6)
        sandbox.stripe.faults.clear()
        assert sandbox.wait_for_end(sandbox.redrive(run), SECONDS).status == "SUCCEEDED"
        assert len(live(sandbox)) == 6

"""Nobody else is billed: what an e-mail address alone says waits for a person, who settles it once for ever."""

from __future__ import annotations

import pytest
import stripe

from tests.played.firm import ANN, client, firm, order
from tests.played.story import SECONDS, asked, decided, deployed, live
from tests.sandbox import Run, Sandbox

FIELD = "custentity_stripe_id"
EVERYTHING = {"period": "2026-05"}


def customer(sandbox: Sandbox, name: str, email: str, netsuite_id: str | None = None) -> str:
    """A customer that the firm's Stripe account has had for long."""
    account = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.stripe.url})
    metadata = {"netsuite_customer_id": netsuite_id} if netsuite_id else {}
    made = account.v1.customers.create({"name": name, "email": email, "metadata": metadata})
    return str(made.id)


def codes(sandbox: Sandbox, run: Run) -> dict[str, str]:
    return {line["orders"][0]: line["code"] for line in sandbox.report(run)["lines"] if line["fate"] == "problem"}


def test_who_is_billed_is_certain_or_settled_by_a_person_for_ever() -> None:
    clients = [
        client(1),
        client(2),
        client(3),
        # Another client of the account with the same mailbox. It has no order, so it is in no batch.
        client(30, email="Payables3@zephyrine.example"),
        client(4, custom={FIELD: "cus_nobody"}),
    ]
    world = firm([order(place) for place in (1, 2, 3, 4)], clients)
    with deployed(world, parameters={"StripeIdField": FIELD}) as sandbox:
        sandbox.stripe.search_lag_seconds = 0
        ids = {str(row["entityid"]): str(row["id"]) for row in sandbox.netsuite.dump()["customer"]}
        first = customer(sandbox, "ZEPHYRINE WORKS 1, LIMITED", "PAYABLES1@Zephyrine.example")
        second = customer(sandbox, "Zephyrine Holdings", "payables2@zephyrine.example")
        customer(sandbox, "Zephyrine Works 3 Ltd", "payables3@zephyrine.example")
        other = customer(sandbox, "Zephyrine Works 30 Ltd", "elsewhere@zephyrine.example", ids["C-30"])
        sandbox.netsuite.set_customer("C-4", **{FIELD: other})

        run = sandbox.start(EVERYTHING)
        page = sandbox.person().open(sandbox.page_links(asked(sandbox, run)[0])[0])
        shown = f"{first} (ZEPHYRINE WORKS 1, LIMITED, PAYABLES1@Zephyrine.example), found by its e-mail address"
        assert shown in page.text
        assert decided(sandbox, run).status == "SUCCEEDED"
        assert [invoice["customer"] for invoice in live(sandbox)] == [first]
        assert codes(sandbox, run) == {
            "SO-2": "customer_name_differs",
            "SO-3": "customer_ambiguous",
            "SO-4": "customer_of_another",
        }
        asked_netsuite = [
            request
            for request in sandbox.requests
            if request.function == "MatchTheCustomersFunction" and "suiteql" in request.path
        ]
        assert len(asked_netsuite) == 1, "one question for all addresses"

        settle = {"netsuiteCustomer": ids["C-2"], "stripeCustomer": second, "by": ANN}
        with pytest.raises(Exception, match="metadata of"):
            sandbox.invoke("SettleTheCustomerFunction", {**settle, "stripeCustomer": other})
        with pytest.raises(Exception, match="no customer with the id"):
            sandbox.invoke("SettleTheCustomerFunction", {**settle, "netsuiteCustomer": "987654321"})
        for state in ("settled", "settled already"):
            assert sandbox.invoke("SettleTheCustomerFunction", settle)["state"] == state
        run = sandbox.start(EVERYTHING)
        page = sandbox.person().open(sandbox.page_links(asked(sandbox, run)[0])[0])
        shown = f"{second} (Zephyrine Holdings, payables2@zephyrine.example), settled by a person"
        assert shown in page.text
        assert decided(sandbox, run).status == "SUCCEEDED"
        assert sandbox.wait_for_end(run, SECONDS).status == "SUCCEEDED"
        assert [invoice["customer"] for invoice in live(sandbox, 2)] == [second]
        assert sorted(codes(sandbox, run)) == ["SO-3", "SO-4"]

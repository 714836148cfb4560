"""Orders and customers: find orphans, end a held order, settle who a customer is."""

from __future__ import annotations

from typing import Any, Final

import click

from oncall.choices import Choices, with_choices
from oncall.exits import Exit
from oncall.invocations import invoke

_PERSON: Final = "Your e-mail address; it stays on record."


@click.command()
@click.option("--since", required=True, metavar="YYYY-MM-DD", help="Invoices and ledger entries since this day.")
@click.option("--repair", is_flag=True, help="Write to the ledger what is certain; never to Stripe.")
@with_choices
def orphans(choices: Choices, since: str, repair: bool) -> Exit:
    """Compare Stripe's invoices with the ledger. Ends with 6 if something is left that differs."""
    terminal, stack = choices.terminal, choices.stack
    if repair:
        terminal.ask([f"Compares Stripe with the ledger since {since}, and writes to the ledger what is certain."])
    answer = invoke(stack, "FindTheOrphansFunction", {"since": since, "repair": repair})
    found: list[dict[str, Any]] = answer["orphans"]
    terminal.answer(answer)
    for one in found:
        mended = "repaired: " if one["repaired"] else "repairable: " if one["repairable"] else ""
        terminal.say(f"{one['kind']}  {mended}{one['message']}")
    counts = answer["counts"]
    terminal.say(
        f"{counts['invoices']} invoices, {counts['entries']} ledger entries, {counts['orphans']} differences, "
        f"{counts['repaired']} of them repaired."
    )
    return Exit.DIFFERS if any(not one["repaired"] for one in found) else Exit.DONE


@click.command("end-order")
@click.argument("order")
@click.option("--reason", required=True, help="Why nothing more is to be billed of it; it stays on record.")
@click.option("--by", required=True, metavar="ADDRESS", help=_PERSON)
@click.option("--cycle", help="Another billing cycle than the stack's own.")
@click.option("--open-again", is_flag=True, help="Take an ending back.")
@with_choices
def end_order(choices: Choices, order: str, reason: str, by: str, cycle: str | None, open_again: bool) -> Exit:
    """End an order (NetSuite's number or internal id) of which nothing more is to be billed."""
    terminal = choices.terminal
    event = {
        "order": order,
        "reason": reason,
        "by": by,
        **({"cycle": cycle} if cycle else {}),
        **({"open_again": True} if open_again else {}),
    }
    terminal.ask(
        [f"Opens {order} again: it comes back in the next run."]
        if open_again
        else [f"Ends {order}: no run bills it until it changes in NetSuite. The reason and your name stay on record."]
    )
    answer = invoke(choices.stack, "EndTheOrderFunction", event)
    terminal.answer(answer)
    terminal.say(str(answer["message"]))
    return Exit.DONE


@click.command("settle-customer")
@click.argument("netsuite_customer")
@click.argument("stripe_customer")
@click.option("--by", required=True, metavar="ADDRESS", help=_PERSON)
@with_choices
def settle_customer(choices: Choices, netsuite_customer: str, stripe_customer: str, by: str) -> Exit:
    """Say once which Stripe customer (cus_...) a NetSuite customer (internal id) is."""
    terminal = choices.terminal
    terminal.ask(
        [
            f"Says that NetSuite's customer {netsuite_customer} is {stripe_customer} in Stripe.",
            "The next run asks about the client's orders with this customer.",
        ]
    )
    answer = invoke(
        choices.stack,
        "SettleTheCustomerFunction",
        {"netsuiteCustomer": netsuite_customer, "stripeCustomer": stripe_customer, "by": by},
    )
    terminal.answer(answer)
    before = f" It was {answer['before']} before." if answer["before"] not in ("", stripe_customer) else ""
    terminal.say(f"{netsuite_customer} is {stripe_customer}: {answer['state']}.{before}")
    return Exit.DONE


COMMANDS: Final = (orphans, end_order, settle_customer)

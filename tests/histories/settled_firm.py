"""A firm whose settlement is on, with the items and accounts that its policies need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.histories.settling import SettlingWorld, settling_world
from tests.histories.small_firm import START
from tests.sandbox.netsuite import NetSuiteServer, load_world
from tests.sandbox.settlement import policies_for

PETTY_CASH = tuple(
    {"name": name, "type": "Bank", "currency": code}
    for name, code in (("Petty cash", "USD"), ("Petty cash EUR", "EUR"), ("Petty cash JPY", "JPY"))
)
"""Where money goes that Stripe did not process: an account of each currency."""
WORLD: dict[str, Any] = {
    "account": "1234567_SB1",
    "timeZone": "America/New_York",
    "currencies": [
        {"symbol": "USD", "name": "US Dollar"},
        {"symbol": "EUR", "name": "Euro", "exchangeRate": "1.10"},
        {"symbol": "JPY", "name": "Yen", "exchangeRate": "0.007"},
    ],
    "terms": [{"name": "Net 30", "daysUntilNetDue": 30}],
    "customers": [
        {"number": f"C-{place}", "name": f"Client {place} LLC", "email": f"ap@client{place}.example"}
        for place in (1, 2)
    ],
    "items": [
        {"name": "Consulting", "type": "Service"},
        {"name": "Other", "type": "Service"},
        {"name": "Coupon", "type": "Discount"},
        {"name": "Sales tax", "type": "OthCharge", "incomeAccount": "Sales Tax Payable"},
        {"name": "Freight", "type": "OthCharge", "incomeAccount": "Shipping Income"},
        {"name": "Bad debt", "type": "OthCharge", "incomeAccount": "Bad Debt Expense"},
    ],
    "accounts": [*PETTY_CASH]
    + [{"name": f"Checking {code}", "type": "Bank", "currency": code} for code in ("USD", "EUR", "JPY")],
    "orders": [],
}
MONEY_CHOICES = 'out_of_band = "payment_to_account"\nuncollectible = "bad_debt_item"'
TAXES = '[tax]\nmode = "item_lines"\n[tax.items]\nUS = "1004"'
ROLES = ("global", "one_time", "unlinked", "balance", "balance_debit", "partial_refund", "dispute", "custom_credit")


def items_of(netsuite: NetSuiteServer) -> dict[str, str]:
    """Internal ids of the items by name, in the order in which the world lists them."""
    return {str(each["name"]): str(1001 + place) for place, each in enumerate(WORLD["items"])}


def policies(netsuite: NetSuiteServer, choices: str = "", extra: str = "", subsidiary: str = "") -> str:
    """The policy file: one item for everything but discounts, tax, shipping and bad debt. `subsidiary` is the name of
    the one that the Stripe account belongs to."""
    items = items_of(netsuite)
    accounts = {str(one["acctName"]): str(one["id"]) for one in netsuite.records("account")}
    lines = ["[items]", *(f'{role} = "{items["Consulting"]}"' for role in ROLES)]
    lines += [
        f'discount = "{items["Coupon"]}"',
        f'shipping = "{items["Freight"]}"',
        f'bad_debt = "{items["Bad debt"]}"',
    ]
    others = {code: accounts[f"Petty cash {code.upper()}"] for code in ("eur", "jpy")}
    text = policies_for(netsuite, "\n".join([*lines, extra]), choices, subsidiary)
    outside = f'out_of_band = "{accounts["Petty cash"]}"\nfx = "{accounts["Realized Gain/Loss"]}"\n'
    for code, account in others.items():
        text = text.replace(f"[currencies.{code}]\n", f'[currencies.{code}]\nout_of_band = "{account}"\n')
    return text.replace("[accounts]\n", f"[accounts]\n{outside}").replace(
        "[accounts.fees]\n", f'[accounts.fees]\ndispute = "{accounts["Dispute Fees"]}"\n'
    )


@contextmanager
def settled_firm(
    orders: Sequence[dict[str, Any]] = (), choices: str = "", extra: str = "", **parameters: str
) -> Iterator[SettlingWorld]:
    """A world with these orders; `choices` and `extra` are lines of the policy file."""
    world = load_world({**WORLD, "orders": list(orders)})
    with settling_world(world, START, lambda netsuite: policies(netsuite, choices, extra), **parameters) as opened:
        yield opened

"""What an approver must see before the rows: how the batch differs from last month, what is not billed and why, and
what else about it is not as usual. Each group is one line that opens, and leads to its rows in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.batch.batch import BatchInvoice, totals
from billing.domain.batch.month_comparison import CLIENT_CHANGED, CLIENT_GONE, NEW_CLIENT, BatchWarning
from billing.domain.batch.upper_bounds import ABOVE_UPPER_BOUND
from billing.domain.ledger.ended_orders import EndedListed
from billing.domain.ledger.ledger import Disposition
from billing.domain.orders.sales_order import Problem
from billing.domain.period_name import period_name
from billing.domain.text import truncate
from billing.pages.approval.approval_view import order_numbers
from billing.pages.approval.batch_table import NEW_REASON, Item, Lookup, client_of
from billing.pages.approval.first_look import compared_words
from billing.pages.approval.table_choice import Choice, Show
from billing.pages.approval.unbilled import Cause, amount_of, causes, unbilled_sums
from billing.pages.formatting import counted, day_words, due_words, money_words, sums_words
from billing.pages.report.beside_the_listing import GONE_TITLE, OUTSTANDING_TITLE, gone_words, outstanding_words

MOST_ROWS: Final = 50
"""Of one group on the page; the rest is in the table and in the CSV."""
_MOST_OF_A_CAUSE: Final = 5
_MOST_NAMED: Final = 3
_LONGEST_NAME: Final = 22


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to be seen: whose, which order, how much, and what about it; and the link to its row in the table, ""
    where it has none."""

    client: str
    orders: str
    amount: str
    message: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind. `title` has their number, `lead` says the most of it in a few words, `meaning` what it means;
    `link` leads to them in the table, "" where they are in none. `tone` is "bad" (not billed), "warn" or "calm"."""

    id: str
    title: str
    lead: str
    meaning: str
    tone: str
    rows: tuple[Row, ...]
    more: int
    link: str = ""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Everything that is not billed: its number of orders, its sums in words, and its causes."""

    orders: int
    sums: str
    groups: tuple[Group, ...]


def unbilled(known: Lookup) -> Unbilled | None:
    """What is not billed, by cause; None if everything is."""
    found = causes(known.batch)
    if not found:
        return None
    items = [item for cause in found for item in cause.items]
    orders = {id_ for item in items for id_ in _ids(item)}
    return Unbilled(len(orders), _sums_words(*unbilled_sums(items)), tuple(map(_cause_group, found)))


def groups(known: Lookup) -> tuple[Group, ...]:
    """What else must be seen, the most telling first."""
    batch, today = known.batch, known.today
    drafts = batch.to_draft
    new = [invoice for invoice in drafts if invoice.customer is not None and invoice.customer.id is None]
    of_client: dict[str, list[BatchInvoice]] = {}
    for invoice in new:
        of_client.setdefault(invoice.plan.client.netsuite_id, []).append(invoice)
    asked_again = [i for i in drafts if i.disposition is Disposition.ASK and i.reason not in ("", NEW_REASON)]
    days = [(i, batch.days_of(i)) for i in drafts]
    candidates = (
        *_compared(known),
        _group(
            "carried",
            "Carried over",
            "An earlier run listed these orders and did not draft them.",
            [
                _row(i, f"First listed for {period_name(i.carried_from)}. {i.reason}".strip())
                for i in drafts
                if i.carried_from is not None
            ],
            show=Show.CARRIED,
            lead=_sums_of([i for i in drafts if i.carried_from is not None]),
        ),
        _group(
            "warnings",
            "With a note",
            "These invoices will be drafted as shown below. Please double-check them.",
            [_row(i, " ".join(w.message for w in i.plan.warnings)) for i in drafts if i.plan.warnings],
            show=Show.NOTE,
            lead=_sums_of([i for i in drafts if i.plan.warnings]),
        ),
        _group(
            "due-passed",
            "Due at once",
            "The due date by their terms has passed. Stripe takes none in the past: drafted today they are due today, "
            f"{day_words(today.isoformat())}, and drafted later on that later day.",
            [_row(i, due_words(i.plan.due, of, today) + ".") for i, of in days if of is not None and of.passed(today)],
            show=Show.DUE,
        ),
        _group(
            "again",
            "Asked again",
            "An approver has already seen these orders.",
            [_row(i, i.reason) for i in asked_again],
            show=Show.AGAIN,
        ),
        _group(
            "new-customers",
            "New in Stripe",
            "Stripe does not know these clients. Signing creates them.",
            [_customer_row(theirs) for theirs in of_client.values()],
            show=Show.NEW,
            lead=_named([theirs[0].plan.client.name for theirs in of_client.values()]),
        ),
        _group(
            "finished",
            "Approved earlier",
            "These were signed for in an earlier run that could not draft them.",
            [_row(i, i.reason) for i in drafts if i.disposition is Disposition.FINISH],
            tone="calm",
            show=Show.EARLIER,
        ),
        _group(
            "outstanding",
            OUTSTANDING_TITLE,
            "Nothing is drafted of these orders now. NetSuite does not list them as billable, or only in part, or our "
            "invoice bills something else: each line says which. They are named until they are drafted or ended.",
            [Row("", one.number, "", outstanding_words(one)) for one in batch.outstanding],
        ),
        _group(
            "carried-gone",
            GONE_TITLE,
            "Earlier runs listed these orders and did not draft them. They are not billed by this stack any more.",
            [Row("", gone.number, "", gone_words(gone)) for gone in batch.carried_gone],
            tone="calm",
        ),
        _group(
            "ended",
            "Ended by a person, and not billed",
            "Someone recorded that nothing more should be billed for these orders. They come back if they change.",
            [_ended_row(one) for one in batch.ended if one.first_named_in(batch.run.id)],
        ),
        _group(
            "skipped",
            "Already drafted",
            "An earlier run has drafted these, and something about them has changed since. They are not drafted again "
            "and not part of the totals.",
            [_row(i, i.reason) for i in batch.of(Disposition.SKIP)],
            tone="calm",
            show=Show.DONE,
        ),
    )
    return tuple(group for group in candidates if group.rows)


def _compared(known: Lookup) -> tuple[Group, ...]:
    """The warnings about the batch as a whole, by what they say."""
    batch = known.batch
    by_code: dict[str, list[BatchWarning]] = {}
    for warning in batch.warnings:
        by_code.setdefault(warning.code, []).append(warning)
    named = {one.plan.client.netsuite_id: one.plan.client.name for one in batch.to_draft}
    above, changed, new, gone = (
        by_code.pop(code, []) for code in (ABOVE_UPPER_BOUND, CLIENT_CHANGED, NEW_CLIENT, CLIENT_GONE)
    )
    rest = [warning for found in by_code.values() for warning in found]

    def rows(found: Sequence[BatchWarning]) -> list[Row]:
        return [Row("", "", "", said(one), _client_link(named.get(one.client or "", ""))) for one in found]

    def said(one: BatchWarning) -> str:
        words = compared_words(batch, one, period_name(batch.past.last_month)) if batch.past else one.message
        return words if words.endswith(".") else f"{words}."

    return (
        _group(
            "above",
            "Above the upper bound",
            "The firm has set a most for one invoice in this currency.",
            rows(above),
            show=Show.ABOVE,
            lead=_named([one.name or named.get(one.client or "", "") for one in above]),
        ),
        _group(
            "changed",
            "Changed",
            "Each client’s sum differs from last month’s by more than the firm’s limit, the largest change first.",
            rows(changed),
            show=Show.CHANGED,
            lead=_named(_changes(known, named, changed)),
        ),
        _group(
            "new-clients",
            "New",
            "These clients had nothing in this currency last month.",
            rows(new),
            show=Show.NEW,
            lead=_named([named.get(one.client or "", "") for one in new]),
        ),
        _group(
            "gone",
            "Gone",
            "These clients were billed last month and have nothing in this currency now. Is an order missing?",
            rows(gone),
            lead=_named([one.name or one.message.partition(": gone,")[0] for one in gone]),
        ),
        _group("compared", "The whole batch", "", rows(rest)),
    )


def _changes(known: Lookup, named: dict[str, str], changed: Sequence[BatchWarning]) -> list[str]:
    """ "+616% Northwind" for each client, the largest change of its own currencies."""
    found: list[str] = []
    for client in dict.fromkeys(one.client or "" for one in changed):
        against = [
            of
            for (whose, currency) in known.sums
            if whose == client and (of := known.against(client, currency)) is not None and of.last
        ]
        most = max(against, key=lambda of: abs(of.share), default=None)
        name = truncate(named.get(client, ""), _LONGEST_NAME)
        found.append(f"{most.words} {name}" if most else name)
    return found


def _named(names: Sequence[str]) -> str:
    """The first few names, and how many more."""
    names = list(dict.fromkeys(truncate(name, _LONGEST_NAME + 9) for name in names if name))
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _cause_group(cause: Cause) -> Group:
    rows = [
        Row(client_of(item), _numbers(item), _amount_words(item), _why(item), _order_link(_first_number(item)))
        for item in cause.items
    ]
    return Group(
        f"cause-{cause.code}",
        f"{cause.title} ({cause.orders:,})",
        _sums_words(cause.sums, cause.unknown),
        "",
        "bad",
        tuple(rows[:_MOST_OF_A_CAUSE]),
        max(0, len(rows) - _MOST_OF_A_CAUSE),
        Choice().link(show=str(Show.UNBILLED), cause=cause.code),
    )


def _sums_words(sums: Mapping[str, int], unknown: int) -> str:
    said = [sums_words(sums)] if sums else []
    if unknown:
        said.append(f"{counted(unknown, 'amount')} unknown")
    return ", ".join(said)


def _ids(item: Item) -> Sequence[str]:
    return [item.order_id] if isinstance(item, Problem) else [order.id for order in item.plan.orders]


def _numbers(item: Item) -> str:
    return item.order_number if isinstance(item, Problem) else order_numbers(item)


def _first_number(item: Item) -> str:
    return item.order_number if isinstance(item, Problem) else item.plan.orders[0].number


def _amount_words(item: Item) -> str:
    amount = amount_of(item)
    return money_words(amount[1], amount[0]) if amount else ""


def _why(item: Item) -> str:
    return item.message if isinstance(item, Problem) else item.reason


def _order_link(number: str) -> str:
    return Choice().link(query=number) if number else ""


def _client_link(name: str) -> str:
    return Choice().link(query=name) if name else ""


def _sums_of(invoices: Sequence[BatchInvoice]) -> str:
    return sums_words(totals(invoices), 4)


def _ended_row(one: EndedListed) -> Row:
    readable = one.currency is not None and one.total is not None
    amount = money_words(one.total or 0, one.currency or "") if readable else ""
    return Row(one.client, one.ended.number, amount, one.ended.words)


def _group(
    group_id: str,
    title: str,
    meaning: str,
    rows: Sequence[Row],
    *,
    tone: str = "warn",
    show: Show | None = None,
    lead: str = "",
) -> Group:
    return Group(
        group_id,
        f"{title} ({len(rows):,})",
        lead,
        meaning,
        tone,
        tuple(rows[:MOST_ROWS]),
        max(0, len(rows) - MOST_ROWS),
        Choice().link(show=str(show)) if show else "",
    )


def _row(invoice: BatchInvoice, message: str) -> Row:
    plan = invoice.plan
    amount = money_words(invoice.total, plan.currency)
    return Row(plan.client.name, order_numbers(invoice), amount, message, _order_link(_first_number(invoice)))


def _customer_row(theirs: Sequence[BatchInvoice]) -> Row:
    client = theirs[0].plan.client
    return Row(
        client.name,
        ", ".join(order_numbers(invoice) for invoice in theirs),
        sums_words(totals(theirs)),
        f"Created with the e-mail address {client.email}" if client.email else "Created without an e-mail address",
        _order_link(_first_number(theirs[0])),
    )

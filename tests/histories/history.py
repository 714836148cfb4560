"""One firm's months, made from a number: what people do in NetSuite, on the approval page and in Stripe, and runs that
are killed, redriven and started twice. The same number gives the same months.

Drawn as well, apart from what people do, so that leaving an action out moves nothing else: the stack's parameters
(grouping, look, what becomes of drafts that nobody signed for again) and whether the settlement is on.

`Played.trace` says in words what was done, `Played.broken` which promises were broken. A world that is not yet promised
is switched off by leaving its action out of `actions`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.histories import settled_firm
from tests.histories.books import BILLABLE, OVER, Books, OrderBook, OrderedLine, Standing, shares_of
from tests.histories.lives import Chaos
from tests.histories.machine import Execution
from tests.histories.promises import (
    Evidence,
    RunEnded,
    Signed,
    billed_twice,
    broken_promises,
    named_as_open,
    out_of_sight,
    signed_on,
)
from tests.histories.settling import SettlingWorld, settling_world
from tests.histories.template_world import NOT_HERE, TemplateWorld, parameters_of
from tests.histories.world import ANN, BOB, HistoryWorld, Kill, history_world
from tests.sandbox import Sandbox
from tests.sandbox.faults import Answer, DropAfter
from tests.sandbox.netsuite import load_world, unexpected_error_fault

CLIENTS = {f"C-{number}": f"ap@client{number}.example" for number in range(1, 5)}
RATES = (10_000, 12_500, 20_000)
TAXES = (0, 5, 20)
_DOWN = Answer(500, b"{}")
FAULTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "stripe",
        "a draft's creation is never answered",
        {"action": DropAfter(), "method": "POST", "path": "/v1/invoices$"},
    ),
    ("stripe", "no draft can be created", {"action": _DOWN, "method": "POST", "path": "/v1/invoices$"}),
    ("stripe", "no lines can be added", {"action": _DOWN, "path": "/add_lines$"}),
    ("stripe", "lines are added and nobody hears", {"action": DropAfter(), "path": "/add_lines$"}),
    ("stripe", "no invoice can be read back", {"action": _DOWN, "method": "GET", "path": r"/v1/invoices/in_\w+"}),
    ("stripe", "no customer can be read", {"action": _DOWN, "method": "GET", "path": "/v1/customers"}),
    ("netsuite", "NetSuite is down", {"action": unexpected_error_fault(), "path": "suiteql"}),
    ("slack", "Slack is down", {"action": _DOWN}),
)
FIRST = (2026, 1)
"""The first month that is billed."""


@dataclass
class Played:
    """What a history came to. `records` are NetSuite's transactions that the settlement wrote."""

    seed: int
    trace: list[str]
    broken: list[str]
    runs: int = 0
    drafts: int = 0
    records: int = 0

    def story(self) -> str:
        """For a person who has to understand it."""
        return "\n".join([f"history {self.seed}", *self.trace, "", *self.broken])


def play(
    seed: int,
    actions: Sequence[str] | None = None,
    months: int = 5,
    orders: int = 4,
    **parameters: str,
) -> Played:
    """Play a history. It stops at the month in which a promise was broken. `actions` are names out of `ACTIONS`, all
    without it; `parameters` are the template's, over those that are drawn."""
    chosen = tuple(actions or ACTIONS)
    given = {**drawn_parameters(seed, chosen), **parameters}
    world = load_world(firm())
    year, month = FIRST
    begins = datetime(year, month, 10, 12, tzinfo=UTC)
    if given.get("Settlement") == "on":
        with settling_world(world, begins, settled_firm.policies, **given) as settling:
            return _History(settling.world, seed, chosen, settling=settling).play(months, orders, given)
    with history_world(world, begins, **given) as opened:
        return _History(opened, seed, chosen).play(months, orders, given)


def play_on_template(
    seed: int, actions: Sequence[str] | None = None, months: int = 2, orders: int = 3, **parameters: str
) -> Played:
    """The same history through the deployed template, as far as it can be played there."""
    chosen = tuple(name for name in actions or ACTIONS if name not in NOT_HERE)
    drawn = drawn_parameters(seed, tuple(actions or ACTIONS))
    given = {**drawn, "Settlement": "off", **parameters}
    year, month = FIRST
    begins = datetime(year, month, 10, 12, tzinfo=UTC)
    with Sandbox(load_world(firm()), parameters_of(given), now=begins, retry_delay_scale=0.02) as sandbox:
        return _History(TemplateWorld(sandbox, given), seed, chosen).play(months, orders, given)


def drawn_parameters(seed: int, actions: Sequence[str]) -> dict[str, str]:
    """The stack of a history, by its number."""
    drawn = random.Random(f"{seed} parameters")
    look = {
        "InvoiceGrouping": drawn.choice(["order", "client"]),
        "LineStyle": drawn.choice(["amount", "quantity"]),
        "UnsignedDrafts": drawn.choice(["hold", "hold", "delete"]),
        "PreviewPartlyBilled": drawn.choice(["off", "on"]),
    }
    settlement = "on" if drawn.random() < 0.4 and "settlement" in actions else "off"
    return {**(look if "parameters" in actions else {}), "Settlement": settlement}


def firm() -> dict[str, Any]:
    """Four clients and no order, with the items and accounts that the settlement's policies name."""
    return {
        **settled_firm.WORLD,
        "terms": [{"name": "Net 30", "daysUntilNetDue": 30}, {"name": "Net 10", "daysUntilNetDue": 10}],
        "customers": [
            {"number": number, "name": f"Client {number[2:]} LLC", "email": email} for number, email in CLIENTS.items()
        ],
        "taxCodes": [{"name": f"Tax {rate}", "rate": rate} for rate in TAXES if rate],
        "orders": [],
    }


@dataclass
class _History:
    world: HistoryWorld | TemplateWorld
    seed: int
    actions: tuple[str, ...]
    books: Books = field(default_factory=Books)
    trace: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    signed: dict[str, Signed] = field(default_factory=dict)
    ended: list[RunEnded] = field(default_factory=list)
    edited: set[str] = field(default_factory=set)
    starts: int = 0
    told_posts: int = 0
    told_mails: int = 0
    settling: SettlingWorld | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.chaos = Chaos(random.Random(f"{self.seed} events"), loses=0.2)

    # The months.

    def play(self, months: int, orders: int, parameters: Mapping[str, str]) -> Played:
        self.say(" ".join(f"{name}={value}" for name, value in parameters.items()))
        for _ in range(orders):
            self.enter(self.month_of(0))
        for number in range(months):
            self.month(number)
            if self.broken:
                break
        records = len(self.settling.transactions()) if self.settling is not None else 0
        return Played(self.seed, self.trace, self.broken, len(self.ended), len(self.world.stripe.invoices()), records)

    def month(self, number: int) -> None:
        """Work in the month, then its run on the first of the next."""
        self.say(f"-- {self.month_of(number)}")
        for _ in range(self.random.randint(0, 2)):
            if number:
                self.enter(self.month_of(number))
        self.work(self.random.randint(0 if not number else 1, 5))
        if "skip the month" in self.actions and number and self.chance(0.1):
            self.say("no run this month")
            self.settle_all()
            return
        year, month = FIRST
        moment = datetime(year, month, 1, 14, 30, tzinfo=UTC)
        for _ in range(number + 1):
            moment = (moment + timedelta(days=32)).replace(day=1)
        self.settle_all()
        self.world.clock.move_to(moment)
        self.run(number, moment)

    def month_of(self, number: int) -> str:
        year, month = FIRST
        years, months = divmod(month - 1 + number, 12)
        return f"{year + years}-{months + 1:02d}"

    def work(self, times: int) -> None:
        """What people do in NetSuite and Stripe."""
        mine = [name for name in self.actions if name in WORK]
        for _ in range(times if mine else 0):
            WORK[self.random.choice(mine)](self)
            self.settle_some()

    # The settlement.

    def settle_some(self) -> None:
        """Some of what happened in Stripe is told, in any order, lost or repeated, to workers of whom some die."""
        if self.settling is None:
            return
        kill, self.world.kill = self.world.kill, None
        chosen = self.chaos.chosen
        self.chaos.take(self.settling.new_events())
        self.settling.tell(self.chaos.some())
        if chosen.random() < 0.2:
            self.world.kill = Kill(chosen.randint(1, 60), chosen.random() < 0.5, whole_run=False)
        if chosen.random() < 0.7:
            self.settling.work()
        self.world.kill = kill
        self.follow_netsuite()

    def settle_all(self) -> None:
        """Rest, after a night or two: what waits is told, the sweep finds what was lost and takes over from whoever
        died."""
        if self.settling is None:
            return
        self.settling.tell(self.chaos.some())
        self.settling.work()
        self.settling.new_events()
        for _ in range(3):
            self.world.clock.pause(1_200)
            self.settling.sweep(since=(self.world.clock.now() - timedelta(days=29)).date().isoformat())
            self.settling.settle()
            if not self.settling.parked():
                break
        self.follow_netsuite()

    def follow_netsuite(self) -> None:
        """The settlement bills orders in NetSuite as an accountant does: Stripe's hours, so they are there once."""
        for key, book in self.books.orders.items():
            if book.gone:
                continue
            source = self.source(key)
            hours = {str(one["description"]).split()[0]: int(one.get("billed") or 0) for one in source["lines"]}
            for line in book.lines:
                more = hours.get(f"W{key}-{line.number}", 0) - line.billed
                if more > 0:
                    self.books.bill_in_netsuite(key, line.number, more, self.invoices())
            book.status = str(source["status"])

    # A run.

    def run(self, number: int, moment: datetime) -> None:
        """The month's run, killed and redriven as it comes, and what has to be true when it has ended."""
        expected = set(self.has_to_see(number))
        self.starts += 1
        given: dict[str, Any] = {"scheduledAt": moment.strftime("%Y-%m-%dT14:00:00Z")}
        if "kill" in self.actions and self.chance(0.4):
            at, after, whole = self.random.randint(1, 120), self.chance(0.5), self.chance(0.5)
            self.world.kill = Kill(at, after, whole)
        if "fault" in self.actions and self.chance(0.3):
            self.break_something()
        self.say(f"run-{self.starts} starts")
        listing = self.listing()
        meddled: set[int] = set()
        if "meddle" in self.actions and self.chance(0.3):
            self.meddle_at(self.random.randint(1, 150), meddled)
        run = self.world.start(f"run-{self.starts}", given)
        meddled |= self.through(run)
        self.world.between = lambda: None
        expected -= meddled
        self.nothing_twice(listing, meddled)
        for _ in range(3):
            if run.status != "ABORTED" and not (run.status == "FAILED" and self.chance(0.6)):
                break
            later = self.random.choice([0, 0, 25, 24 * 9])
            self.world.clock.pause(later * 3600)
            self.say(f"{run.status} in {run.at!r} ({run.error} {run.cause[:160]}); redriven {later} hours later")
            if self.chance(0.7):
                self.mend()
            # Redriven at once, a Map relies on the check of minutes ago: what people change in that time is held by no
            # promise (docs/decisions/0010).
            may_change = later > 0 or run.status == "FAILED"
            if "change before the redrive" in self.actions and self.chance(0.5) and may_change:
                expected -= self.changed_by(lambda: self.work(1))
            listing = self.listing()
            self.world.machine.redrive(run)
            expected -= self.through(run)
            self.nothing_twice(listing)
        if self.world.kill is not None and self.world.kill.struck:
            self.say(f"(killed at call {self.world.kill.at})")
        self.world.kill = None
        self.mend()
        self.say(f"{run.name} ended: {run.status} {run.error}")
        self.check(run, expected)

    def break_something(self) -> None:
        """One kind of call goes wrong from some call on, until somebody mends it."""
        service, words, fault = self.random.choice(FAULTS)
        skip, times = self.random.randint(0, 3), self.random.choice([1, None, None])
        server = {"stripe": self.world.stripe, "netsuite": self.world.netsuite, "slack": self.world.slack}[service]
        server.faults.add(skip=skip, times=times, **fault)
        self.say(f"from now on {words} ({'once' if times else 'always'}, after {skip} calls)")

    def mend(self) -> None:
        for server in (self.world.stripe, self.world.netsuite, self.world.slack):
            server.faults.clear()

    def listing(self) -> tuple[Books, dict[int, Standing]]:
        """The orders as a run lists them, and how they stand against Stripe before it."""
        books = self.books.copy()
        return books, books.standings(self.invoices())

    def meddle_at(self, call: int, touched: set[int]) -> None:
        """At the run's k-th call that leaves a function, before it is made, somebody changes something."""
        calls = 0
        possible = [name for name in self.actions if name in WORK and name not in NOT_MEANWHILE]

        def between() -> None:
            nonlocal calls
            calls += 1
            if calls == call and possible:
                self.say(f"(meanwhile, in {self.world.function}:)")
                touched.update(self.changed_by(lambda: WORK[self.random.choice(possible)](self)))

        self.world.between = between

    def nothing_twice(self, listing: tuple[Books, dict[int, Standing]], touched: Collection[int] = ()) -> None:
        """`touched` are orders that changed while the run listed or drafted: it may have seen either."""
        books, were = listing
        after, now = books.standings(self.invoices()), self.books.standings(self.invoices())
        seen = {key: one for key, one in after.items() if key not in touched or now[key].gap < 0}
        self.broken += billed_twice(were, seen)

    def changed_by(self, work: Callable[[], None]) -> set[int]:
        """The orders that people touched, in NetSuite or in Stripe."""

        def seen() -> dict[int, str]:
            alive = self.books.alive(self.invoices())
            return {key: f"{self.source(key)} {alive.get(key)}" for key in self.books.orders}

        was = seen()
        work()
        return {key for key, now in seen().items() if was.get(key) != now}

    def through(self, run: Execution) -> set[int]:
        """Answer whatever the run asks until it has ended. Answers the orders that people changed meanwhile."""
        touched: set[int] = set()
        waits = 0
        while run.waits:
            waits += 1
            if waits == 1 and "start twice" in self.actions and self.chance(0.15):
                self.second_start(run)
            if waits == 1 and "change while it waits" in self.actions and self.chance(0.3):
                touched |= self.changed_by(lambda: self.work(1))
            self.answer(run)
        return touched

    def answer(self, run: Execution) -> None:
        """Hold, approve or reject what is asked, or let it expire."""
        how = self.random.choices(["approve", "reject", "expire", "hold"], [12, 1, 1, 2])[0]
        if how != "approve" and how not in self.actions:
            how = "approve"
        request = run.data["matched"]
        batch = self.world.file_bytes(request["batchKey"])
        plans = [one for one in json.loads(batch)["invoices"] if one["disposition"] in ("ask", "finish")]
        if how == "expire":
            self.say("nobody answers")
            self.world.clock.pause(8 * 86_400)
            self.world.machine.time_out(run)
            return
        if how == "reject":
            self.say("rejected")
            self.post(ANN, answer="reject", number=str(len(plans)), reason="Not this month.")
            self.world.machine.go_on(run)
            return
        held = self.hold(plans) if how == "hold" else []
        if not run.waits:
            # A hold of what was signed before wakes the run, which asks on.
            self.world.machine.go_on(run)
        if not run.waits:
            return
        self.post(ANN, answer="approve", invoices=str(len(plans) - len(held)))
        self.signed.update(signed_on(batch, request["sha256"], held))
        self.world.machine.go_on(run)

    def hold(self, plans: list[dict[str, Any]]) -> list[str]:
        """Hold one order back with all that is billed together with it; answers the plans' keys."""
        number = self.random.choice(_numbers(self.random.choice(plans)))
        together = {other for one in plans if number in _numbers(one) for other in _numbers(one)}
        held = [one["plan"]["key"] for one in plans if together & set(_numbers(one))]
        if len(held) == len(plans):
            return []
        self.post(BOB, answer="hold", order=number, reason="Hours are not final.", together=str(len(together)))
        self.say(f"{number} is held back")
        return held

    def post(self, person: str, **form: str) -> None:
        """A person who sees an error presses the button again."""
        statuses = [self.world.post(person, **form)]
        if statuses[-1] >= 500:
            statuses.append(self.world.post(person, **form))
        assert statuses[-1] == 200, f"{form} was answered {statuses}"

    def second_start(self, first: Execution) -> None:
        self.starts += 1
        again = self.world.start(f"run-{self.starts}", first.given)
        self.say(f"run-{self.starts} starts while {first.name} waits: {again.at}")
        # A person may stop this one, too, if that is what is due now.
        stopped = again.status == "ABORTED" and self.world.kill is not None and self.world.kill.struck
        assert again.status == "SUCCEEDED" or stopped, f"seed {self.seed}: {again.status} {again.error} {again.cause}"

    # What has to be true at a month's end.

    def has_to_see(self, number: int) -> list[int]:
        """The orders that a run has to see: what may be billed and is dated before the end of the month, what was open
        when the last run ended, and what lies in Stripe of an order that is over. What waits for approval in NetSuite
        and was billed as it was then is nobody's business yet.
        """
        end = f"{self.month_of(number)}-99"
        standings = self.books.standings(self.invoices())
        return [
            key
            for key, order in self.books.orders.items()
            if (order.status in BILLABLE and order.day <= end and not order.gone)
            or order.was_open
            or ((order.gone or order.status in OVER) and standings[key].gap < 0)
        ]

    def check(self, run: Execution, expected: set[int]) -> None:
        self.settle_all()
        invoices = self.invoices()
        report = self.world.report(run)
        told = (*self.posts(), *self.sent())
        self.ended.append(RunEnded(run.name, run.status, report, told=tuple(told)))
        # What a person edited is no longer what was signed, and that is theirs.
        ours = [one for one in invoices if one["id"] not in self.edited]
        settled = self.settling.settled() if self.settling is not None else None
        self.broken += broken_promises(Evidence(ours, self.signed, [self.ended[-1]], settled))
        if report is None or report["outcome"] == "stopped by an error":
            self.say(f"{run.name} could not list: {run.error} {run.cause[:200]}")
            return
        standings = self.books.standings(invoices)
        self.broken += out_of_sight(standings, expected, named_as_open(report))
        for key in expected:
            self.books.orders[key].was_open = standings[key].gap != 0 or standings[key].moved
        for line in report["lines"]:
            self.say(f"   {line['fate']} {','.join(line['orders'])} {line['total']} {line['reason'][:230]}")

    def posts(self) -> list[str]:
        new = self.world.slack.posts[self.told_posts :]
        self.told_posts += len(new)
        return [f"{post.text} {json.dumps(post.blocks)}" for post in new]

    def sent(self) -> list[str]:
        new = self.world.mails[self.told_mails :]
        self.told_mails += len(new)
        return [mail.text for mail in new if mail.to == "owner@firm.example"]

    # People.

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def say(self, words: str) -> None:
        self.trace.append(words)

    def invoices(self) -> list[dict[str, Any]]:
        return list(self.world.stripe.invoices())

    def source(self, key: int) -> Any:
        book = self.books.orders[key]
        return None if book.gone else self.world.netsuite.order_json(book.number)

    def enter(self, month: str, status: str = "F", lines: int = 0) -> OrderBook:
        key = 101 + len(self.books.orders)
        client = self.random.choice(list(CLIENTS))
        tax = "taxes" in self.actions
        many = lines or self.random.randint(1, 2)
        book = OrderBook(
            key,
            CLIENTS[client],
            "USD",
            f"{month}-{self.random.randint(1, 28):02d}",
            status,
            [
                OrderedLine(
                    number + 1,
                    self.random.randint(1, 3) * 4,
                    self.random.choice(RATES),
                    self.random.choice(TAXES) if tax else 0,
                )
                for number in range(many)
            ],
        )
        self.books.orders[key] = book
        self.world.netsuite.add_order(
            {
                "number": book.number, "status": status, "date": book.day, "customer": client, "currency": "USD",
                "terms": "Net 30", "lines": [self.line_source(key, line) for line in book.lines],
            }
        )  # fmt: skip
        self.say(f"{book.number} is entered for {book.client}, dated {book.day}: {_lines(book)}")
        return book

    @staticmethod
    def line_source(key: int, line: OrderedLine) -> dict[str, object]:
        return {
            "item": "Consulting",
            "description": f"W{key}-{line.number} work",
            "quantity": line.quantity,
            "rate": f"{line.rate / 100:.2f}",
            **({"taxCode": f"Tax {line.tax_percent}"} if line.tax_percent else {}),
        }

    def line_id(self, book: OrderBook, line: OrderedLine) -> int:
        """The line's id in NetSuite, which counts other lines as well."""
        (found,) = [
            one["id"]
            for one in self.source(book.order)["lines"]
            if one["description"].startswith(f"W{book.order}-{line.number} ")
        ]
        return int(found)

    def pick(self, fits: Callable[[OrderBook], bool]) -> OrderBook | None:
        found = [order for order in self.books.orders.values() if not order.gone and fits(order)]
        return self.random.choice(found) if found else None

    def set_status(self, book: OrderBook, status: str) -> None:
        book.status = status
        self.world.netsuite.set_status(book.number, status)

    def status_follows(self, book: OrderBook) -> None:
        """As NetSuite does: Billed when nothing is left, Pending Billing when something is."""
        left = any(line.open_hours > 0 for line in book.lines)
        wanted = "F" if left else "G"
        if book.status in ("F", "G") and wanted != book.status:
            self.set_status(book, wanted)


def _numbers(invoice: dict[str, Any]) -> list[str]:
    return [order["number"] for order in invoice["plan"]["orders"]]


def _lines(book: OrderBook) -> str:
    return ", ".join(f"{line.quantity} h at {line.rate}" for line in book.lines)


def _working(book: OrderBook) -> bool:
    return book.status in ("F", "G")


# What people do in NetSuite.


def enter_late(it: _History) -> None:
    """An order that is dated into a month that was billed already."""
    it.enter(it.month_of(0))


def approve_late(it: _History) -> None:
    """An order that waits for approval in NetSuite, or is approved there."""
    waiting = it.pick(lambda order: order.status == "A")
    if waiting is None:
        it.enter(it.month_of(0), status="A")
        return
    it.set_status(waiting, "F")
    it.say(f"{waiting.number} is approved in NetSuite")


def extend(it: _History) -> None:
    book = it.pick(_working)
    growing = [one for one in book.lines if not one.closed] if book else []
    if book is None or not growing:
        return
    line = it.random.choice(growing)
    line.quantity += it.random.randint(1, 3) * 4
    it.world.netsuite.edit_line(book.number, it.line_id(book, line), quantity=line.quantity)
    it.status_follows(book)
    it.say(f"{book.number} line {line.number} grows to {line.quantity} h")


def add_a_line(it: _History) -> None:
    book = it.pick(_working)
    if book is None:
        return
    added = OrderedLine(
        max(line.number for line in book.lines) + 1, 4, it.random.choice(RATES), book.lines[0].tax_percent
    )
    source = it.source(book.order)
    book.lines.append(added)
    it.world.netsuite.edit_order(book.number, lines=[*source["lines"], it.line_source(book.order, added)])
    it.status_follows(book)
    it.say(f"{book.number} gets line {added.number}: 4 h at {added.rate}")


def reduce(it: _History) -> None:
    book = it.pick(lambda order: _working(order) and any(line.open_hours >= 4 for line in order.lines))
    if book is None:
        return
    line = next(one for one in book.lines if one.open_hours >= 4)
    if line.quantity <= 4:
        return
    line.quantity -= 4
    it.world.netsuite.edit_line(book.number, it.line_id(book, line), quantity=line.quantity)
    it.status_follows(book)
    it.say(f"{book.number} line {line.number} shrinks to {line.quantity} h")


def reprice(it: _History) -> None:
    book = it.pick(lambda order: order.status == "F" and all(not line.billed for line in order.lines))
    if book is None:
        return
    line = it.random.choice(book.lines)
    line.rate = it.random.choice([rate for rate in RATES if rate != line.rate])
    it.world.netsuite.edit_line(book.number, it.line_id(book, line), rate=f"{line.rate / 100:.2f}")
    it.say(f"{book.number} line {line.number} now costs {line.rate} an hour")


def move(it: _History) -> None:
    """To another client."""
    book = it.pick(lambda order: order.status == "F" and all(not line.billed for line in order.lines))
    if book is None:
        return
    client = it.random.choice([number for number, email in CLIENTS.items() if email != book.client])
    book.client = CLIENTS[client]
    it.world.netsuite.edit_order(book.number, customer=client)
    it.say(f"{book.number} moves to {book.client}")


def change_currency(it: _History) -> None:
    book = it.pick(lambda order: order.status == "F" and all(not line.billed for line in order.lines))
    if book is None:
        return
    book.currency = "EUR" if book.currency == "USD" else "USD"
    it.world.netsuite.edit_order(book.number, currency=book.currency)
    it.say(f"{book.number} is now in {book.currency}")


def change_terms(it: _History) -> None:
    book = it.pick(_working)
    if book is not None:
        terms = it.random.choice(["Net 10", "Net 30", None])
        it.world.netsuite.edit_order(book.number, terms=terms)
        it.say(f"{book.number} has the terms {terms}")


def bill_in_netsuite(it: _History) -> None:
    """An accountant invoices hours there, some or all."""
    book = it.pick(lambda order: order.status == "F" and any(line.open_hours > 0 for line in order.lines))
    if book is None:
        return
    line = it.random.choice([one for one in book.lines if one.open_hours > 0])
    hours = line.open_hours if it.chance(0.5) else max(1, line.open_hours // 2)
    it.books.bill_in_netsuite(book.order, line.number, hours, it.invoices())
    it.world.netsuite.bill(book.number, it.line_id(book, line), hours)
    it.status_follows(book)
    it.say(f"{book.number} line {line.number}: {hours} h are billed in NetSuite")


def close_a_line(it: _History) -> None:
    book = it.pick(lambda order: order.status == "F" and sum(not line.closed for line in order.lines) > 1)
    if book is None:
        return
    line = it.random.choice([one for one in book.lines if not one.closed])
    line.closed = True
    it.world.netsuite.close_line(book.number, it.line_id(book, line))
    it.status_follows(book)
    it.say(f"{book.number} line {line.number} is closed")


def close_the_order(it: _History) -> None:
    book = it.pick(lambda order: order.status == "F")
    if book is not None:
        it.set_status(book, "H")
        it.say(f"{book.number} is closed")


def cancel_the_order(it: _History) -> None:
    book = it.pick(lambda order: order.status == "F" and all(not line.billed for line in order.lines))
    if book is not None:
        it.set_status(book, "C")
        it.say(f"{book.number} is cancelled")


def back_to_approval(it: _History) -> None:
    """Its status goes back to Pending Approval, as after an edit in an account with approval routing."""
    book = it.pick(lambda order: order.status == "F")
    if book is not None:
        it.set_status(book, "A")
        it.say(f"{book.number} waits for approval in NetSuite again")


def remove_a_line(it: _History) -> None:
    book = it.pick(lambda order: _working(order) and sum(not line.billed for line in order.lines) > 1)
    if book is None or len(book.lines) < 2:
        return
    gone = it.random.choice([line for line in book.lines if not line.billed])
    source = it.source(book.order)
    book.lines.remove(gone)
    it.world.netsuite.edit_order(
        book.number, lines=[one for one in source["lines"] if one["id"] != it.line_id(book, gone)]
    )
    it.status_follows(book)
    it.say(f"{book.number} loses line {gone.number}")


def big_order(it: _History) -> None:
    """One of 260 lines, which takes two invoices; later it shrinks to 100."""
    big = it.pick(lambda order: len(order.lines) > 250)
    if big is None:
        it.enter(it.month_of(0), lines=260)
        return
    if not _working(big) or any(line.billed for line in big.lines):
        return
    source = it.source(big.order)
    big.lines = big.lines[:100]
    it.world.netsuite.edit_order(big.number, lines=source["lines"][:100])
    it.say(f"{big.number} shrinks to 100 lines")


def delete_the_order(it: _History) -> None:
    book = it.pick(lambda order: all(not line.billed for line in order.lines))
    if book is not None:
        it.world.netsuite.delete_order(book.number)
        book.gone = True
        it.say(f"{book.number} is deleted in NetSuite")


# What people do in Stripe.


def _of_stripe(it: _History, *statuses: str) -> dict[str, Any] | None:
    found = [one for one in it.invoices() if one["status"] in statuses]
    return it.random.choice(found) if found else None


def _named(invoice: dict[str, Any]) -> str:
    return f"{invoice['id']} of {invoice['metadata']['netsuite_so_number']}"


def edit_a_draft(it: _History) -> None:
    """A person gives a client something off. What is billed differently from then on is that person's decision."""
    draft = _of_stripe(it, "draft")
    if draft is None or not draft["lines"]["data"] or draft["id"] in it.books.frozen:
        return
    it.books.frozen[draft["id"]] = shares_of(draft)
    line = draft["lines"]["data"][0]
    it.world.stripe.edit_line(draft["id"], line["id"], amount=line["amount"] - 100)
    it.edited.add(draft["id"])
    it.say(f"a line of the draft {_named(draft)} is lowered by 1.00 in Stripe")


def delete_a_draft(it: _History) -> None:
    draft = _of_stripe(it, "draft")
    if draft is not None:
        it.world.stripe.delete(draft["id"])
        it.books.settle(it.invoices())
        it.say(f"the draft {_named(draft)} is deleted in Stripe")


def finalise(it: _History) -> None:
    draft = _of_stripe(it, "draft")
    if draft is not None and draft["lines"]["data"]:
        it.world.stripe.finalise(draft["id"])
        it.say(f"{_named(draft)} is finalised")


def void(it: _History) -> None:
    sent = _of_stripe(it, "open")
    if sent is not None:
        it.world.stripe.void(sent["id"])
        it.books.settle(it.invoices())
        it.say(f"{_named(sent)} is voided")


def pay(it: _History) -> None:
    sent = _of_stripe(it, "open")
    if sent is not None:
        it.world.stripe.pay(sent["id"])
        it.say(f"{_named(sent)} is paid")


def refund(it: _History) -> None:
    """Half of it, or all."""
    charges = [one for one in it.world.stripe.objects("charge") if one["amount_refunded"] == 0 and one["paid"]]
    if charges:
        charge = it.random.choice(charges)
        amount = it.random.choice([charge["amount"], charge["amount"] // 2])
        it.world.stripe.refund(charge, amount)
        it.say(f"{amount} of {charge['id']} are refunded")


def pay_out(it: _History) -> None:
    for currency in ("usd", "eur"):
        if it.world.stripe.ledger().get(currency, {}).get("movements", 0) > 0:
            it.world.stripe.payout(currency)
            it.say(f"Stripe pays out its {currency}")


# What people do to the stack.


def group_otherwise(it: _History) -> None:
    now = it.world.parameters.get("InvoiceGrouping", "order")
    other = "client" if now == "order" else "order"
    it.world.deploy(InvoiceGrouping=other)
    it.say(f"invoices are grouped by {other} from now on")


WORK: dict[str, Callable[[_History], None]] = {
    "enter late": enter_late,
    "approve late": approve_late,
    "extend": extend,
    "add a line": add_a_line,
    "reduce": reduce,
    "reprice": reprice,
    "move": move,
    "change currency": change_currency,
    "change terms": change_terms,
    "bill in NetSuite": bill_in_netsuite,
    "close a line": close_a_line,
    "close the order": close_the_order,
    "cancel the order": cancel_the_order,
    "back to approval": back_to_approval,
    "remove a line": remove_a_line,
    "big order": big_order,
    "delete the order": delete_the_order,
    "edit a draft": edit_a_draft,
    "delete a draft": delete_a_draft,
    "finalise": finalise,
    "void": void,
    "pay": pay,
    "refund": refund,
    "pay out": pay_out,
    "group otherwise": group_otherwise,
}
DURING = (
    "reject",
    "expire",
    "hold",
    "start twice",
    "change while it waits",
    "change before the redrive",
    "kill",
    "fault",
    "skip the month",
    "taxes",
    "parameters",
    "settlement",
    "meddle",
)
NOT_MEANWHILE = ("edit a draft", "group otherwise", "big order")
"""What is not done in the middle of a call: the first would be taken for what the client is billed, half written."""
ACTIONS = (*WORK, *DURING)

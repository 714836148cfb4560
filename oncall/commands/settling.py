"""The settlement: ring objects of Stripe's, so that an execution reads them and writes what NetSuite lacks, and the
proof that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from billing.runtime.console_links import object_url
from oncall.choices import Choices, with_choices
from oncall.exits import Exit
from oncall.invocations import invoke

_TYPES: Final = ("invoice", "charge", "payout", "customer")


@click.group()
def sync() -> None:
    """Write into NetSuite what Stripe has and NetSuite lacks (only where the settlement is on).

    Each object is rung, as an event of Stripe's rings it; an execution of the settlement answers. What NetSuite has
    already is not written again.
    """


@sync.command("one")
@click.argument("object_id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Ring nothing.")
@with_choices
def one(choices: Choices, object_id: str, dry_run: bool) -> Exit:
    """Ring one invoice, charge, payout or customer of Stripe's (in_, ch_, po_, cus_)."""
    return _swept(choices, {"root": object_id}, f"Rings {object_id}.", dry_run)


@sync.command("since")
@click.argument("day", metavar="YYYY-MM-DD")
@click.option("--types", multiple=True, type=click.Choice(_TYPES), help="Only objects of this type; several times.")
@click.option("--dry-run", is_flag=True, help="Say what would be rung, and ring nothing.")
@with_choices
def since(choices: Choices, day: str, types: tuple[str, ...], dry_run: bool) -> Exit:
    """Ring every object that an event since this day is about, and what waits. Stripe keeps thirty days."""
    asked = {"since": day, **({"types": list(types)} if types else {})}
    only = f" ({', '.join(types)} only)" if types else ""
    return _swept(choices, asked, f"Rings every object with an event since {day}{only}, and what waits.", dry_run)


@sync.command("missed")
@click.option("--types", multiple=True, type=click.Choice(_TYPES), help="Only objects of this type; several times.")
@click.option("--dry-run", is_flag=True, help="Say what would be rung, and ring nothing.")
@with_choices
def missed(choices: Choices, types: tuple[str, ...], dry_run: bool) -> Exit:
    """Ring every object with an event that Stripe could not deliver, and what waits."""
    asked = {"missed": True, **({"types": list(types)} if types else {})}
    return _swept(choices, asked, "Rings every object with an event that was not delivered, and what waits.", dry_run)


def _swept(choices: Choices, asked: Mapping[str, Any], will: str, dry_run: bool) -> Exit:
    terminal, stack = choices.terminal, choices.settling_stack
    if not dry_run:
        terminal.ask([will])
    answer = invoke(stack, "SweepForEventsFunction", {**asked, "dryRun": dry_run})
    terminal.answer(answer)
    counts = answer["counts"]
    if dry_run:
        roots = list(answer["roots"])
        terminal.say(f"{len(roots)} objects would be rung." if roots else "Nothing would be rung.")
        for root in roots:
            terminal.say(f"  {root}")
    else:
        terminal.say(f"{counts['rung']} bells were rung; `runs --settlement` shows how they are answered.")
    return Exit.DONE


@click.command()
@click.option("--day", metavar="YYYY-MM-DD", help="The day whose proof it is; yesterday without it.")
@click.option("--since", "first", metavar="YYYY-MM-DD", help="Compare from this day on, not the last 92.")
@click.option("--fix", is_flag=True, help="Ring what NetSuite lacks and the settlement can write.")
@with_choices
def reconcile(choices: Choices, day: str | None, first: str | None, fix: bool) -> Exit:
    """Compare Stripe with NetSuite's books as they are now, as the nightly proof does. Ends with 6 if they differ."""
    terminal, stack = choices.terminal, choices.settling_stack
    said = "Compares Stripe with NetSuite's books, keeps the proof, and tells the channel of it."
    terminal.ask([said, *(["Rings the object of each record that NetSuite lacks."] if fix else [])])
    asked = {"day": day, "since": first, "fix": fix or None}
    given = {name: value for name, value in asked.items() if value is not None}
    answer = invoke(stack, "ProveTheBooksFunction", given)
    page = str(answer["file"]["key"]).removesuffix(".json") + ".html"
    link = object_url(stack.resource("RunsBucket"), page, stack.region)
    terminal.answer({**answer, "links": {"page": link}})
    counts = answer["counts"]
    terminal.say(f"{answer['day']}: {'the books agree' if answer['agrees'] else 'THE BOOKS DIFFER'}.")
    terminal.say(
        f"{counts['roots']} objects, {counts['records']} records, {counts['differences']} differences, "
        f"{counts['waiting']} waiting or explained, {counts['closed']} closed since the proof before, "
        f"{counts['rung']} rung."
    )
    terminal.say(f"page: {link}")
    return Exit.DONE if answer["agrees"] else Exit.DIFFERS


COMMANDS: Final = (sync, reconcile)

"""Runs: list, look, start, replay, ask again, remind."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import click

from billing.domain.errors import InputInvalid
from billing.domain.runs.run_input import RunInput, parse_run_input
from oncall.choices import Choices, with_choices
from oncall.executions import Execution, Executions, Machine
from oncall.exits import Exit, Failed, Refused, Usage
from oncall.invocations import invoke
from oncall.monthly_runs import SeenRun, seen, seen_with_report
from oncall.replaying import Click, advice, asks_again, end_of, refusal, will_do
from oncall.stack import Stack
from oncall.terminal import Terminal

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_POLL_SECONDS: Final = 2.0
_SHOWN_REASONS: Final = 50
_ASKING: Final = "Ask for approval"


@click.command()
@click.option("--last", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
@click.option(
    "--status",
    type=click.Choice(["running", "succeeded", "failed", "timed_out", "aborted"], case_sensitive=False),
    help="Only those.",
)
@click.option("--settlement", is_flag=True, help="Executions of the settlement instead.")
@with_choices
def runs(choices: Choices, last: int, status: str | None, settlement: bool) -> Exit:
    """List the runs, newest first: state, period, counts."""
    machine = Machine.SETTLEMENT if settlement else Machine.MONTHLY
    if settlement:
        _ = choices.settling_stack
    executions, terminal = choices.executions, choices.terminal
    wanted: ExecutionStatusType | None = status.upper() if status else None  # type: ignore[assignment]
    found = [seen(executions, one) for one in executions.newest(machine, last, wanted)]
    terminal.answer({"runs": [one.as_json(choices.stack) for one in found]})
    if found:
        terminal.table(
            ("STARTED", "NAME", "PERIOD", "STATE", "ORDERS"),
            [
                (_minute(one.execution), one.execution.name, one.period or "-", one.state, _counted(one.counts) or "-")
                for one in found
            ],
        )
    else:
        terminal.say("There are none.")
    return Exit.DONE


@click.command()
@click.argument("name")
@click.option("--all", "every", is_flag=True, help=f"Every reason, not the first {_SHOWN_REASONS}.")
@with_choices
def run(choices: Choices, name: str, every: bool) -> Exit:
    """Show one run: where it stands, counts, reasons, links. Ends with 5 if the run ended red."""
    executions, terminal = choices.executions, choices.terminal
    found = seen_with_report(executions, executions.find(name))
    execution = found.execution
    terminal.answer({**found.as_json(choices.stack), "reasons": found.reasons, "unread": found.unread})
    terminal.say(f"{execution.name}: {found.state}" + (" (dry run)" if found.dry else ""))
    if found.period:
        terminal.say(f"period {found.period}, cycle {found.cycle or 'of the stack'}, started {_minute(execution)}")
    if execution.redrives:
        terminal.say(f"redriven {execution.redrives} times")
    if found.counts:
        terminal.say(f"orders: {_counted(found.counts)}")
    if execution.went_wrong:
        terminal.say(f"{execution.error or execution.status}: {execution.cause}".rstrip(": "))
        terminal.say(advice(execution).sentence)
    shown = found.reasons if every else found.reasons[:_SHOWN_REASONS]
    for reason in shown:
        terminal.say(f"  {reason['outcome']}  {reason['orders']}: {reason['reason']}")
    if len(shown) < len(found.reasons):
        terminal.say(f"  and {len(found.reasons) - len(shown)} more: --all shows them, and so does the report")
    if found.unread and not execution.runs and execution.machine is Machine.MONTHLY:
        terminal.say(found.unread)
    for what, link in found.links(choices.stack).items():
        terminal.say(f"{what}: {link}")
    return Exit.FAILED if execution.went_wrong else Exit.DONE


def _listed(context: click.Context, option: click.Parameter, given: Sequence[str]) -> list[str]:
    """Values of an option that may be given several times, and each time several with commas between them."""
    return [one.strip() for text in given for one in text.split(",") if one.strip()]


@click.command()
@click.option("--period", required=True, metavar="YYYY-MM", help="The month that is billed.")
@click.option("--cycle", help="Another billing cycle than the stack's own.")
@click.option("--time-zone", help="The cycle's time zone, if it is another than the stack's.")
@click.option("--requested-by", metavar="ADDRESS", help="Who starts it; needed where RequesterMaySign is false.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nobody.")
@click.option("--orders", multiple=True, callback=_listed, help="Only these orders (numbers, commas between them).")
@click.option("--clients", multiple=True, callback=_listed, help="Only these clients (NetSuite's internal ids).")
@click.option("--subsidiaries", multiple=True, callback=_listed, help="Only these subsidiaries (internal ids).")
@click.option("--at-most", type=int, help="At most so many orders.")
@click.option("--wait", is_flag=True, help="Wait until it ends or waits for approval; ends with 5 if it ends red.")
@with_choices
def start(choices: Choices, /, **options: Any) -> Exit:
    """Start a run by hand. It asks the approvers before it drafts anything."""
    given = _input(options)
    stack, executions, terminal = choices.stack, choices.executions, choices.terminal
    try:
        read = _read(stack, given)
    except InputInvalid as error:
        raise Usage(str(error)) from None
    at_work = [] if read.dry_run else _at_work(executions, read.period.name, read.cycle)
    terminal.ask([*_will_start(read, stack.name), *at_work])
    started = executions.start(Machine.MONTHLY, json.dumps(given))
    return _told(choices, started, f"Started {started.name}.", bool(options["wait"]))


def _input(options: dict[str, Any]) -> dict[str, Any]:
    """The run's input: only what was said, under the input's own names."""
    filtered = {
        "orderNumbers": options["orders"],
        "customerIds": options["clients"],
        "subsidiaries": options["subsidiaries"],
        "atMost": options["at_most"],
    }
    fields = {
        "period": options["period"],
        "cycle": options["cycle"],
        "timeZone": options["time_zone"],
        "requestedBy": options["requested_by"],
        "dryRun": options["dry_run"] or None,
        "filter": {name: value for name, value in filtered.items() if value not in (None, [])} or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _read(stack: Stack, given: object) -> RunInput:
    """The input as "Open the run" will read it. Raises InputInvalid."""
    zone, cycle = stack.parameters["FirmTimeZone"], stack.parameters["CycleName"]
    return parse_run_input(given, ZoneInfo(zone), cycle)


def _will_start_again(stack: Stack, execution: Execution) -> list[str]:
    """What a new run with an execution's input does. Raises Refused if that input is no run's."""
    try:
        return _will_start(_read(stack, json.loads(execution.input)), stack.name)
    except (InputInvalid, ValueError) as error:
        raise Refused(f"The input of {execution.name} is wrong: {error} `start` takes a corrected one.") from None


def _will_start(read: RunInput, stack_name: str) -> list[str]:
    """What a run with this input does, in sentences."""
    narrowed = ", ".join(
        one.words.format(", ".join(map(str, value)) if isinstance(value, tuple) else value)
        for one, value in read.filter.narrowing
    )
    what = f"Starts a {'dry run' if read.dry_run else 'run'} of {read.period.name} (cycle {read.cycle}) in {stack_name}"
    return [
        f"{what}: {narrowed}." if narrowed else f"{what}: every open order.",
        "It asks nobody and drafts nothing."
        if read.dry_run
        else "It mails the approvers, and drafts in Stripe what they have signed for.",
    ]


def _at_work(executions: Executions, period: str, cycle: str) -> list[str]:
    """A warning for each run of the period that is at work: a second one does nothing."""
    running = [seen(executions, one) for one in executions.newest(Machine.MONTHLY, 100, "RUNNING")]
    return [
        f"But {one.execution.name} of this period is at work ({one.state}): this one will do nothing beside it."
        for one in running
        if (one.period, one.cycle) == (period, cycle) and not one.dry
    ]


@click.command()
@click.argument("name")
@click.option("--new", is_flag=True, help="A new execution with the same input, by today's definition.")
@click.option("--wait", is_flag=True, help="Wait until it ends or waits for approval; ends with 5 if it ends red.")
@with_choices
def replay(choices: Choices, name: str, new: bool, wait: bool) -> Exit:
    """Redrive a run that ended red, or say why it cannot be and what to do. Of the settlement's executions, too.

    docs/replay.md says what a replay does in each state.
    """
    executions, terminal = choices.executions, choices.terminal
    execution = executions.find(name)
    if new:
        if execution.runs:
            raise Refused(refusal(execution))
        if execution.machine is Machine.SETTLEMENT:
            raise Refused(f"{name} is of the settlement. `sync one` rings its object, and a new execution answers.")
        what = _will_start_again(choices.stack, execution)
        terminal.ask([*what, "What is drafted is skipped; what is approved and unchanged is not asked again."])
        started = executions.start(Machine.MONTHLY, execution.input)
        return _told(choices, started, f"Started {started.name}.", wait)
    if execution.why_not or not execution.went_wrong:
        raise Refused(refusal(execution))
    helps, found = advice(execution), seen(executions, execution)
    instead = [f"`replay {name} --new` is the new execution."] if helps.click is Click.NEW else []
    at_work = _at_work(executions, found.period, found.cycle) if found.period and not found.dry else []
    terminal.ask(
        [f"{name} {end_of(execution)}. {helps.sentence}", *instead, *will_do(execution, found.standing), *at_work]
    )
    executions.redrive(execution)
    return _told(choices, executions.again(execution), f"Redriven {name}.", wait)


@click.command("ask-again")
@click.argument("name")
@click.option("--wait", is_flag=True, help="Wait until it waits for approval; ends with 5 if it ends red.")
@with_choices
def ask_again(choices: Choices, name: str, wait: bool) -> Exit:
    """Open an approval again, with new links: of a request that has expired, reached too few people or was altered by a
    redrive; of one that is still open by aborting its run and starting a new one with the same input.
    """
    executions, terminal = choices.executions, choices.terminal
    execution = executions.find(name)
    if execution.machine is not Machine.MONTHLY:
        raise Refused(f"{name} is of the settlement, which asks nobody.")
    standing = executions.standing(execution)
    if execution.runs:
        if standing.state != _ASKING:
            raise Refused(f'{name} does not wait for approval: it is in "{standing.state}". Nothing was done.')
        terminal.ask(
            [
                f"Aborts {name}, whose links end with it.",
                *_will_start_again(choices.stack, execution),
                "Whoever has answered must answer again. If somebody rejected it a moment ago, say no and wait:",
                "the run then ends by itself within the hour.",
            ]
        )
        executions.abort(execution, "Stopped by the people on call to ask again.")
        started = executions.start(Machine.MONTHLY, execution.input)
        return _told(choices, started, f"Aborted {name}; started {started.name}.", wait)
    if not asks_again(execution):
        raise Refused(
            f"{name} {end_of(execution)}: it has no request to open again. `replay {name} --new` lists again, and asks "
            "about what nobody has signed for."
        )
    if execution.why_not:
        raise Refused(refusal(execution))
    terminal.ask([advice(execution).sentence, *will_do(execution, standing), "It asks again, with new links."])
    executions.redrive(execution)
    return _told(choices, executions.again(execution), f"Redriven {name}.", wait)


@click.command()
@click.argument("name")
@with_choices
def remind(choices: Choices, name: str) -> Exit:
    """Mail those whose answer is missing, now: at most once an hour, and nobody else."""
    executions, terminal = choices.executions, choices.terminal
    execution = executions.find(name)
    standing = executions.standing(execution)
    if not execution.runs or standing.state != _ASKING:
        raise Refused(f"{name} does not wait for approval: nobody is to be reminded.")
    terminal.ask([f"Mails a reminder to everybody whose answer {name} waits for, at most once an hour."])
    answer = invoke(choices.stack, "RemindTheApproversFunction", {"run": dict(standing.part("run")), "byHand": True})
    terminal.answer(answer)
    mails = int(answer.get("mails", 0))
    terminal.say(f"{mails} mails were sent." if mails else "No mail was sent: everybody was reminded within the hour.")
    return Exit.DONE


def _told(choices: Choices, execution: Execution, said: str, wait: bool) -> Exit:
    """Say what was started; with `wait`, how it went on."""
    executions, terminal = choices.executions, choices.terminal
    if not wait:
        found = seen(executions, execution)
        terminal.answer(found.as_json(choices.stack))
        terminal.say(f"{said} {found.links(choices.stack)['execution']}")
        return Exit.DONE
    terminal.say(said)
    found = _waited(executions, execution, terminal)
    terminal.answer(found.as_json(choices.stack))
    terminal.say(f"{found.execution.name}: {found.state}" + (f" ({_counted(found.counts)})" if found.counts else ""))
    if found.execution.went_wrong:
        raise Failed(f"{found.execution.name} {end_of(found.execution)}: {found.execution.cause}")
    return Exit.DONE


def _waited(executions: Executions, execution: Execution, terminal: Terminal) -> SeenRun:
    """Look until it has ended or waits for a person; say each state that is met."""
    before = ""
    while True:
        found = seen(executions, executions.again(execution))
        if not found.execution.runs or found.standing.waits:
            return found
        if found.standing.state not in ("", before):
            before = found.standing.state
            terminal.say(f"  {before}")
        time.sleep(_POLL_SECONDS)


def _minute(execution: Execution) -> str:
    return execution.started.astimezone().strftime("%Y-%m-%d %H:%M")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


COMMANDS: Final = (runs, run, start, replay, ask_again, remind)

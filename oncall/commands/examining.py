"""The doctor: is everything set up as the stack needs it?"""

from __future__ import annotations

from typing import Final

import click

from oncall.choices import Choices, with_choices
from oncall.exits import Exit
from oncall.setup_examination import examined, summary


@click.command()
@with_choices
def doctor(choices: Choices) -> Exit:
    """Is everything set up as the stack needs it? One line for each check; writes nothing, and may be run at any time.
    Ends with 6 if something is wrong."""
    answer = examined(choices.stack)
    choices.terminal.answer(answer)
    for line in answer["lines"]:
        choices.terminal.say(str(line))
    choices.terminal.say(summary(answer))
    return Exit.DONE if answer["ok"] else Exit.DIFFERS


COMMANDS: Final = (doctor,)

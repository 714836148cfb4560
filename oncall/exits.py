"""How a command ends: one exit code for each thing that a script has to tell apart, and a sentence for a person."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, as the README lists them."""

    DONE = 0
    NOT_ASKED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    FAILED = 5
    DIFFERS = 6


class Ended(Exception):
    """A command ends here. The text is the one sentence that the person reads."""

    code: Exit


class NotAsked(Ended):
    """AWS could not be asked: no credentials, no region, no permission, no network."""

    code = Exit.NOT_ASKED


class Usage(Ended):
    """What was typed is wrong; nothing was changed."""

    code = Exit.USAGE


class NotFound(Ended):
    """There is no such stack, run or function."""

    code = Exit.NOT_FOUND


class Refused(Ended):
    """The person said no, or the product refused it. Nothing was changed."""

    code = Exit.REFUSED


class Failed(Ended):
    """It was tried and failed: a run that ended red, a function that raised."""

    code = Exit.FAILED

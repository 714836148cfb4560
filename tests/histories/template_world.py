"""The same histories through the deployed template: a sandbox with the names of `HistoryWorld`, as far as a history
uses them. What the quick world finds is replayed here; a month costs some ten seconds.

Left out are a deployment in the middle, people at the very moment of a call, and the settlement, which
`tests/played` plays. Calls of functions that run side by side are counted as they come, so a kill may strike another
call than in the quick world.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.histories.world import ANN, BOB, Kill, Mail
from tests.played.story import posted
from tests.sandbox import Run, Sandbox
from tests.sandbox.aws.errors import SandboxError
from tests.sandbox.egress import PlannedKill

NOT_HERE = ("group otherwise", "meddle", "settlement", "parameters")
SECONDS = 120
_STABLE = 3
_PAUSE = 0.05


@dataclass
class TemplateRun:
    """An execution in the sandbox, with the names of `machine.Execution`."""

    world: TemplateWorld
    run: Run
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def status(self) -> str:
        return self.world.sandbox.result(self.run).status

    @property
    def error(self) -> str:
        return self.world.sandbox.result(self.run).error or ""

    @property
    def cause(self) -> str:
        return self.world.sandbox.result(self.run).cause or ""

    @property
    def at(self) -> str:
        return self.world.sandbox.states(self.run)[-1].name

    @property
    def waits(self) -> bool:
        self.world.rest(self.run)
        return self.world.sandbox.is_waiting(self.run) and self.status == "RUNNING"

    @property
    def data(self) -> dict[str, Any]:
        """What the state that it entered last was given."""
        entered = [
            one["stateEnteredEventDetails"]["input"]
            for one in self.world.sandbox.history(self.run)
            if "stateEnteredEventDetails" in one
        ]
        return dict(json.loads(entered[-1]))


@dataclass
class _Clock:
    sandbox: Sandbox

    def now(self) -> datetime:
        return self.sandbox.now()

    def pause(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)

    def move_to(self, moment: datetime) -> None:
        """Forward only."""
        if moment > self.sandbox.now():
            self.sandbox.clock.advance(moment - self.sandbox.now())


@dataclass
class _Machine:
    world: TemplateWorld

    def redrive(self, run: TemplateRun) -> None:
        self.world.sandbox.redrive(run.run)
        self.world.rest(run.run)

    def go_on(self, run: TemplateRun) -> None:
        """After an answer: until the run has noticed it, and stands again."""
        self.world.rest(run.run, after=self.world.events_at_answer)

    def time_out(self, run: TemplateRun) -> None:
        """The clock has been moved beyond the wait."""
        self.world.sandbox.wait_for_end(run.run, SECONDS)


@dataclass
class TemplateWorld:
    """`sandbox` is open; `function` and `between` are what a quick world has for people at the moment of a call."""

    sandbox: Sandbox
    parameters: dict[str, str]
    function: str = ""
    between: Callable[[], None] = lambda: None
    events_at_answer: int = 0
    _kill: Kill | None = None
    _planned: PlannedKill | None = None
    _runs: list[TemplateRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.netsuite, self.stripe, self.slack = self.sandbox.netsuite, self.sandbox.stripe, self.sandbox.slack
        self.clock, self.machine = _Clock(self.sandbox), _Machine(self)

    @property
    def kill(self) -> Kill | None:
        if self._kill is not None and self._planned is not None:
            self._kill.struck = self._planned.done
        return self._kill

    @kill.setter
    def kill(self, kill: Kill | None) -> None:
        if self._planned is not None:
            self._planned.done = True
        self._kill = kill
        self._planned = self.sandbox.kill_at(kill.at, "after" if kill.after else "before") if kill is not None else None

    @property
    def mails(self) -> list[Mail]:
        return [Mail(mail.to[0], mail.subject, mail.text) for mail in self.sandbox.mails()]

    def start(self, name: str, given: Mapping[str, Any]) -> TemplateRun:
        run = TemplateRun(self, self.sandbox.start(given, name=name), given)
        self._runs.append(run)
        self.rest(run.run)
        return run

    def rest(self, run: Run, after: int = -1) -> None:
        """Until the run has ended or waits, and has more than `after` events. A run that is to be taken away with the
        call that is killed is stopped here."""
        deadline, stable = time.monotonic() + SECONDS, 0
        while stable < _STABLE:
            if time.monotonic() > deadline:
                raise SandboxError(f"{run.name} neither ends nor waits: {self.sandbox.states(run)[-1]}")
            kill = self.kill
            running = self.sandbox.result(run).status == "RUNNING"
            if running and kill is not None and kill.whole_run and kill.struck:
                kill.whole_run = False
                self.sandbox.stop(run)
                continue
            rests = not running or self.sandbox.is_waiting(run)
            stable = stable + 1 if rests and len(self.sandbox.history(run)) > after else 0
            time.sleep(_PAUSE)

    def post(self, person: str, **form: str) -> int:
        """Open the newest page that this person was mailed and send a form of it. Answers the HTTP status."""
        link = next(
            self.sandbox.asking_links(mail)[0]
            for mail in reversed(self.sandbox.mails())
            if mail.to == (person,) and self.sandbox.asking_links(mail)
        )
        running = [one for one in self._runs if one.status == "RUNNING"]
        self.events_at_answer = len(self.sandbox.history(running[-1].run)) if running else 0
        answer = form.pop("answer")
        return posted(self.sandbox, link, answer, form).status

    def report(self, run: TemplateRun) -> dict[str, Any] | None:
        try:
            return self.sandbox.report(run.run)
        except SandboxError:
            return None

    def file_bytes(self, key: str) -> bytes:
        return self.sandbox.objects()[key]


def parameters_of(given: Mapping[str, str]) -> dict[str, str]:
    """Those of the quick world's stack."""
    return {
        "Approvers": f"Finance: {ANN}, {BOB}",
        "OwnerEmails": "owner@firm.example",
        **given,
    }

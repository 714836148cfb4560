"""Started by hand, and by `make doctor`: is everything outside set up as the product needs it? Writes nothing.

Each check is a function of its own that reads and answers lines. One that fails never stops the others; one that needs
what an earlier one found wrong is not tried, so that each mistake is named once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from billing.domain.doctor.finding import PASSES, Finding, Verdict, all_well, shown, unchecked, wrong
from billing.domain.errors import InputInvalid, OurFault, PassingError, PersonNeeded

_SECONDS_KEPT: Final = 15.0
"""Before the function's own end: no check is begun, and what was found is answered."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` reads, and answers the line of `name`. It is tried only if the checks that it `needs` have passed."""

    name: str
    run: Callable[[], Finding]
    needs: tuple[str, ...] = ()


def examine_the_setup(
    checks: Sequence[Check],
    faults_named: Callable[[], AbstractContextManager[None]],
    seconds_left: Callable[[], float],
) -> dict[str, object]:
    """Answer {"ok", "counts", "findings": [{"check", "verdict", "text"}], "lines"}. `faults_named` turns AWS's errors
    into ours; `seconds_left` says how long the function may still run. Safe to repeat: nothing is written anywhere."""
    findings: list[Finding] = []
    for check in checks:
        found = _examined(check, findings, faults_named, seconds_left)
        findings.append(replace(found, text=shown(found.text)))
    return {
        "ok": all_well(findings),
        "counts": {str(verdict): sum(one.verdict is verdict for one in findings) for verdict in Verdict},
        "findings": [{"check": one.check, "verdict": str(one.verdict), "text": one.text} for one in findings],
        "lines": [one.line for one in findings],
    }


def _examined(
    check: Check,
    before: Iterable[Finding],
    faults_named: Callable[[], AbstractContextManager[None]],
    seconds_left: Callable[[], float],
) -> Finding:
    lacking = [one.check for one in before if one.check in check.needs and one.verdict not in PASSES]
    if lacking:
        return unchecked(check.name, f"correct {lacking[0]} first")
    if seconds_left() < _SECONDS_KEPT:
        return unchecked(check.name, "no time was left: something above answers slowly. Run it again.")
    try:
        with faults_named():
            return check.run()
    except (PersonNeeded, InputInvalid, OurFault) as error:
        return wrong(check.name, str(error))
    except PassingError as error:
        return wrong(check.name, f"{error} Run it again later; if it stays, look at the network and the status page.")
    except Exception as error:  # noqa: BLE001 - the other checks go on whatever this one met
        # Its text may quote a secret or an address: only its type is told.
        return wrong(check.name, f"it could not be examined ({type(error).__name__}): tell the developers.")

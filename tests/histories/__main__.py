"""Play histories: `python -m tests.histories 4711` one, `python -m tests.histories 1 --minutes 10` one after the other.

    --without "enter late,kill"   leave actions out
    --only "extend,void"          nothing but these
    --set InvoiceGrouping=client  a parameter of the template
    --template                    through the deployed template, as far as it can be played there

Exits with 1 if a promise was broken; the number in the last line plays that history again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter

import tests.conftest  # noqa: F401 - the environment that the logger reads
from tests.histories.history import ACTIONS, play, play_on_template
from tests.histories.world import seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.histories")
    parser.add_argument("seed", type=int)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--without", default="")
    parser.add_argument("--months", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], help="a template parameter: LineStyle=quantity")
    parser.add_argument("--template", action="store_true", help="through the deployed template: ten seconds a month")
    parser.add_argument("--go-on", action="store_true", help="count what breaks instead of stopping at the first")
    asked = parser.parse_args()
    left_out = set(filter(None, asked.without.split(",")))
    chosen = tuple(filter(None, asked.only.split(","))) or ACTIONS
    if unknown := (set(chosen) | left_out) - set(ACTIONS):
        parser.error(f"no such action: {', '.join(sorted(unknown))}; there are {', '.join(ACTIONS)}")
    actions = [name for name in chosen if name not in left_out]
    began, seed, played, found = seconds(), asked.seed, 0, Counter[str]()
    while True:
        parameters = dict(one.split("=", 1) for one in asked.set)
        history = (play_on_template if asked.template else play)(seed, actions, asked.months, **parameters)
        played += 1
        if history.broken:
            found[history.broken[0].partition(":")[0]] += 1
            print(history.story() if not asked.go_on else f"{seed}: {history.broken[0]}", flush=True)
            if not asked.go_on:
                print(f"again: python -m tests.histories {seed}; through the deployed template: add --template")
                return 1
        elif not asked.minutes:
            print(history.story())
        if seconds() - began >= asked.minutes * 60:
            break
        seed += 1
    print(f"{played} histories in {seconds() - began:.0f} s, {asked.seed} to {seed}; broken: {dict(found) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.path.insert(0, "layers/billing")
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    raise SystemExit(main())

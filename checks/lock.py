"""`make lock`: resolves every .in file to pins with hashes, for Python 3.11 and later on every platform.

requirements/dev.txt is resolved first and holds all the others to its versions, so that two layers of one
function, the local world and the tests never have two versions of a package. requirements/build.txt (SAM's
command line) and requirements/policy.txt (checkov), which pin exact versions, stand alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMPILE = [
    *("uv", "pip", "compile", "--quiet"),
    *("--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-annotate", "--no-emit-index-url"),
]


def commands(root: Path, extra: list[str]) -> list[list[str]]:
    """The resolver's command lines in order; `extra` goes to each (--upgrade, --upgrade-package NAME)."""
    dev = "requirements/dev.txt"
    found = [[*COMPILE, *extra, "requirements/dev.in", "--output-file", dev]]
    held = ["--constraints", dev]
    found += [
        [*COMPILE, *extra, *held, f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
        for name in ("sandbox", "runtime", "oncall")
    ]
    for source in sorted((root / "layers").glob("*/requirements.in")):
        folder = source.parent.relative_to(root)
        excluded = (source.parent / "excludes.txt").is_file()
        excludes = ["--excludes", f"{folder}/excludes.txt"] if excluded else []
        output = ["--output-file", f"{folder}/requirements.txt"]
        found.append([*COMPILE, *extra, *held, *excludes, f"{folder}/requirements.in", *output])
    found += [
        [*COMPILE, *extra, f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
        for name in ("build", "policy")
    ]
    return found


def main(root: Path, extra: list[str]) -> int:
    """Run the resolver for every file; stops at the first that cannot be resolved."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "UV_CUSTOM_COMPILE_COMMAND": "make lock",
    }
    for command in commands(root, extra):
        print(command[-1])
        done = subprocess.run(command, cwd=root, env=environment, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), sys.argv[1:]))

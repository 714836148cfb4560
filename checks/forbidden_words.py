"""Nothing committed names a path of one machine, a registry's host, or files outside the repository."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Written with character classes, so that this file does not hold what it looks for.
FORBIDDEN: dict[str, re.Pattern[str]] = {
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:w[o]rk|r[o]ot)(?![\w-])|(?<![\w.])/h[o]me/[a-z]|/b[a]sh_jobs\b|/tmp/(?:b[r]ief|o[p]s)\b"
    ),
    "a package registry's host": re.compile(
        r"p[y]pi\.org|p[y]thonhosted\.org|n[p]mjs\.(?:org|com)|d[e]b\.debian\.org|s[e]curity\.debian\.org"
    ),
    "files outside the repository": re.compile(r"\.\./s[h]ared\b|(?<![\w./-])s[h]ared/(?=\w)|\.l[i]brary/"),
}


def check_text(name: str, text: str) -> list[str]:
    """Findings in one file's text; `name` and the line number begin each sentence."""
    return [
        f"{name}:{number}: names {what}: {match.group(0)!r}."
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(line)
    ]


def committed_files(root: Path) -> Iterator[Path]:
    """Every file that git holds or would add: tracked, or neither tracked nor ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout
    for name in sorted(set(listing.decode().split("\0")) - {""}):
        path = root / name
        if path.is_file() and not path.is_symlink():
            yield path


def check_tree(root: Path) -> list[str]:
    """Check every text file of the git repository at `root`."""
    findings = []
    for path in committed_files(root):
        content = path.read_bytes()
        if b"\0" not in content:
            findings += check_text(str(path.relative_to(root)), content.decode("utf-8", errors="replace"))
    return findings

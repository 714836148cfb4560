"""Takes docs/pictures/approval-page.png: the approval page of a run in the sandbox, in a real Chromium.

`PYTHONPATH=.:layers/billing .venv/bin/python -m docs.making.approval_picture`, when the page has changed. Browsers and
fonts differ from machine to machine, so no test compares it.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.sandbox import Sandbox

_WIDTH, _HEIGHT = 900, 1500
_NOW = datetime(2026, 6, 1, 13, 0, 30, tzinfo=UTC)


def take(path: Path) -> None:
    """Write the picture. SystemExit without a Chromium."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise SystemExit("no chromium on this machine; name one in CHROMIUM")
    with Sandbox(now=_NOW) as sandbox, sync_playwright() as playwright:
        mail = sandbox.wait_for_approval(sandbox.fire_schedule())[0]
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
        page.goto(sandbox.page_links(mail)[0])
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    target = Path.cwd() / "docs" / "pictures" / "approval-page.png"
    take(target)
    sys.stdout.write(f"{target.relative_to(Path.cwd())}: {target.stat().st_size // 1024} KiB\n")

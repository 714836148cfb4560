"""A command line for the people on call: `python -m oncall`, from the repository's folder.

It starts what is deployed (the functions, the state machines) and reads what they left behind; it decides nothing that
they decide. Nothing here is deployed. docs/decisions/0028-the-command-line.md says why.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The records that runs leave behind are read by the product's own package, which lies where its layer is built from.
_BILLING = str(Path(__file__).resolve().parents[1] / "layers" / "billing")
if _BILLING not in sys.path:
    sys.path.append(_BILLING)

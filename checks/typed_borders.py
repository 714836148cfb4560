"""What enters a function is read once, at its door: inside, states and their answers are dataclasses.

    run["..."]                  nowhere in the layer: a run is `billing.domain.run.Run`
    Mapping[str, Any]           in no signature of the domain or the workflows, but where JSON itself is the subject
    more than eight parameters  no function of the layer or the functions

The list of exceptions says why; one that is no longer needed is a finding, so that the list only gets shorter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LAYER = "layers/billing/billing"
MOST_PARAMETERS = 8
TYPED = (f"{LAYER}/domain", f"{LAYER}/workflows")

JSON_ITSELF: dict[str, str] = {
    # Records, states and inputs are made from JSON here, and nowhere else.
    "domain/records.py": "reads and writes records",
    "domain/records_of_format_1.py": "turns an earlier format's JSON into the present one's",
    "domain/run.py": "reads the execution's state",
    "domain/runs/run_input.py": "reads the execution's input",
    # NetSuite's and Stripe's own JSON.
    "domain/orders/invoice_preview.py": "reads NetSuite's record of an invoice",
    "domain/settlement": "writes and reads NetSuite's and Stripe's records",
    "workflows/settlement": "writes and reads NetSuite's and Stripe's records",
    "workflows/monthly_billing/draft_the_invoice.py": "hands Stripe's parameters to a port",
    # HTTP requests, mail events and CloudFormation's.
    "workflows/approval_page": "reads API Gateway's requests",
    "workflows/approval/note_the_bounce.py": "reads SES's events",
    "workflows/operations/check_the_parameters.py": "reads CloudFormation's events",
    "workflows/operations/end_the_order.py": "reads a person's input",
    "workflows/operations/settle_the_customer.py": "reads a person's input",
    # What is signed is JSON: the signature's port takes and gives it.
    "workflows/approval/present_request.py": "reads signed texts",
    "workflows/monthly_billing/ask_for_approval.py": "signs a request",
    "workflows/monthly_billing/ask_the_deputies.py": "signs an entry",
}


def check_tree(root: Path) -> list[str]:
    """Findings in the layer and the functions below `root`."""
    findings: list[str] = []
    needed: set[str] = set()
    for path in _modules(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        findings += _subscripts(name, tree)
        for function in _functions(tree):
            place = f"{name}:{function.lineno}: {function.name}"
            if (many := _parameters(function)) > MOST_PARAMETERS:
                findings.append(f"{place} has {many} parameters. Group what belongs together into a dataclass.")
            if name.startswith(TYPED) and _takes_json(function):
                allowed = [one for one in JSON_ITSELF if name.startswith(f"{LAYER}/{one}")]
                needed.update(allowed)
                if not allowed:
                    findings.append(
                        f"{place} takes or gives a Mapping[str, Any]. Read it into a dataclass at the entry."
                    )
    unneeded = sorted(set(JSON_ITSELF) - needed)
    return findings + [f"checks/typed_borders.py: the exception {one} is not needed." for one in unneeded]


def _modules(root: Path) -> Iterator[Path]:
    yield from sorted((root / LAYER).rglob("*.py"))
    yield from sorted((root / "functions").rglob("*.py"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len(named) - (1 if named and named[0].arg in ("self", "cls") else 0)


def _takes_json(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = function.args
    hints = [one.annotation for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)] + [function.returns]
    return any("Mapping[str, Any]" in ast.unparse(hint) for hint in hints if hint is not None)


def _subscripts(name: str, tree: ast.AST) -> Iterator[str]:
    """Every `run["..."]`, `self.run["..."]` and `report.run["..."]`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
            continue
        owner = node.value
        called = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        if called == "run" and isinstance(node.slice.value, str):
            yield f'{name}:{node.lineno}: run["{node.slice.value}"]. A run is a dataclass: read it at the entry.'

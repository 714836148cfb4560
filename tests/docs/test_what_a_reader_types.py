"""Commands, secrets and inputs in the documents work as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from billing.adapters.netsuite.login import CertificateLogin, TokenLogin, login_from_secret
from billing.adapters.signatures import Signatures
from billing.domain.approval.signed_links import Link
from billing.domain.errors import ENDS
from billing.domain.runs.run_input import parse_run_input
from tests.docs.repository import (
    CYCLES,
    DOCUMENTS,
    OURS,
    README,
    ROOT,
    RUNBOOK,
    fenced,
    only_fenced,
    section,
    table_rows,
)
from tests.sandbox.clock import SandboxClock
from tests.sandbox.netsuite import NetSuiteServer, load_world

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine")


def typed(commands: str, folder: Path) -> None:
    """Run a block of shell as a reader would."""
    subprocess.run(["bash", "-euc", commands], cwd=folder, check=True, capture_output=True, timeout=120)


@openssl
@pytest.mark.parametrize(("block", "algorithm"), [("certificate", "ES256"), ("certificate-rsa", "PS256")])
def test_key_and_certificate_of_the_readme_log_in_to_netsuite(block: str, algorithm: str, tmp_path: Path) -> None:
    typed(only_fenced(README, "bash", block), tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / "netsuite-certificate.pem").read_bytes())
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 730
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        assert key.key_size >= 3072
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"

    typed(only_fenced(README, "bash", "netsuite-secret").replace("ES256", algorithm), tmp_path)
    secret = json.loads((tmp_path / "netsuite.json").read_text(encoding="utf-8"))
    clock = SandboxClock()
    with NetSuiteServer(load_world("tiny"), clock, secret) as netsuite:
        login = login_from_secret(secret, netsuite.url, clock)
        assert isinstance(login, CertificateLogin)
        assert login.authorize(requests.Session(), "POST", netsuite.url).startswith("Bearer ey")


def test_the_secret_for_token_based_authentication_chooses_it() -> None:
    secret = json.loads(only_fenced(README, "json", "netsuite-tba"))
    assert isinstance(login_from_secret(secret, "https://netsuite.example", lambda: 0.0), TokenLogin)


@pytest.mark.parametrize("block", ["stripe", "slack"])
def test_the_fields_of_the_other_secrets_are_those_that_the_code_reads(block: str) -> None:
    (name,) = json.loads(only_fenced(README, "json", block))
    connection = (ROOT / f"layers/billing/billing/runtime/connections/{block}.py").read_text(encoding="utf-8")
    assert f'field(env.text("{block.upper()}_SECRET_ARN"), "{name}")' in connection


def test_at_each_step_of_the_rotation_every_process_reads_what_any_other_signs() -> None:
    ring = json.loads(only_fenced(RUNBOOK, "json", "ring"))
    old, new = ring["keys"]
    link = Link("run.1", "0" * 16, "f" * 64, 2_000_000_000)
    before, first, second = (Signatures({**ring, "keys": keys}) for keys in ([old], [old, new], [new, old]))
    for one, other in ((before, first), (first, second)):
        assert one.read_link(other.sign_link(link)) == link
        assert other.read_link(one.sign_link(link)) == link
    assert before.read_link(second.sign_link(link)) is None, "the new key signs now, so a step left out shows"
    untouched = Signatures({"keys": [], "first": old["key"]})
    assert first.read_link(untouched.sign_link(link)) == link, "the copy of `first` goes on"
    assert untouched.read_link(first.sign_link(link)) == link


@pytest.mark.parametrize("document", [README, CYCLES], ids=lambda path: path.name)
def test_every_input_in_the_documents_is_accepted(document: Path) -> None:
    inputs = [json.loads(text) for text in fenced(document, "json", "input")]
    text = document.read_text(encoding="utf-8")
    inputs += [json.loads(found) for found in re.findall(r"--input '([^']+)'", text)]
    inputs += [json.loads(" ".join(found.split())) for found in re.findall(r"`(\{\"period\".*?\})`", text, re.DOTALL)]
    assert inputs
    for given in inputs:
        parse_run_input(given, ZoneInfo("America/New_York"), "monthly")


def test_every_end_of_a_run_is_in_the_runbook_and_the_readme_and_no_other() -> None:
    listed = [re.findall(r"\[([\w.]+)\]", row[0])[0] for row in table_rows(section(RUNBOOK, "By error name"))]
    assert listed[: len(ENDS)] == list(ENDS), "the ends of a run come first; test_runbook_pages.py has the others"
    rows = [row[0].strip("`") for row in table_rows(section(README, "Use it"))]
    assert sorted(rows) == sorted(ENDS)


def test_every_make_target_and_variable_in_the_documents_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_0-9]+) \?=", makefile, re.MULTILINE))
    sandbox = (ROOT / "tests/sandbox/README.md").read_text(encoding="utf-8")
    variables |= set(re.findall(r"`([A-Z_]+)`", sandbox))
    for document in OURS:
        for line in document.read_text(encoding="utf-8").splitlines():
            command = re.match(r" {4}make ([a-z0-9-]+)(.*?)(#.*)?$", line)
            for target in [command[1]] if command else re.findall(r"`make ([a-z0-9-]+)[^`]*`", line):
                assert target in targets, f"{document.name}: make {target}"
            for variable in re.findall(r"\b([A-Z_0-9]+)=", command[2]) if command else []:
                assert variable in variables, f"{document.name}: {variable}="


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), f"{document.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{document.name}: {target}"


def test_the_pictures_are_small_enough_to_load_on_a_phone() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert {path.name for path in pictures} == {"approval-page.png", "state-machine.svg", "settlement.svg"}
    assert all(path.stat().st_size < 300_000 for path in pictures)


def test_the_sizes_name_every_function_and_layer_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    built = set(re.findall(r"^  (\w+):\n    Type: AWS::Serverless::(?:Function|LayerVersion)$", template, re.MULTILINE))
    assert {row[0] for row in table_rows((ROOT / "docs" / "sizes.md").read_text(encoding="utf-8"))} == built

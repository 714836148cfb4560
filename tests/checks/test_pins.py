"""Promises of checks.pins and of the files of pins themselves."""

import shutil
from pathlib import Path

import pytest

from checks.pins import check_hashes, check_tree, pin_files, read_pins

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository's files of pins in a place where they may be spoilt."""
    for path in pin_files(REPOSITORY):
        for file in (path, path.with_suffix(".in")):
            target = tmp_path / file.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return tmp_path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_repository_pins_everything_once_and_with_hashes() -> None:
    assert check_tree(REPOSITORY) == []


def test_no_layer_brings_the_sdk_that_lambda_has() -> None:
    for path in (REPOSITORY / "layers").glob("*/requirements.txt"):
        assert not {"boto3", "botocore"} & set(read_pins(path)), path


def test_a_requirement_without_a_hash_is_named() -> None:
    assert check_hashes("x.txt", "stripe==16.1.0\n") == ["x.txt: 'stripe==16.1.0' has no hash; run `make lock`."]


def test_a_range_is_no_pin() -> None:
    findings = check_hashes("x.txt", "stripe>=16 \\\n    --hash=sha256:00\n")
    assert findings == ["x.txt: 'stripe>=16' is not pinned by ==; run `make lock`."]


def test_two_versions_of_one_package_in_two_layers_are_named(copy: Path) -> None:
    spoil(copy / "layers/stripe/requirements.txt", "urllib3==", "urllib3==1.")
    assert any("layers/stripe/requirements.txt: pins urllib3 1." in finding for finding in check_tree(copy))


def test_a_layer_with_botocore_is_refused(copy: Path) -> None:
    path = copy / "layers/powertools/requirements.txt"
    path.write_text(path.read_text() + "botocore==1.44.5 \\\n    --hash=sha256:00\n")
    findings = check_tree(copy)
    assert "layers/powertools/requirements.txt: holds botocore, which Lambda's runtime brings." in findings


def test_a_requirement_that_was_never_locked_is_named(copy: Path) -> None:
    path = copy / "layers/slack/requirements.in"
    path.write_text(path.read_text() + "left-pad==1.0\n")
    assert check_tree(copy) == ["slack/requirements.in asks for left-pad==1.0; run `make lock`."]


def test_a_changed_version_that_was_never_locked_is_named(copy: Path) -> None:
    spoil(copy / "layers/stripe/requirements.in", "stripe==16.1.0", "stripe==16.2.0")
    assert check_tree(copy) == ["stripe/requirements.in asks for stripe==16.2.0; run `make lock`."]

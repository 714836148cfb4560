"""A run's files are exactly what was hashed, or the run stops and says so."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from billing.adapters.aws.run_files import RunFiles
from billing.domain.errors import OurFault
from tests.adapters.aws_world import BUCKET, AwsWorld


@pytest.fixture
def files(aws: AwsWorld) -> RunFiles:
    return RunFiles(aws.s3, BUCKET)


def test_what_was_written_is_read_by_its_hash(files: RunFiles) -> None:
    sha256 = files.write_json("runs/a.json", {"b": 1, "ä": "€"})
    assert files.write_json("runs/b.json", {"ä": "€", "b": 1}) == sha256, "the order of keys is no content"
    assert files.read_json("runs/a.json", sha256) == {"b": 1, "ä": "€"}


def test_a_missing_file_is_named(files: RunFiles) -> None:
    with pytest.raises(OurFault, match=r"runs/a\.json is missing"):
        files.read_json("runs/a.json")
    with pytest.raises(OurFault, match=r"runs/a\.json is missing"):
        files.read_piece("runs/a.json", 0, 5, "x")


def test_an_altered_file_is_named(files: RunFiles) -> None:
    sha256 = files.write_json("runs/a.json", {"total": 100})
    files.write("runs/a.json", b'{"total":900}', "application/json")
    with pytest.raises(OurFault, match=r"runs/a\.json was altered"):
        files.read_json("runs/a.json", sha256)


@pytest.mark.parametrize("data", [b'{"a":2}\n{"b":1}\n', b'{"a":1', b"", b"\n" * 16])
def test_an_altered_or_cut_piece_is_named(files: RunFiles, data: bytes) -> None:
    files.write("runs/a.ndjson", b'{"a":1}\n{"b":1}\n', "application/x-ndjson")
    sha256 = files.write_json("runs/x.json", {"a": 1})
    assert files.read_piece("runs/a.ndjson", 0, 7, sha256) == {"a": 1}
    files.write("runs/a.ndjson", data, "application/x-ndjson")
    with pytest.raises(OurFault, match=r"runs/a\.ndjson"):
        files.read_piece("runs/a.ndjson", 0, 7, sha256)


def test_a_piece_at_the_end_is_read(files: RunFiles) -> None:
    files.write("runs/a.ndjson", b'{"a":1}\n{"b":1}\n', "application/x-ndjson")
    assert files.read_piece("runs/a.ndjson", 8, 7, files.write_json("runs/x.json", {"b": 1})) == {"b": 1}
    with pytest.raises(OurFault, match="too short"):
        files.read_piece("runs/a.ndjson", 99, 7, "x")


def test_a_file_that_s3_refuses_to_a_role_that_may_not_list_is_named_as_missing_or_not_readable() -> None:
    """Without s3:ListBucket S3 answers 403, not 404, for what is not there."""

    class Refusing:
        def get_object(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    files = RunFiles(Refusing(), BUCKET)  # type: ignore[arg-type]
    with pytest.raises(
        OurFault, match=r"runs/a\.json is missing, or this function's role may not read it\. Start a new"
    ):
        files.read_json("runs/a.json")
    with pytest.raises(OurFault, match=r"runs/a\.ndjson is missing, or this function's role"):
        files.read_piece("runs/a.ndjson", 0, 5, "x")

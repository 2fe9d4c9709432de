"""The preflight of the data alone, from a laptop: folders, manifests, S3."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main
from groundwork.contract.builtin_tasks import BUILTIN_TASKS
from groundwork.preflight.data import DataSettings, PreflightPlaceError, check_place
from groundwork.s3_client import S3Client
from groundwork.samples import sample
from tests.support.job_fakes import MemoryS3, image_bytes
from tests.support.output_trees import manifest, unlabeled_line, write_file

REGION = "eu-west-1"
CORS_RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
PHOTO, _ = sample(0)


def settings(**changes: Any) -> DataSettings:
    given = {"engine": "open", "region": REGION, "task": BUILTIN_TASKS["BoundingBox"]}
    return DataSettings(**{**given, **changes})


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class Bucket(MemoryS3):
    """S3 that also tells where a bucket is and whom it lets in."""

    def __init__(self, region: str = REGION, rules: list[dict[str, Any]] | None = None) -> None:
        super().__init__()
        self._region = region
        self._rules = [CORS_RULE] if rules is None else rules

    def head_bucket(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        return {"BucketRegion": self._region, "ResponseMetadata": {"HTTPHeaders": {}}}

    def get_bucket_cors(self, Bucket: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        return {"CORSRules": self._rules}


def test_every_image_of_a_folder_is_opened(tmp_path: Path) -> None:
    write_file(tmp_path, "a.jpg", PHOTO)
    write_file(tmp_path, "more/b.jpg", PHOTO)
    assert not check_place(str(tmp_path), settings()).findings.problems
    write_file(tmp_path, "broken.png", b"GIF89a not a PNG")
    write_file(tmp_path, "cut.jpg", PHOTO[: len(PHOTO) // 3])
    found = check_place(str(tmp_path), settings())
    assert (found.objects, found.looked_at) == (4, 4)
    told = " ".join(str(problem) for problem in found.findings.problems)
    assert len(found.findings.problems) == 2
    assert "broken.png" in told
    assert "cut.jpg" in told


def test_what_a_deployment_refuses_of_a_folder_is_refused_here(tmp_path: Path) -> None:
    [problem] = check_place(str(tmp_path), settings()).findings.problems
    assert "there is no image in it" in problem.seen
    write_file(tmp_path, "empty.jpg", b"")
    [problem] = check_place(str(tmp_path), settings()).findings.problems
    assert "empty files: empty.jpg" in problem.seen


def test_a_manifest_its_images_and_their_bucket_are_looked_at(tmp_path: Path) -> None:
    s3 = Bucket(region="us-west-2", rules=[])
    s3.add("s3://bucket/photos/a.jpg", PHOTO)
    s3.add("s3://bucket/photos/b.jpg", b"no picture")
    lines = [unlabeled_line(name) for name in ("a.jpg", "b.jpg", "gone.jpg")]
    path = write_file(tmp_path, "in.manifest", manifest([*lines, '{"source-ref": 5}']))
    s3.add("s3://bucket/in.manifest", path.read_bytes())
    for place in (str(path), "s3://bucket/in.manifest"):
        found = check_place(place, settings(), S3Client(s3))
        assert found.objects == 3
        told = [str(problem) for problem in found.findings.problems]
        assert len(told) == 5, told
        for part in ("line 4", "is in us-west-2", "no CORS rules", "b.jpg", "gone.jpg"):
            assert any(part in each for each in told), part


def test_a_folder_in_s3_is_what_its_images_are() -> None:
    s3 = Bucket()
    s3.add("s3://bucket/photos/a.jpg", PHOTO)
    s3.add("s3://bucket/photos/notes.txt", b"hello")
    found = check_place("s3://bucket/photos/", settings(), S3Client(s3))
    assert (found.objects, found.looked_at, found.findings.problems) == (1, 1, ())
    [problem] = check_place("s3://bucket/empty/", settings(), S3Client(s3)).findings.problems
    assert "it has no lines" in problem.seen


def test_labels_template_and_sizes_are_judged_as_for_the_job(tmp_path: Path) -> None:
    write_file(tmp_path, "a.jpg", PHOTO)
    wanted = settings(
        engine="ground-truth", labels=["cat", "cat"], template="<p>no form</p>", is_automated=True
    )
    found = check_place(str(tmp_path), wanted).findings
    told = " ".join(str(problem) for problem in found.problems)
    assert "cat" in told
    assert "crowd-form" in told
    assert any("probably label all of them" in str(warning) for warning in found.warnings)


def test_nothing_to_look_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(PreflightPlaceError, match="There is no"):
        check_place(str(tmp_path / "nowhere"), settings())
    with pytest.raises(PreflightPlaceError):
        check_place("s3://", settings(), S3Client(MemoryS3()))


def test_the_command_ends_with_one_where_a_job_would_fail(tmp_path: Path) -> None:
    write_file(tmp_path, "photos/a.jpg", PHOTO)
    result = run("preflight", tmp_path / "photos", "--labels", "cat, dog")
    assert result.exit_code == 0, result.output
    assert "1 objects, 1 of them looked at" in result.stdout
    assert "Nothing stands in the way" in result.stdout
    write_file(tmp_path, "photos/b.jpg", b"no picture")
    result = run("preflight", tmp_path / "photos", "--json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)["problems"]) == 1
    assert "1 problem: a labeling job would fail" in result.stderr


def test_an_image_with_megabytes_before_its_size_is_read_as_the_job_reads_it() -> None:
    s3 = Bucket()
    s3.add("s3://photos/a.jpg", image_bytes(64, 48, icc_profile=b"x" * 5_000_000))
    found = check_place("s3://photos/", settings(), S3Client(s3))
    assert not found.findings.problems


def test_a_picture_of_a_folder_has_no_line_and_one_of_a_manifest_has(tmp_path: Path) -> None:
    write_file(tmp_path, "a.jpg", b"no picture")
    (problem,) = check_place(str(tmp_path), settings()).findings.problems
    assert "(line" not in str(problem)
    assert "convert it or take it out" in str(problem)

    s3 = Bucket()
    s3.add("s3://bucket/photos/a.jpg", b"no picture")
    place = write_file(tmp_path, "in.manifest", manifest([unlabeled_line("a.jpg")]))
    (problem,) = check_place(str(place), settings(), S3Client(s3)).findings.problems
    assert "a.jpg (line 1)" in str(problem)
    assert "take out its line" in str(problem)

"""A job's output is found at every place that people may name."""

from pathlib import Path

import pytest

from groundwork.results.answers import read_answers
from groundwork.results.iterations import read_iterations
from groundwork.results.output_tree import FINAL_MANIFEST, JobOutput, ResultsError, open_output
from groundwork.s3_client import S3Client
from tests.support.job_fakes import (
    MemoryS3,
    Workshop,
    box,
    boxes_answer,
    worker,
)
from tests.support.output_trees import (
    boxes_line,
    manifest,
    response,
    unlabeled_line,
    write_file,
    write_tree,
)

LINES = [boxes_line("a.jpg", []), boxes_line("b.jpg", []), unlabeled_line("c.jpg")]


def in_s3(folder: Path, prefix: str) -> S3Client:
    s3 = MemoryS3()
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            s3.add(f"s3://results/{key}", path.read_bytes())
    return S3Client(s3)


def content(output: JobOutput) -> bytes:
    return b"".join(output.chunks())


@pytest.mark.parametrize("place", [".", "..", "../..", FINAL_MANIFEST])
def test_a_folder_its_parent_or_the_manifest_name_the_same_output(
    tmp_path: Path, place: str
) -> None:
    job = write_tree(tmp_path / "all" / "out" / "job", LINES)
    output = open_output(str(job / place))
    assert content(output) == manifest(LINES)
    assert output.is_tree
    assert output.snapshot is None
    assert output.size() == len(manifest(LINES))
    iterations = read_iterations(output)
    assert iterations is not None
    assert iterations.tolist() == [1, 1, 2]


@pytest.mark.parametrize("place", ["out/job", "out/job/", "out", f"out/job/{FINAL_MANIFEST}"])
def test_s3_is_read_as_a_folder_is(tmp_path: Path, place: str) -> None:
    client = in_s3(write_tree(tmp_path, LINES), "out/job")
    output = open_output(f"s3://results/{place}", client)
    assert content(output) == manifest(LINES)
    assert output.address.startswith("s3://results/out/job")
    iterations = read_iterations(output)
    assert iterations is not None
    assert iterations.tolist() == [1, 1, 2]
    assert [answer.iteration for answer in read_answers(output)] == [1, 1, 2]


def test_a_running_jobs_newest_snapshot_is_taken_and_told(tmp_path: Path) -> None:
    for iteration in (1, 9, 10):
        path = f"manifests/intermediate/{iteration}/output.manifest"
        write_file(tmp_path, path, manifest(LINES[: iteration // 5 + 1]))
    for place in (tmp_path, tmp_path / "manifests/intermediate/10/output.manifest"):
        output = open_output(str(place))
        assert output.snapshot == 10
        assert output.is_tree
        assert content(output) == manifest(LINES)


def test_a_manifest_may_lie_alone(tmp_path: Path) -> None:
    path = write_file(tmp_path, "mine.jsonl", manifest(LINES))
    output = open_output(str(path))
    assert content(output) == manifest(LINES)
    assert not output.is_tree
    assert read_iterations(output) is None


def test_what_is_missing_is_told_with_what_would_be_accepted(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"There is no .*nowhere\. Give a job's output folder"):
        open_output(str(tmp_path / "nowhere"))
    with pytest.raises(ResultsError, match=r"manifests/output/output\.manifest"):
        open_output(str(tmp_path))
    with pytest.raises(ResultsError, match="no manifest in s3://results/out"):
        open_output("s3://results/out/", S3Client(MemoryS3()))
    with pytest.raises(ResultsError, match="not an S3 URI"):
        open_output("s3://")


def test_the_jobs_of_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_tree(tmp_path / name, LINES)
    with pytest.raises(ResultsError, match=r"output of 2 jobs: one, two\. Name one: .*one"):
        open_output(str(tmp_path))


def test_our_engines_batches_tell_the_iteration_of_failed_objects_too(tmp_path: Path) -> None:
    """The engine's own output, in memory, with a job of two batches and a broken image."""
    workshop = Workshop()
    lines = workshop.add_images(3)
    workshop.s3.add("s3://images/photos/0001.jpg", b"no image")
    workshop.start(lines, batch=2)
    answer = boxes_answer(box("cat", 1, 2, 30, 40))
    workshop.answer_all([worker(1)], lambda who, task: answer)

    output = open_output("s3://images/out/job", workshop.files)
    iterations = read_iterations(output)
    assert iterations is not None
    assert iterations.tolist() == [1, 1, 2]
    answers = list(read_answers(output))
    assert [(each.object_id, each.content) for each in answers] == [(0, answer), (2, answer)]
    assert answers[0].sub == "sub-1"
    assert answers[0].seconds is not None
    assert answers[0].seconds > 0


def test_old_and_broken_answer_files_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    write_tree(tmp_path, LINES)
    folder = "annotations/worker-response/iteration-3"
    old = response(worker="w").replace('"timeSpentInSeconds": 8.5, ', "")
    write_file(tmp_path, f"{folder}/7/2019-01-01_00:00:00.json", old)
    write_file(tmp_path, f"{folder}/x/2019-01-01_00:00:00.json", response(worker="v"))
    write_file(tmp_path, f"{folder}/8/2019-01-01_00:00:00.json", '{"answers": 7}')
    write_file(tmp_path, f"{folder}/9/2019-01-01_00:00:00.json", "{")
    problems: list[str] = []
    answers = {each.worker_id: each for each in read_answers(open_output(str(tmp_path)), problems)}
    assert answers["private.us-east-1.abc"].seconds == 8.5
    assert answers["w"].seconds == 9.0
    assert answers["v"].object_id is None
    assert len(problems) == 2
    assert "iteration-3/8" in problems[0]


def test_what_the_machine_labeled_belongs_to_the_iteration_that_accepted_it(tmp_path: Path) -> None:
    job = write_tree(tmp_path, [*LINES, boxes_line("d.jpg", [], by="no")])
    for path in (job / "annotations/worker-response").glob("iteration-*/3/*"):
        path.unlink()
    accepted = "activelearning/4/auto_annotator/auto_annotator_output.txt"
    write_file(job, accepted, '3 {"label": {}}\nbroken\n')
    iterations = read_iterations(open_output(str(job)))
    assert iterations is not None
    assert iterations.tolist() == [1, 1, 2, 4]

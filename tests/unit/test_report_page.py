"""The report: one file that shows everything, needs nothing, and lets no name become markup."""

import errno
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main
from groundwork.report_page import writing
from groundwork.results.files import FolderFiles
from groundwork.samples import generate
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
    write_file,
    write_tree,
)

ROUND: dict[str, Any] = {
    "iteration": 1,
    "decision": "propose",
    "reason": "it should pass",
    "quality": "mean IoU",
    "target": 0.8,
    "risk_curve": [{"objects": 2, "mean_forecast": 0.9, "threshold": 0.85}],
    "proposal": {"objects": 2, "sampled": 1, "mean_forecast": 0.9, "threshold": 0.85},
}
VERDICT: dict[str, Any] = {
    "proposal_of": 1,
    "accepted": 1,
    "expected": 0.9,
    "achieved": 0.88,
    "tests": [{"size": 2, "sampled": 1, "sample_mean": 0.88, "bound": 0.82, "needed": 0.8}],
}


TRUE_BOX = {"label": "cup", "left": 10, "top": 20, "width": 30, "height": 40}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def gallery(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'id="gallery-data">(.*?)</script>', text, re.DOTALL)
    assert found
    document: dict[str, Any] = json.loads(found[1])
    return document


def row_of(document: dict[str, Any], place: int) -> dict[str, Any]:
    """Return an object of the gallery by the names of its fields."""
    return dict(zip(document["fields"], document["objects"][place], strict=True))


class _Parser(HTMLParser):
    """Collects the sections, and what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        if tag == "section":
            self.sections.append(values.get("id") or "")
        for key in ("src", "href"):
            value = values.get(key)
            if value and not value.startswith("#"):
                self.loaded.append(value)


def parsed(page: Path) -> _Parser:
    parser = _Parser()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job by people and machine on three sample photos, with one iteration's record."""
    generate(tmp_path / "photos", 3, seed=3)
    names = [f"sample-0000{number}.jpg" for number in range(3)]
    tree = write_tree(
        tmp_path / "job",
        [
            boxes_line(names[0], [box(0)]),
            boxes_line(names[1], [box(1), box(2, left=200)], by="no", confidence=0.3),
            failed_line(names[2]),
            unlabeled_line("other.jpg"),
            "{broken",
        ],
    )
    write_file(tree, "activelearning/1/round.json", json.dumps(ROUND))
    write_file(
        tree, "activelearning/2/round.json", json.dumps({"iteration": 2, "verdict": VERDICT})
    )
    return tree


def test_the_page_has_every_section_and_loads_nothing(job: Path, tmp_path: Path) -> None:
    page, photos = tmp_path / "out" / "report.html", tmp_path / "photos"
    truth = photos / "truth.json"
    result = run("report", job, "--to", page, "--truth", truth, "--image-folder", photos, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["objects_shown"], document["images_gone"]["count"]) == (3, 0)
    parser = parsed(page)
    assert parser.sections == [
        "overview",
        "progress",
        "quality",
        "automation",
        "data",
        "workers",
        "cost",
        "problems",
        "gallery",
    ]
    assert parser.loaded == []
    assert "http" not in page.read_text(encoding="utf-8").replace("http-equiv", "").replace(
        '"http://www.w3.org/2000/svg"', ""
    )
    text = page.read_text(encoding="utf-8")
    assert "Accepted 1: sample mean 0.880, bound 0.820, needed 0.800." in text
    assert "Boxes of the same class are matched one to one" in text


def test_a_foreign_record_of_no_objects_is_no_curve(job: Path, tmp_path: Path) -> None:
    region = {"objects": 0, "mean_forecast": 0.0, "threshold": 0.0}
    write_file(job, "activelearning/1/round.json", json.dumps(ROUND | {"risk_curve": [region]}))
    page = tmp_path / "report.html"
    result = run("report", job, "--to", page, "--no-images")
    assert result.exit_code == 0, result.output
    assert "automation" in parsed(page).sections
    assert "After iteration 1" not in page.read_text(encoding="utf-8")


def test_intervals_name_their_confidence_and_method(job: Path, tmp_path: Path) -> None:
    summary = {"confidence": 0.9, "measured_quality": {"mean": 0.8, "low": 0.7, "high": 0.9}}
    write_file(job, "activelearning/summary.json", json.dumps(summary))
    lines = [boxes_line(name, [box(0)]) for name in ("a.jpg", "b.jpg")]
    write_file(job, "manifests/output/output.manifest", manifest(lines))
    truth = write_file(
        tmp_path, "truth.json", json.dumps({"a.jpg": [TRUE_BOX], "b.jpg": [TRUE_BOX]})
    )
    page = tmp_path / "report.html"
    assert run("report", job, "--to", page, "--no-images", "--truth", truth).exit_code == 0
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert "against people: 90% [0.700, 0.900], by betting" in text
    assert "95% [0.342, 1.000], n = 2, Wilson's score interval" in text


def test_the_bound_of_accepted_labels_is_that_of_the_test_that_passed(
    job: Path, tmp_path: Path
) -> None:
    [usual] = VERDICT["tests"]
    tests = [usual | {"bound": 0.84, "passed": True}, usual | {"size": 1, "bound": 0.7}]
    record = {"iteration": 2, "verdict": VERDICT | {"tests": tests}}
    write_file(job, "activelearning/2/round.json", json.dumps(record))
    page = tmp_path / "report.html"
    assert run("report", job, "--to", page, "--no-images").exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "Accepted 1: sample mean 0.880, bound 0.840, needed 0.800." in text


def test_the_gallery_holds_each_object_with_why_it_is_doubted(job: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run("report", job, "--to", page, "--image-folder", tmp_path / "photos")
    document = gallery(page)
    human, machine, failed = document["objects"]
    assert human[:6] == [0, "sample-00000.jpg", 0, 1, 640, 480]
    assert document["prefixes"] == ["s3://bucket/photos/"]
    kinds = [document["doubts"][kind] for kind, _ in machine[12]]
    assert kinds == ["confidence"]
    assert [document["classes"][each] for each in machine[7]] == ["jug", "pot"]
    assert failed[14] == "no worker answered"
    pictures = re.search(
        r'id="pictures-0">\n(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert pictures
    assert [line[:5] for line in pictures[1].splitlines()] == ["UklGR"] * 3, "WebP in base64"


def test_only_the_machines_labels_have_a_confidence_and_its_0_is_one(tmp_path: Path) -> None:
    """Ground Truth writes 0 to what a single person labeled, and other numbers for agreement."""
    lines = [
        boxes_line("a.jpg", [box(0)], confidence=0.4),
        boxes_line("b.jpg", [box(0)], by="no", confidence=0),
        class_line("c.jpg", 0),
    ]
    path = write_file(tmp_path, "it.manifest", manifest(lines))
    page = tmp_path / "report.html"
    assert run("report", path, "--to", page, "--no-images").exit_code == 0
    person, machine, of_class = (row_of(gallery(page), place) for place in range(3))
    assert (person["confidence"], person["boxes"][0][-1]) == (None, None)
    assert (machine["confidence"], machine["boxes"][0][-1]) == (0, 0)
    assert of_class["confidence"] is None


def test_nothing_in_a_name_becomes_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x>@data@.jpg"
    line = boxes_line(
        evil, [box(0)], job=f"labeling-job/{evil}", changes={"class-map": {"0": evil}}
    )
    path = write_file(tmp_path, "it.manifest", manifest([line, failed_line(evil)]))
    page = tmp_path / "report.html"
    result = run("report", path, "--to", page, "--image-folder", tmp_path)
    assert result.exit_code == 0, result.output
    assert "NOTE: images that cannot be had: 2" in result.stdout
    parser = parsed(page)
    assert "img" not in parser.tags
    assert parser.loaded == []
    assert gallery(page)["objects"][0][1] == evil.rpartition("/")[2]


def test_a_report_is_made_of_whatever_is_there(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    classes = write_file(tmp_path, "c.manifest", manifest([class_line("a.jpg", 1)]))
    assert run("report", classes, "--to", page, "--no-images").exit_code == 0
    assert parsed(page).sections == ["overview", "data", "cost", "gallery"]
    nothing = write_file(tmp_path, "n.manifest", manifest([unlabeled_line("a.jpg")]))
    result = run("report", nothing, "--to", page)
    assert result.exit_code == 0, result.output
    assert "No object has a label yet" in result.stdout
    assert gallery(page)["objects"] == []


def test_a_truncated_file_of_the_models_opinions_is_a_problem_that_the_page_names(
    job: Path, tmp_path: Path
) -> None:
    write_file(job, "inference/shards.json", '{"objects_per_shard": 5')
    page = tmp_path / "report.html"
    result = run("report", job, "--to", page, "--no-images", "--json")
    assert result.exit_code == 0, result.output
    [problem] = json.loads(result.stdout)["problems"]
    assert "inference/shards.json cannot be read" in problem
    assert "inference/shards.json cannot be read" in page.read_text(encoding="utf-8")


def test_no_file_beside_the_manifest_is_read_twice(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(job, "activelearning/1/auto_annotator_output.txt", "1 {}\n")
    write_file(job, "activelearning/summary.json", "{}")
    write_file(job, "annotations/intermediate/1/batch.jsonl", '{"id": 0}\n')
    read: Counter[str] = Counter()
    stream = FolderFiles.stream

    def counted(files: FolderFiles, path: str) -> Iterator[bytes]:
        read[path] += 1
        return stream(files, path)

    monkeypatch.setattr(FolderFiles, "stream", counted)
    assert run("report", job, "--to", tmp_path / "report.html", "--no-images").exit_code == 0
    twice = [path for path, count in read.items() if count > 1]
    assert twice == ["manifests/output/output.manifest"], "once to count, once to choose"
    assert len(read) > 6


def test_what_no_measure_is_for_is_not_called_bad(tmp_path: Path) -> None:
    """A segmentation job's page has no quality, as the truth has boxes only."""
    metadata = {"type": "groundtruth/semantic-segmentation", "human-annotated": "yes"}
    line = unlabeled_line("a.jpg") | {"mask-ref": "s3://b/a.png", "mask-ref-metadata": metadata}
    path = write_file(tmp_path, "it.manifest", manifest([line]))
    truth = write_file(tmp_path, "truth.json", json.dumps({"a.jpg": [TRUE_BOX]}))
    page = tmp_path / "report.html"
    result = run("report", path, "--to", page, "--no-images", "--truth", truth)
    assert result.exit_code == 0, result.output
    assert "quality" not in parsed(page).sections
    assert row_of(gallery(page), 0)["score"] is None
    assert "against the truth" not in run("results", path, "--truth", truth).stdout


def test_several_classes_are_measured_by_the_first_and_the_page_says_so(tmp_path: Path) -> None:
    metadata = {"class-map": {"0": "cup", "1": "jug"}, "human-annotated": "yes"}
    line = unlabeled_line("a.jpg") | {"label": [0, 1], "label-metadata": metadata}
    path = write_file(tmp_path, "it.manifest", manifest([line]))
    truth = write_file(tmp_path, "truth.json", json.dumps({"a.jpg": [TRUE_BOX]}))
    page = tmp_path / "report.html"
    assert run("report", path, "--to", page, "--no-images", "--truth", truth).exit_code == 0
    assert "Accuracy of the first class, by people" in page.read_text(encoding="utf-8")
    told = run("results", path, "--truth", truth).stdout
    assert "people: accuracy of the first class" in told


def test_a_gallery_with_a_limit_keeps_the_most_doubted_and_a_seeded_sample(tmp_path: Path) -> None:
    lines = [
        boxes_line(f"{number}.jpg", [box(0)], by="no", confidence=0.1 if number == 90 else 0.95)
        for number in range(100)
    ]
    path = write_file(tmp_path, "it.manifest", manifest(lines))
    page = tmp_path / "report.html"

    def chosen(seed: int) -> list[int]:
        arguments = ("--most", "10", "--seed", str(seed), "--no-images")
        assert run("report", path, "--to", page, *arguments).exit_code == 0
        return [row[0] for row in gallery(page)["objects"]]

    first = chosen(1)
    assert len(first) == 10
    assert 90 in first
    assert first == chosen(1)
    assert first != chosen(2)
    assert "10 of 100 labeled objects are shown" in page.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_made_leaves_the_old_one(job: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    result = run("report", tmp_path / "nowhere", "--to", page)
    assert result.exit_code == 1
    assert "There is no" in result.stderr
    assert page.read_text() == "old"


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_counted(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*arguments: Any, **options: Any) -> None:
        raise AssertionError("counted first")

    monkeypatch.setattr(writing, "make_report", counted)
    write_file(tmp_path, "file", "")
    result = run("report", job, "--to", tmp_path / "file" / "deep" / "report.html")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {tmp_path / 'file' / 'deep'}: Not a directory\n"


@pytest.mark.parametrize("broken", ["full", "failing"])
def test_a_page_that_breaks_off_leaves_the_old_one_and_no_part(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def thumbnails(*arguments: Any, **options: Any) -> Iterator[bytes | str]:
        yield b"picture"
        if broken == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "report.html.part")
        raise RuntimeError("a defect")

    monkeypatch.setattr(writing, "thumbnails", thumbnails)
    page = write_file(tmp_path / "out", "report.html", "old")
    result = run("report", job, "--to", page, "--image-folder", tmp_path / "photos")
    assert result.exit_code == 1
    if broken == "full":
        assert result.stderr == "Error: report.html.part: No space left on device\n"
    assert page.read_text() == "old"
    assert list(page.parent.iterdir()) == [page]


def test_a_broken_picture_is_told_and_the_others_are_shown(job: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    whole = (photos / "sample-00000.jpg").read_bytes()
    (photos / "sample-00000.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "sample-00001.jpg").write_text("no picture")
    page = tmp_path / "report.html"
    result = run("report", job, "--to", page, "--image-folder", photos, "--json")
    assert result.exit_code == 0, result.output
    gone = json.loads(result.stdout)["images_gone"]
    assert gone["count"] == 2
    assert (
        "sample-00000.jpg: the image cannot be decoded: image file is truncated" in gone["first"][0]
    )
    assert "sample-00001.jpg: the image cannot be decoded" in gone["first"][1]
    found = re.search(
        r'id="pictures-0">\n(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    assert [line[0] for line in found[1].splitlines()] == ["!", "!", "U"]


def test_the_page_has_a_ground_truth_trees_figures(tmp_path: Path) -> None:
    """Ground Truth leaves no records of rounds; what its manifest and folders tell is there."""
    lines = [
        boxes_line("a.jpg", [box(0), box(1, left=100)], confidence=0),
        failed_line("b.jpg"),
        boxes_line("c.jpg", [box(0, left=25)], by="no", confidence=0.72),
        unlabeled_line("d.jpg"),
    ]
    tree = write_tree(tmp_path / "kitchen", lines)
    write_file(tree, "activelearning/2/auto_annotator_output.txt", "2 {}\n")
    truth = write_file(
        tmp_path, "truth.json", json.dumps({"a.jpg": [TRUE_BOX], "c.jpg": [TRUE_BOX]})
    )
    page = tmp_path / "report.html"
    assert run("report", tree, "--to", page, "--no-images", "--truth", truth).exit_code == 0
    text = re.sub(r"<[^>]*>", "|", page.read_text(encoding="utf-8").partition("<script")[0])
    told = re.sub(r"\|+", "|", text)
    for figure in (
        "|kitchen|",
        "|objects|4|",
        "|labeled by people|1|25.0%|",
        "|labeled by machine|1|25.0%|",
        "|failed|1|25.0%|",
        "|Per-image mean IoU, by people|0.500|",
        "|Per-image mean IoU, by machine|0.333|",
        "|cup|1|1|",
        "|jug|1|0|",
        "|private.us-east-1.abc|4|8.5|",
        "|1|no worker answered|",
        "|Ground Truth, the same labels|2 x 0.08|",
    ):
        assert figure in told, figure
    assert "automation" not in parsed(page).sections

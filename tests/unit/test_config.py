"""The configuration: everything wrong is told at once, and before anything is deployed."""

from pathlib import Path
from typing import Any

import pytest

from stacks.config import ConfigurationError, WorkshopConfig, config_table

PROJECT = Path(__file__).resolve().parents[2]
_BEGIN, _END = "<!-- config table -->", "<!-- /config table -->"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name in ("b.jpg", "a.PNG", "more/c.jpeg", "truth.json"):
        (folder / name).write_bytes(b"x")
    return folder


def _read(root: Path, **context: Any) -> WorkshopConfig:
    return WorkshopConfig.from_context(context, root)


def _problems(root: Path, **context: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as refused:
        _read(root, **context)
    return {problem.field: str(problem) for problem in refused.value.problems}


def test_nothing_needs_to_be_given(tmp_path: Path) -> None:
    """Plain `cdk deploy` labels sample photos on the managed service."""
    config = _read(tmp_path)

    assert config.engine == "ground-truth"
    assert config.uses_sample_images
    assert config.object_count == 30
    assert config.labels == ()


def test_the_cdks_own_context_is_no_field(tmp_path: Path) -> None:
    """Feature flags and cached look-ups of the CLI pass by."""
    own = {"@aws-cdk/core:x": True, "aws:cdk:y": 1, "cdk-migrate": True, "vpc-provider:a=b": {}}

    assert _read(tmp_path, **own) == _read(tmp_path)


def test_a_file_gives_what_the_command_line_does_not(tmp_path: Path, photos: Path) -> None:
    """The file's paths start at the file, and the command line wins."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "workshop.yaml").write_text(
        "engine: open\nname: logos\nimages: ../photos\nlabels: [cup, 'no']\n"
        "worker_emails: [ana@example.com]\ntags: {team: vision}\n"
    )

    config = _read(tmp_path, config="settings/workshop.yaml", name="cups", workers_per_object="3")

    assert (config.engine, config.name, config.workers_per_object) == ("open", "cups", 3)
    assert config.labels == ("cup", "no")
    assert dict(config.tags) == {"team": "vision"}
    assert config.images is not None
    assert config.images.names == ("a.PNG", "b.jpg", "more/c.jpeg")


def test_lists_and_mappings_fit_on_a_command_line(tmp_path: Path, photos: Path) -> None:
    """Commas separate, and JSON takes names that have commas."""
    config = _read(
        tmp_path,
        images=str(photos),
        labels='["cup, red", "jug"]',
        worker_emails="ana@example.com, minsu@example.com",
        tags="team=vision,cost=42",
    )

    assert config.labels == ("cup, red", "jug")
    assert config.worker_emails == ("ana@example.com", "minsu@example.com")
    assert dict(config.tags) == {"team": "vision", "cost": "42"}


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """One run tells what five would."""
    problems = _problems(
        tmp_path,
        engine="opn",
        batch_size="0",
        worker_email="ana@example.com",
        images="nowhere",
        workers_per_object="many",
    )

    assert set(problems) == {
        "engine",
        "batch_size",
        "worker_email",
        "images",
        "workers_per_object",
        "labels",
    }
    assert "Did you mean open?" in problems["engine"]
    assert "Did you mean worker_emails?" in problems["worker_email"]
    assert "got '0'; accepted: a whole number, 1 to 5,000" in problems["batch_size"]
    assert "There is nothing at" in problems["images"]
    assert "Name the classes" in problems["labels"]


def test_the_message_lists_each_problem_on_a_line(tmp_path: Path) -> None:
    """What people read names field, value, what is accepted and what to do."""
    with pytest.raises(ConfigurationError) as refused:
        _read(tmp_path, studio="perhaps", name="-x")

    lines = str(refused.value).splitlines()
    assert lines[0] == "The configuration has 2 problems; nothing was deployed."
    assert lines[1].startswith("  - studio: got 'perhaps'; accepted: true or false. ")
    assert lines[2].startswith("  - name: got '-x'; accepted: a letter, then letters, digits")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "GroundworkEngine", "the engine's own stack"),
        ("name", "awsome", "Cognito refuses 'aws'"),
        ("name", "ends-", "a letter, then letters"),
        ("task_type", "boxes", "bounding-box or image-classification"),
        ("task_time_limit_seconds", "29", "30 to 28,800"),
        ("workers_per_object", "10", "1 to 9"),
        ("max_labeled_percentage", "101", "1 to 100"),
        ("max_human_labeled_objects", "0", "1 or more"),
        ("label_attribute", "my_label", "letters, digits and hyphens"),
        ("label_attribute", "boxes-ref", "not ending in -ref"),
        ("label_attribute", "source", "not source"),
        ("title", "two\nlines", "one line of text, up to 128"),
        ("description", "x" * 256, "up to 255"),
        ("worker_emails", "ana@example.com,ana", "got ['ana']"),
        ("worker_emails", "ana@example.com,Ana@Example.com", "Name each worker once"),
        ("kms_key_arn", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "not of an alias"),
        ("tags", "team", "key=value pairs"),
        ("tags", "aws:x=y", "no key beginning with aws:"),
        ("manifest", "photos/input.manifest", "s3://<bucket>/<key>"),
        ("manifest", "s3://My_Bucket/in.manifest", "No bucket is named 'My_Bucket'"),
        ("manifest", "s3://photos/folder/", "This names a bucket or folder"),
        ("manifest", "s3://photos/*.manifest", "no control characters, * or ?"),
        ("image_buckets", "s3://photos", "without s3://"),
        ("auto_labeling_target", "80", "between 0 and 1"),
        ("auto_labeling_sample_percentage", "51", "from 0 to 50, in percent"),
        ("auto_labeling_sample_percentage", "few", "from 0 to 50, in percent"),
        ("region", "Frankfurt", "a region's name"),
        ("template", "page.html", "There is no file at"),
        ("config", "workshop.yaml", "No such file"),
        ("work_team_arn", "my-team", "arn:aws:sagemaker:<region>:<account>:workteam"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_accepted(
    tmp_path: Path, field: str, value: str, said: str
) -> None:
    """Each field guards itself."""
    assert said in _problems(tmp_path, **{field: value})[field]


def test_the_public_team_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Mechanical Turk is closed, so that nobody would ever label."""
    public = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"

    said = _problems(tmp_path, work_team_arn=public)["work_team_arn"]

    assert "Mechanical Turk, which closed on 30 September 2026" in said


def test_a_vendors_team_is_for_ground_truth(tmp_path: Path) -> None:
    """Vendors don't work in an engine of our own."""
    vendor = "arn:aws:sagemaker:eu-west-1:123456789012:workteam/vendor-crowd/labels"

    assert _read(tmp_path, work_team_arn=vendor).work_team_arn == vendor
    assert (
        "Vendors work in Ground Truth only"
        in (_problems(tmp_path, work_team_arn=vendor, engine="open")["work_team_arn"])
    )


def test_fields_that_exclude_each_other_are_named(tmp_path: Path, photos: Path) -> None:
    """Neither of two contradicting wishes is dropped silently."""
    team = "arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/ours"

    problems = _problems(
        tmp_path,
        work_team_arn=team,
        worker_emails="ana@example.com",
        workforce="adopt",
        region="us-east-1",
        images=str(photos),
        labels="cup",
        manifest="s3://photos/input.manifest",
        sample_count="5",
    )

    assert set(problems) == {
        "worker_emails",
        "workforce",
        "work_team_arn",
        "manifest",
        "sample_count",
    }
    assert "a team in us-east-1" in problems["work_team_arn"]


def test_buckets_of_images_belong_to_a_manifest(tmp_path: Path) -> None:
    """The manifest's own bucket comes first."""
    given = {"manifest": "s3://a-bucket/in.manifest", "image_buckets": "b-bucket,a-bucket"}

    config = _read(tmp_path, labels="cup", **given)

    assert config.input_buckets == ("a-bucket", "b-bucket")
    assert "Set manifest" in _problems(tmp_path, image_buckets="b-bucket")["image_buckets"]


def test_labels_follow_the_task_type(tmp_path: Path, photos: Path) -> None:
    """One box class is enough; one image class is no choice."""
    assert _read(tmp_path, images=str(photos), labels="cup").labels == ("cup",)

    def said(**more: str) -> str:
        return _problems(tmp_path, images=str(photos), **more)["labels"]

    assert "needs at least 2" in said(labels="cup", task_type="image-classification")
    assert "occurs 2 times" in said(labels="cup,jug,cup")
    assert "takes at most 50" in said(labels=",".join(f"class {n}" for n in range(51)))


def test_a_folder_is_looked_through_before_anything_is_deployed(tmp_path: Path) -> None:
    """Names that S3 keeps apart and a laptop doesn't, empty files, no image at all."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "notes.txt").write_text("x")
    assert "There is no image in it" in _problems(tmp_path, images="photos", labels="a")["images"]

    (folder / "a.jpg").write_bytes(b"x")
    (folder / "A.jpg").write_bytes(b"x")
    (folder / "b.png").write_bytes(b"")
    said = _problems(tmp_path, images="photos", labels="a")["images"]
    assert "differ in case only: A.jpg and a.jpg" in said
    assert "empty files: b.png" in said


def test_an_own_template_is_checked_and_brings_its_instructions(tmp_path: Path) -> None:
    """A template without its element would show workers an empty page."""
    (tmp_path / "page.html").write_text("<p>{{ task.input.taskObject }}</p>")

    problems = _problems(tmp_path, template="page.html", short_instructions="Draw.")

    assert "remove one of the two" in problems["short_instructions"]
    assert "crowd-bounding-box" in problems["template"]


def test_the_open_engine_takes_wishes_about_automated_labels(tmp_path: Path) -> None:
    """The quality that they must have, and how many of them people see."""
    config = _read(
        tmp_path,
        engine="open",
        auto_labeling="true",
        auto_labeling_target="0.7",
        auto_labeling_sample_percentage="5",
    )

    assert (config.auto_labeling_target, config.auto_labeling_sample_percentage) == (0.7, 5)


def test_wishes_about_automated_labels_that_nobody_would_heed_are_refused(tmp_path: Path) -> None:
    """All in one message: Ground Truth's are fixed, and people need no target."""
    wishes = {"auto_labeling_target": "0.8", "auto_labeling_sample_percentage": "5"}

    fixed = _problems(tmp_path, auto_labeling="true", **wishes)
    idle = _problems(tmp_path, engine="open", **wishes)

    assert set(fixed) == set(idle) == set(wishes)
    for name in wishes:
        assert "is fixed" in fixed[name]
        assert "Set auto_labeling to true, or remove it" in idle[name]


def test_batches_that_can_prove_nothing_are_refused_with_automated_labeling(tmp_path: Path) -> None:
    """People would label every image, and nobody would know why."""
    settings = {"engine": "open", "batch_size": "19"}

    assert (
        "20 or more with automated labeling"
        in (_problems(tmp_path, auto_labeling="true", **settings)["batch_size"])
    )
    assert _read(tmp_path, **settings).batch_size == 19


@pytest.mark.parametrize(("engine", "fewest"), [("ground-truth", "1,250"), ("open", "200")])
def test_few_images_for_automated_labeling_are_a_warning(
    tmp_path: Path, engine: str, fewest: str
) -> None:
    """The workshop's own job had 30 images and asked for it."""
    config = _read(tmp_path, engine=engine, auto_labeling="true", worker_emails="ana@example.com")

    assert list(config.warnings()) == ["auto-labeling-few-images"]
    assert f"{fewest} images" in config.warnings()["auto-labeling-few-images"]
    assert list(_read(tmp_path).warnings()) == ["no-workers"]


def test_ground_truth_runs_in_twelve_regions(tmp_path: Path) -> None:
    """The open engine runs in all."""
    assert (
        "a region with Ground Truth: us-east-1"
        in (_problems(tmp_path, region="eu-north-1")["region"])
    )
    assert _read(tmp_path, region="eu-north-1", engine="open").region == "eu-north-1"


def test_a_configuration_can_not_be_changed(tmp_path: Path) -> None:
    """What was checked is what is deployed."""
    with pytest.raises(AttributeError):
        _read(tmp_path).name = "other"  # type: ignore[misc] # the point of the test


def test_the_readmes_table_is_the_codes() -> None:
    """Each field, what it takes and its default, as the code has them."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    if _BEGIN not in readme:
        pytest.skip("the README has no place for the table yet")
    shown = readme.partition(_BEGIN)[2].partition(_END)[0].strip()

    assert shown == config_table()


def test_operators_are_wanted_where_somebody_has_something_to_tell_them(tmp_path: Path) -> None:
    """A budget needs people, people need something to be told, and AWS tells ten at most."""
    config = _read(tmp_path, engine="open", operator_emails="a@example.com,b@example.com")
    many = ",".join(f"o{number}@example.com" for number in range(11))

    assert config.operator_emails == ("a@example.com", "b@example.com")
    assert config.monthly_budget_usd is None
    assert _read(tmp_path, operator_emails="a@example.com", monthly_budget_usd="20")
    assert "operator_emails" in _problems(tmp_path, monthly_budget_usd="20")["monthly_budget_usd"]
    assert "monthly_budget_usd" in _problems(tmp_path, operator_emails="a@x.org")["operator_emails"]
    assert "up to 10" in _problems(tmp_path, engine="open", operator_emails=many)["operator_emails"]


@pytest.mark.parametrize(
    ("content", "field", "said"),
    [
        (b"labels:\n" + b"- " * 3_000, "config", "maximum recursion depth"),
        (b"name: !!timestamp x", "config", "workshop.yaml: "),
        (b"name: !!python/object/apply:os.system [ls]", "config", "could not determine"),
        (b"workers_per_object: " + b"9" * 5_000, "config", "workshop.yaml: "),
        (b"workers_per_object: 0x" + b"f" * 9_000, "workers_per_object", "very many digits"),
        (b"auto_labeling_target: 1" + b"0" * 400, "auto_labeling_target", "between 0 and 1"),
        ("name: \xfcber".encode("latin-1"), "config", "is not UTF-8 at byte 6"),
        (b"#" * 1_000_001, "config", "has more than 1,000,000 bytes"),
        ("tags: {team: 사과 🍎}".encode(), "tags", "letters, digits, spaces and _.:/=+-@"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_that_yaml_stumbles_over_is_told(
    tmp_path: Path, content: bytes, field: str, said: str
) -> None:
    (tmp_path / "workshop.yaml").write_bytes(content)
    assert said in _problems(tmp_path, config="workshop.yaml")[field]


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "workshop.yaml").write_bytes(b"\xef\xbb\xbfname: cups\r\nengine: open\r\n")
    assert _read(tmp_path, config="workshop.yaml").name == "cups"


def test_aliases_of_aliases_are_not_written_out(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghijklmno", "abcdefghijklmn", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    names = ("engine", "name", "labels", "studio", "batch_size", "tags", "work_team_arn")
    (tmp_path / "workshop.yaml").write_text("\n".join([*lines, *(f"{n}: *o" for n in names)]))

    problems = _problems(tmp_path, config="workshop.yaml")

    assert problems.keys() >= set(names)
    assert max(map(len, problems.values())) < 2_000


@pytest.mark.parametrize("path", ["~nobody-at-all/x", "a\0b", "x" * 5_000])
@pytest.mark.parametrize("field", ["images", "template", "config"])
def test_what_is_no_path_at_all_is_told(tmp_path: Path, field: str, path: str) -> None:
    told = _problems(tmp_path, **{field: path, "labels": "a"})[field]
    assert "No path is written so" in told
    assert len(told) < 1_000


def test_a_very_long_address_is_refused_without_being_taken_apart(tmp_path: Path) -> None:
    address = "a@" + "a." * 100_000 + "@"
    assert "Mend these" in _problems(tmp_path, worker_emails=[address])["worker_emails"]


def test_a_manifest_may_be_named_as_people_name_files(tmp_path: Path) -> None:
    manifest = "s3://photos/내 사진 #1 100%.manifest"
    assert _read(tmp_path, manifest=manifest, labels="a").manifest == manifest

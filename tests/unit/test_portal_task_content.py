"""A task's page comes from the job's own template, with the job's own rights."""

from dataclasses import replace
from datetime import timedelta

import pytest

from groundwork.jobs.work import LeasedTask
from groundwork.portal.task_content import TaskContents
from groundwork.s3_client import S3AccessDeniedError, S3Uri
from tests.support.portal_fakes import START, FakeClock

TASK = LeasedTask(
    lease_id="lease",
    job_name="logos",
    title="",
    description="",
    object_id=0,
    task_input={"taskObject": "s3://data/a.jpg", "labels": ["Apple"]},
    template_uri="s3://bucket/template.html",
    role_arn="arn:role/one",
    accepted_at=START,
    expires_at=START + timedelta(seconds=300),
    time_limit_seconds=300,
)


class FakeFiles:
    """S3 that counts what it is asked."""

    def __init__(self) -> None:
        self.text = b'<img src="{{ task.input.taskObject | grant_read_access }}">'
        self.version = 1
        self.calls: list[str] = []
        self.error: Exception | None = None

    def get(self, uri: S3Uri) -> bytes:
        self.calls.append(f"get {uri}")
        return self.text

    def size(self, uri: S3Uri) -> int:
        return len(self.text)

    def etag(self, uri: S3Uri) -> str:
        self.calls.append(f"etag {uri}")
        if self.error:
            raise self.error
        return f"etag-{self.version}"

    def presign_get(self, uri: S3Uri, expires_seconds: int) -> str:
        return f"https://{uri.bucket}/{uri.key}?expires={expires_seconds}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def contents(files: FakeFiles, clock: FakeClock) -> TaskContents:
    return TaskContents(lambda _: files, clock)


def test_urls_last_as_long_as_the_lease(contents: TaskContents, clock: FakeClock) -> None:
    clock.advance(seconds=100)
    assert contents.content_of(TASK).html == '<img src="https://data/a.jpg?expires=200">'


def test_urls_of_a_month_long_lease_last_a_week(contents: TaskContents) -> None:
    html = contents.content_of(replace(TASK, expires_at=START + timedelta(days=30))).html
    assert html == '<img src="https://data/a.jpg?expires=604800">'


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("s3://foreign/a.jpg", "is in no bucket of the task's data or of the template"),
        (
            "s3://foreign/{{ task.input.taskObject | url_encode }}",
            "is in no bucket of the task's data or of the template",
        ),
        ("s3://data.foreign/a.jpg", "is in no bucket of the task's data or of the template"),
        ("s3://bucket@foreign/a.jpg", "no bucket is named 'bucket@foreign'"),
        ("s3://databucket/a.jpg", "is in no bucket of the task's data or of the template"),
    ],
)
def test_a_template_tells_a_foreign_bucket_nothing(
    contents: TaskContents, files: FakeFiles, uri: str, told: str
) -> None:
    # Whoever owns the bucket would read in its log what the address is made of, and could let the
    # page write there.
    files.text = (
        f"{{% capture uri %}}{uri}{{% endcapture %}}{{{{ uri | grant_read_access }}}}".encode()
    )
    content = contents.content_of(TASK)
    assert (content.html, content.granted) == (None, ())
    [problem] = content.problems
    assert "grant_read_access: " in problem
    assert told in problem


def test_a_template_may_show_what_is_beside_it_and_what_its_data_name(
    contents: TaskContents, files: FakeFiles
) -> None:
    files.text = b"""{{ "s3://bucket/good-example.png" | grant_read_access }}
    {{ task.input.list | split: "," | last | grant_read_access }}"""
    task = replace(TASK, task_input={**TASK.task_input, "list": "s3://data/a,s3://more.data/b"})
    assert contents.content_of(task).granted == (
        "https://bucket/good-example.png?expires=300",
        "https://more.data/b?expires=300",
    )


def test_a_template_is_fetched_once_and_its_etag_asked_for_after_a_while(
    contents: TaskContents, files: FakeFiles, clock: FakeClock
) -> None:
    contents.content_of(TASK)
    contents.content_of(TASK)
    clock.advance(seconds=30)
    contents.content_of(TASK)
    uri = "s3://bucket/template.html"
    assert files.calls == [f"etag {uri}", f"get {uri}", f"etag {uri}"]


def test_a_changed_template_is_fetched_again(
    contents: TaskContents, files: FakeFiles, clock: FakeClock
) -> None:
    contents.content_of(TASK)
    files.text, files.version = b"new", 2
    clock.advance(seconds=30)
    assert contents.content_of(TASK).html == "new"


def test_one_jobs_template_is_not_served_to_another_jobs_role(
    contents: TaskContents, files: FakeFiles
) -> None:
    contents.content_of(TASK)
    files.error = S3AccessDeniedError("s3://bucket/template.html: access denied")
    content = contents.content_of(replace(TASK, role_arn="arn:role/two"))
    assert content.html is None
    assert content.problems == (
        "the worker template s3://bucket/template.html: s3://bucket/template.html: access denied",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\n{{ a | zap }}", "line 2: unknown filter 'zap'"),
        (b"\xff", "the worker template s3://bucket/template.html: 'utf-8' codec"),
        (b"x" * 600_000, "the worker template s3://bucket/template.html: has 600,000 bytes"),
    ],
    ids=["broken Liquid", "not text", "huge"],
)
def test_a_bad_template_is_told_and_the_lease_stands(
    contents: TaskContents, files: FakeFiles, text: bytes, problem: str
) -> None:
    files.text = text
    content = contents.content_of(TASK)
    assert content.html is None
    [told] = content.problems
    assert told.startswith(problem)


def test_a_byte_order_mark_is_no_part_of_the_template(
    contents: TaskContents, files: FakeFiles
) -> None:
    files.text = b"\xef\xbb\xbf<p>"
    assert contents.content_of(TASK).html == "<p>"


def test_a_job_without_a_template_says_so(contents: TaskContents) -> None:
    content = contents.content_of(replace(TASK, template_uri=None))
    assert content.html is None
    assert content.problems == ("the job has no worker template of its own",)

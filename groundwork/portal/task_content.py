"""A task's page: the job's own template, rendered with the task's input and readable URLs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from groundwork.jobs.work import LeasedTask
from groundwork.recent import Recent
from groundwork.s3_client import S3Error, S3Uri, S3UriFormatError
from groundwork.templates import TemplateError, render
from groundwork.templates.rendering import MAXIMUM_TEMPLATE_CHARACTERS
from groundwork.unavailable import UnavailableError

# A changed template is seen this much later at most; in between not even its ETag is asked for.
UNCHECKED_FOR = timedelta(seconds=30)
REMEMBERED_TEMPLATES = 32
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
_LONGEST_URL_SECONDS = 7 * 24 * 3600
# Old buckets have longer names than new ones may have:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"s3://([A-Za-z0-9._-]{3,255})(?![^/\s,\"\\])")


class TaskFiles(Protocol):
    """What is asked of ``groundwork.s3_client.S3Client``."""

    def get(self, uri: S3Uri) -> bytes:
        """Return a whole object."""

    def size(self, uri: S3Uri) -> int:
        """Return how many bytes an object has."""

    def etag(self, uri: S3Uri) -> str:
        """Return what identifies an object's present content."""

    def presign_get(self, uri: S3Uri, expires_seconds: int) -> str:
        """Return a URL that reads the object for a while."""


@dataclass(frozen=True)
class TaskContent:
    """The rendered page, or why there is none; the lease stands either way.

    ``granted`` are the URLs by which the page may read the customer's files.
    """

    html: str | None
    problems: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Template:
    etag: str
    text: str
    checked_at: datetime


class TaskContents:
    """Renders tasks' pages.

    Parameters
    ----------
    files_of
        Gives S3 with the rights of a task's job.
    clock
        The time.
    """

    def __init__(
        self, files_of: Callable[[LeasedTask], TaskFiles], clock: Callable[[], datetime]
    ) -> None:
        self._files_of = files_of
        self._clock = clock
        self._templates: Recent[tuple[str, str], _Template] = Recent(REMEMBERED_TEMPLATES)

    def content_of(self, task: LeasedTask) -> TaskContent:
        """Render a task's page; its URLs last no longer than the lease."""
        if task.template_uri is None:
            return TaskContent(None, ("the job has no worker template of its own",))
        granted: list[str] = []

        def grant(uri: str) -> str:
            place = S3Uri.parse(uri)
            _require_known_bucket(place, task)
            granted.append(files.presign_get(place, url_seconds))
            return granted[-1]

        try:
            files = self._files_of(task)
            text = self._template(files, task.role_arn, S3Uri.parse(task.template_uri))
            seconds_left = int((task.expires_at - self._clock()).total_seconds())
            # The time of a task that was taken ahead begins anew when the worker sees it.
            seconds_left += task.time_limit_seconds if task.ahead else 0
            url_seconds = max(1, min(seconds_left, _LONGEST_URL_SECONDS))
            html = render(text, {"task": {"input": task.task_input}}, grant)
        except TemplateError as error:
            return TaskContent(None, tuple(str(problem) for problem in error.problems))
        except UnavailableError:
            # Nothing is wrong with the template: the worker's page asks again.
            raise
        except (S3Error, S3UriFormatError, UnicodeDecodeError, _TooLargeError) as error:
            return TaskContent(None, (f"the worker template {task.template_uri}: {error}",))
        return TaskContent(html, granted=tuple(granted))

    def _template(self, files: TaskFiles, role_arn: str, uri: S3Uri) -> str:
        # By role, too: one job must not see a template that only another's role may read.
        key = (role_arn, str(uri))
        known = self._templates.get(key)
        now = self._clock()
        if known is None or now - known.checked_at >= UNCHECKED_FOR:
            known = self._templates.keep(key, self._fetch(files, uri, known, now))
        return known.text

    def _fetch(
        self, files: TaskFiles, uri: S3Uri, known: _Template | None, now: datetime
    ) -> _Template:
        etag = files.etag(uri)
        if known is not None and known.etag == etag:
            return _Template(etag, known.text, now)
        # A letter has at most four bytes in UTF-8.
        if (size := files.size(uri)) > 4 * MAXIMUM_TEMPLATE_CHARACTERS:
            raise _TooLargeError(f"has {size:,} bytes")
        return _Template(etag, files.get(uri).decode("utf-8-sig"), now)


def _require_known_bucket(place: S3Uri, task: LeasedTask) -> None:
    """Refuse a file elsewhere than the task's data and its template.

    A template that somebody else wrote could send a bucket of theirs what it knows of the task:
    in the address, which the bucket's log shows, or as a file, if everybody may write there.
    """
    beside = S3Uri.parse(task.template_uri or "").bucket
    if place.bucket != beside and place.bucket not in _BUCKET.findall(
        json.dumps(dict(task.task_input))
    ):
        raise _ForeignBucketError(
            f"{place} is in no bucket of the task's data or of the template; keep it beside the "
            "template, or name it in the data object"
        )


class _ForeignBucketError(Exception):
    """A template asks for a file in a bucket that the job does not name."""


class _TooLargeError(Exception):
    """The template's file is larger than any template may be."""

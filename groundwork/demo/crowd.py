"""Simulated workers: they sign in as people do and answer tasks until the job is over."""

import io
import re
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from groundwork.demo.drawing import bounding_box_answer, draw
from groundwork.local.cloud import LocalCloud
from groundwork.portal.worker_client import WorkerApiError, WorkerClient, WorkerSignInError
from groundwork.results.quality import Box
from groundwork.results.truth import Truth

# What a worker answers to a task: its input and the picture that it shows.
Answer = Callable[[dict[str, Any], bytes], dict[str, Any]]

_IDLE_SECONDS = 0.3
# How long a worker puts up with a portal that answers with errors.
_PATIENCE_SECONDS = 60
# The job or the task went on without the worker: no fault, and nothing to repeat.
_LATE_CODES = frozenset({"JobNotOpen", "AlreadyAnswered", "LeaseExpired", "LeaseNotFound"})
_TOO_LATE = object()
_ELEMENTS_WITH_PICTURE = re.compile(r"crowd-(bounding-box|image-classifier)")


class Drawer:
    """Draws the known boxes of a picture with a person's errors.

    Parameters
    ----------
    truth
        Where the boxes are. Without it nobody can know: one box round the middle half of every
        picture, with the first label, stands in for an answer.
    """

    def __init__(self, truth: Truth | None, *, seed: int, worker: int) -> None:
        self._truth = truth
        self._seed = seed
        self._worker = worker

    def __call__(self, task_input: dict[str, Any], picture: bytes) -> dict[str, Any]:
        """Answer one bounding-box task."""
        source = str(task_input["taskObject"])
        with Image.open(io.BytesIO(picture)) as image:
            size = image.size
        boxes: Sequence[Box] | None = self._truth.of(source) if self._truth else None
        if boxes is None:
            label = str(task_input["labels"][0])
            boxes = [Box(label, size[0] / 4, size[1] / 4, size[0] / 2, size[1] / 2)]
        # By picture, not by turn: who gets a task first does not change what is drawn.
        random = np.random.default_rng([self._seed, self._worker, zlib.crc32(source.encode())])
        return bounding_box_answer("boundingBox", draw(boxes, size, random), size)


@dataclass(frozen=True)
class AcceptedAnswer:
    """An answer that the portal said it has."""

    job: str
    source: str
    content: dict[str, Any]


class Crowd:
    """Workers at their desks; use it in ``with``, and they leave at its end.

    Parameters
    ----------
    answer_of
        Gives each worker, by number, the way in which it answers.
    only_job
        The one job that they work on; by default on whatever is open.
    may_be_absent
        Go on without those whose password nobody here knows: people who have signed in themselves.
        Their e-mail addresses are in ``absent`` then.

    Raises
    ------
    WorkerSignInError
        On entering, when a worker does not get in; of those who may be absent, when nobody does.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        portal_url: str,
        logins: Sequence[tuple[str, str]],
        answer_of: Callable[[int], Answer],
        *,
        only_job: str | None = None,
        may_be_absent: bool = False,
    ) -> None:
        self._cloud = cloud
        self._portal_url = portal_url
        self._logins = logins
        self._answer_of = answer_of
        self._only_job = only_job
        self._may_be_absent = may_be_absent
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(len(logins), thread_name_prefix="worker")
        self._work: list[Any] = []
        self.accepted: list[AcceptedAnswer] = []
        self.absent: list[str] = []

    def __enter__(self) -> "Crowd":
        """Let everybody sign in and begin."""
        try:
            workers = self._signed_in()
        except BaseException:
            self._pool.shutdown()
            raise
        self._work = [
            self._pool.submit(self._label, worker, self._answer_of(number))
            for number, worker in enumerate(workers)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        """Send everybody home."""
        self._over.set()
        self._pool.shutdown()

    def check(self) -> None:
        """Raise what a worker failed with, if one did."""
        for work in self._work:
            if work.done() and work.exception():
                raise work.exception()

    def _signed_in(self) -> list[WorkerClient]:
        """Let everybody sign in at once."""
        attempts = [self._pool.submit(self._sign_in, login) for login in self._logins]
        refused = [attempt.exception() for attempt in attempts]
        workers = [
            attempt.result() for attempt, error in zip(attempts, refused, strict=True) if not error
        ]
        for error, (email, _) in zip(refused, self._logins, strict=True):
            if error is None:
                continue
            expected = self._may_be_absent and isinstance(error, WorkerSignInError)
            if not (expected and workers):
                for worker in workers:
                    worker.close()
                raise error
            self.absent.append(email)
        return workers

    def _sign_in(self, login: tuple[str, str]) -> WorkerClient:
        email, temporary_password = login
        chosen = new_password_for(email)
        address = f"127.0.0.1:{self._cloud.port}"
        try:
            return WorkerClient.sign_in(
                self._portal_url, email, temporary_password, chosen, resolve_to=address
            )
        except WorkerSignInError:
            # Whoever was here before has chosen a password.
            return WorkerClient.sign_in(self._portal_url, email, chosen, resolve_to=address)

    def _label(self, worker: WorkerClient, answer: Answer) -> None:
        with worker, httpx.Client(trust_env=False, timeout=30) as pictures:
            while not self._over.is_set():
                if not self._label_once(worker, answer, pictures):
                    self._over.wait(_IDLE_SECONDS)

    def _label_once(self, worker: WorkerClient, answer: Answer, pictures: httpx.Client) -> bool:
        """Answer one task of every open job; tell whether there was any."""
        found = False
        for job in self._insist(worker.jobs):
            if self._only_job not in (None, job["name"]):
                continue
            task = self._insist(worker.take, job["name"])
            if task is None or task is _TOO_LATE:
                continue
            found = True
            begun = time.monotonic()
            picture = self._look_at(task["content"], pictures)
            content = answer(task["taskInput"], picture)
            seconds = time.monotonic() - begun
            if self._insist(worker.answer, task["lease"], content, seconds) is not _TOO_LATE:
                # Appending is atomic; no lock is needed.
                self.accepted.append(
                    AcceptedAnswer(job["name"], str(task["taskInput"]["taskObject"]), content)
                )
        return found

    def _insist(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Make a call again while the portal fails, as people do; answering twice does no harm."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return call(*arguments)
            except WorkerApiError as error:
                if error.code in _LATE_CODES:
                    return _TOO_LATE
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR or time.monotonic() > deadline:
                    raise
                self._over.wait(_IDLE_SECONDS)

    def _look_at(self, page: str, pictures: httpx.Client) -> bytes:
        """Load the task's picture from the address in its page, as a browser does."""
        address = urlsplit(_picture_address(page))
        local = address._replace(netloc=f"127.0.0.1:{self._cloud.port}").geturl()
        response = pictures.get(local, headers={"host": address.netloc})
        return response.raise_for_status().content


def new_password_for(email: str) -> str:
    """The password that a simulated worker chooses at the first sign-in."""
    return f"Local-{zlib.crc32(email.encode()):08x}!"


class _PictureFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.address: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.address is None and _ELEMENTS_WITH_PICTURE.match(tag):
            self.address = dict(attrs).get("src")


def _picture_address(page: str) -> str:
    finder = _PictureFinder()
    finder.feed(page)
    if not finder.address:
        raise ValueError(f"The task's page shows no picture:\n{page[:500]}")
    return finder.address

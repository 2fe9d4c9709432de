"""A labeling job's surroundings in memory: table, S3, functions, state machine, people."""

import hashlib
import io
import json
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from PIL import Image

from groundwork.autolabel.learner import Learner
from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.jobs.auto_labeling_loop import AUTO_LABELING_STEPS, run_auto_labeling_step
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.lifecycle import start_job, stop_job
from groundwork.jobs.loop import run_step
from groundwork.jobs.model import Job, JobStatus
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.work import LeasedTask, Work, Worker
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri
from groundwork.table_client import (
    ALL,
    Add,
    Check,
    ConflictError,
    Delete,
    Discard,
    Exchange,
    Item,
    Put,
    SortKeys,
    Table,
    Write,
)

REGION = "us-east-1"
ACCOUNT = "111122223333"
BUCKET = "images"
TEAM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/labelers"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labeling"
START = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
OWN_PRE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:own-pre"
OWN_POST = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:own-post"
_STEP_ATTEMPTS = 50
_KEPT_HISTORY = 5


class CrashError(BaseException):
    """The function that was running is gone, in the middle of what it did.

    Nothing that handles errors gets to see this one.
    """


class MemoryClock:
    """A clock that goes on a little with every look, as real ones do."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryTable(Table):
    """The engine's table in memory, with the conditions of the real one.

    ``before_write`` is called with every write, to let another writer come first or to crash;
    ``reads`` are the partitions that were read, ``writes`` is how many items were written, and
    ``index_lag`` is how many writes the index is behind, of those that came since it was set.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.items = _Items()
        self.reads: list[str] = []
        self.writes = 0
        self.index_lag = 0
        self._history: list[dict[tuple[str, str], Item]] = []
        self.before_write: Callable[[Sequence[Write]], None] = lambda writes: None
        self._lock = threading.RLock()

    def get(self, pk: str, sk: str) -> Item | None:
        _require_key(pk, sk)
        self.reads.append(pk)
        with self._lock:
            found: Item | None = _copied(self.items.get((pk, sk)))
            return found

    def put(self, write: Put) -> None:
        self.transact([write])

    def pages(
        self,
        pk: str,
        keys: SortKeys = ALL,
        *,
        index: str | None = None,
        lacking: tuple[str, str] | None = None,
        page_size: int | None = None,
    ) -> Iterator[list[Item]]:
        _require_key(pk)
        found = self._matching(pk, keys, index, lacking)
        size = page_size or len(found) or 1
        for start in range(0, len(found) or 1, size):
            self.reads.append(f"{pk} {index}" if index else pk)
            yield [_copied(item) for item in found[start : start + size]]

    def _matching(
        self, pk: str, keys: SortKeys, index: str | None, lacking: tuple[str, str] | None
    ) -> list[Item]:
        pk_name, sk_name = ("available_pk", "available_sk") if index else ("PK", "SK")
        with self._lock:
            if index and 0 < self.index_lag <= len(self._history):
                past = self._history[-self.index_lag].values()
                found = [item for item in past if item.get(pk_name) == pk]
            else:
                found = self.items.partition(pk_name, pk)
        return [
            item
            for item in sorted(found, key=lambda item: str(item[sk_name]))
            if _within(item[sk_name], keys)
            and not (lacking and lacking[1] in item.get(lacking[0], ()))
        ]

    def count(
        self,
        pk: str,
        keys: SortKeys = ALL,
        *,
        index: str | None = None,
        lacking: tuple[str, str] | None = None,
    ) -> int:
        self.reads.append(f"{pk} {index}" if index else pk)
        return len(self._matching(pk, keys, index, lacking))

    def transact(self, writes: Sequence[Write]) -> None:
        self.before_write(writes)
        with self._lock:
            refused = [place for place, write in enumerate(writes) if not self._allows(write)]
            if refused:
                raise ConflictError("not as expected", refused)
            if self.index_lag:
                self._history = [*self._history, dict(self.items)][-_KEPT_HISTORY:]
            for write in writes:
                self._apply(write)
            self.writes += len(writes)

    def _allows(self, write: Write) -> bool:
        if isinstance(write, Put):
            _require_storable(write.item)
            stored = self.items.get((write.item["PK"], write.item["SK"]))
            if write.only_new and stored is not None:
                return False
            expected = write.expected_version
            return expected is None or (stored is not None and stored["version"] == expected)
        item = self.items.get((write.pk, write.sk), {})
        if isinstance(write, Check):
            return bool(item.get(write.attribute) == write.value)
        if isinstance(write, Exchange):
            assert write.after, "DynamoDB has no empty sets"
            return bool(item.get(write.attribute, frozenset()) == write.before)
        return True

    def _apply(self, write: Write) -> None:
        if isinstance(write, Put):
            self.items[write.item["PK"], write.item["SK"]] = _copied(write.item)
        elif isinstance(write, Delete):
            self.items.pop((write.pk, write.sk), None)
        elif not isinstance(write, Check):
            self._update(write)

    def _update(self, write: Add | Exchange | Discard) -> None:
        item = self.items.get((write.pk, write.sk), {"PK": write.pk, "SK": write.sk})
        old = item.get(write.attribute)
        if isinstance(write, Add):
            new: Any = (old or 0) + write.amount
        elif isinstance(write, Exchange):
            new = set(write.after)
        else:
            new = {*(old or ())} - {write.member}
        changed = {**item, write.attribute: new, "expires_at": write.expires_at}
        if new == set():
            del changed[write.attribute]
        self.items[write.pk, write.sk] = changed


def _copied(value: Any) -> Any:
    """Copy an item; a tenth of what ``deepcopy`` takes, which most of a test's time went into."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return set(value) if isinstance(value, set | frozenset) else value


class _Items(dict[tuple[str, str], Item]):
    """A table's items by their keys, found by partition without a look at all the others."""

    def __init__(self) -> None:
        super().__init__()
        self._partitions: dict[tuple[str, str], dict[tuple[str, str], Item]] = {}

    def partition(self, name: str, value: str) -> list[Item]:
        """Return the items with this partition key, of the table or of its index."""
        return list(self._partitions.get((name, value), {}).values())

    def __setitem__(self, key: tuple[str, str], item: Item) -> None:
        self._leave(key)
        super().__setitem__(key, item)
        for partition in _partitions_of(item):
            self._partitions.setdefault(partition, {})[key] = item

    def __delitem__(self, key: tuple[str, str]) -> None:
        self._leave(key)
        super().__delitem__(key)

    def pop(self, key: tuple[str, str], *default: Any) -> Any:
        self._leave(key)
        return super().pop(key, *default)

    def _leave(self, key: tuple[str, str]) -> None:
        for partition in _partitions_of(self.get(key, {})):
            del self._partitions[partition][key]


def _partitions_of(item: Item) -> list[tuple[str, str]]:
    return [(name, item[name]) for name in ("PK", "available_pk") if name in item]


def _within(key: str, keys: SortKeys) -> bool:
    if keys.prefix is not None:
        return key.startswith(keys.prefix)
    if keys.lowest is not None and keys.highest is not None:
        return keys.lowest <= key <= keys.highest
    return True


def _require_key(pk: str, sk: str = "any") -> None:
    """Refuse keys that DynamoDB refuses.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    if not 0 < len(pk.encode()) <= 2048 or not 0 < len(sk.encode()) <= 1024:
        raise refusal("ValidationException", "GetItem", "a key is empty or too long")


def _require_storable(value: Any) -> None:
    """Refuse what DynamoDB refuses."""
    assert not isinstance(value, float), "boto3 refuses floating-point numbers"
    if isinstance(value, set | frozenset):
        assert value, "DynamoDB has no empty sets"
    if isinstance(value, Mapping):
        for part in value.values():
            _require_storable(part)
    if isinstance(value, list | tuple):
        for part in value:
            _require_storable(part)


class MemoryS3:
    """The boto3 S3 client's methods over a dictionary.

    ``before`` is called with every operation and key, to refuse it or to crash.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.written_with: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda operation, key: None
        self.uploads: dict[str, dict[int, bytes]] = {}
        self._lock = threading.RLock()

    def get_object(self, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:  # noqa: N803
        self._begin("get_object", Key)
        data = self._find(Bucket, Key, "GetObject")
        answer: dict[str, Any] = {"ETag": _etag(data)}
        if Range:
            first, last = (re.fullmatch(r"bytes=(\d+)-(\d*)", Range) or _never()).groups()
            start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
            if start >= len(data):
                raise refusal("InvalidRange", "GetObject")
            answer["ContentRange"] = f"bytes {start}-{end - 1}/{len(data)}"
            data = data[start:end]
        answer["Body"] = _Body(data)
        return answer

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self._begin("head_object", Key)
        data = self._find(Bucket, Key, "HeadObject")
        return {"ContentLength": len(data), "ETag": _etag(data)}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **arguments: Any) -> dict[str, Any]:  # noqa: N803
        self._begin("put_object", Key)
        with self._lock:
            if arguments.pop("IfNoneMatch", None) and (Bucket, Key) in self.objects:
                raise refusal("PreconditionFailed", "PutObject")
            self.objects[Bucket, Key] = bytes(Body)
            self.written_with[Key] = arguments
        return {"ETag": _etag(Body)}

    def create_multipart_upload(self, Bucket: str, Key: str, **arguments: Any) -> dict[str, Any]:  # noqa: N803
        self._begin("create_multipart_upload", Key)
        upload_id = f"upload-{len(self.uploads)}"
        self.uploads[upload_id] = {}
        self.written_with[Key] = arguments
        return {"UploadId": upload_id}

    def upload_part(
        self,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        UploadId: str,  # noqa: N803
        PartNumber: int,  # noqa: N803
        Body: bytes,  # noqa: N803
    ) -> dict[str, Any]:
        self._begin("upload_part", Key)
        self.uploads[UploadId][PartNumber] = Body
        return {"ETag": _etag(Body)}

    def complete_multipart_upload(
        self,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        UploadId: str,  # noqa: N803
        MultipartUpload: Mapping[str, Any],  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        self._begin("complete_multipart_upload", Key)
        if IfNoneMatch and (Bucket, Key) in self.objects:
            raise refusal("PreconditionFailed", "CompleteMultipartUpload")
        parts = self.uploads.pop(UploadId)
        numbers = [part["PartNumber"] for part in MultipartUpload["Parts"]]
        self.objects[Bucket, Key] = b"".join(parts[number] for number in numbers)
        return {}

    def abort_multipart_upload(self, Bucket: str, Key: str, UploadId: str) -> None:  # noqa: N803
        self.uploads.pop(UploadId, None)

    def list_objects_v2(
        self,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        ContinuationToken: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket)
        keys = [key for key in keys if key.startswith(Prefix) and key > (ContinuationToken or "")]
        page = keys[:2]
        answer: dict[str, Any] = {
            "Contents": [{"Key": key, "Size": len(self.objects[Bucket, key])} for key in page]
        }
        if len(keys) > len(page):
            answer |= {"IsTruncated": True, "NextContinuationToken": page[-1]}
        return answer

    def generate_presigned_url(
        self,
        operation: str,
        Params: Mapping[str, str],  # noqa: N803
        ExpiresIn: int,  # noqa: N803
    ) -> str:
        return f"https://{Params['Bucket']}.example/{Params['Key']}?expires={ExpiresIn}"

    def text(self, uri: S3Uri) -> str:
        """Return an object as text."""
        return self.objects[uri.bucket, uri.key].decode()

    def add(self, uri: str, data: bytes) -> None:
        """Put an object there, as the customer would."""
        parsed = S3Uri.parse(uri)
        self.objects[parsed.bucket, parsed.key] = data

    def keys(self, part: str) -> list[str]:
        """Return the keys that contain a text."""
        return sorted(key for _, key in self.objects if part in key)

    def _begin(self, operation: str, key: str) -> None:
        with self._lock:
            self.calls.append((operation, key))
        self.before(operation, key)

    def _find(self, bucket: str, key: str, operation: str) -> bytes:
        try:
            return self.objects[bucket, key]
        except KeyError:
            code = "404" if operation == "HeadObject" else "NoSuchKey"
            raise refusal(code, operation) from None


class _Body(io.BytesIO):
    """The body of an answer, readable like the SDK's."""

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        while chunk := self.read(chunk_size):
            yield chunk


def refusal(code: str, operation: str, message: str = "refused by the test") -> ClientError:
    """Return what boto3 raises when a service refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _never() -> Any:
    raise AssertionError("unexpected range")


class MemoryFunctions:
    """The customer's functions: Python callables by ARN, called as Lambda calls them.

    What a callable gives as bytes is the answer's text.
    """

    def __init__(self) -> None:
        self.functions: dict[str, Callable[[Any], Any]] = {}
        self.events: list[tuple[str, Any]] = []

    def invoke(
        self,
        FunctionName: str,  # noqa: N803
        InvocationType: str,  # noqa: N803
        Payload: bytes,  # noqa: N803
    ) -> dict[str, Any]:
        event = json.loads(Payload)
        self.events.append((FunctionName, event))
        try:
            answer = self.functions[FunctionName](event)
        except Exception as error:
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return {"Payload": io.BytesIO(payload)}


@dataclass
class RecordedNotices:
    """What the world was told."""

    told: list[tuple[str, str, JobStatus]] = field(default_factory=list)

    def work_available(self, job: Job) -> None:
        self.told.append(("work", job.name, job.status))

    def job_ended(self, job: Job) -> None:
        self.told.append(("ended", job.name, job.status))


class MemoryLoop:
    """The state machine: the same states and choices, stepped by the test.

    ``again`` runs every step twice, as a state machine does that did not hear of a success.
    """

    def __init__(self, again: bool = False) -> None:
        self.engine: Engine | None = None
        self.learner_of: Callable[[str], Learner] = _no_learner
        self.again = again
        self.started: list[str] = []
        self.waiting: dict[str, tuple[str, int]] = {}
        self.history: list[tuple[str, int, str]] = []
        self.hand_overs: list[int] = []
        self._woken: list[tuple[str, int]] = []
        self._tokens = 0

    def start(self, job_name: str) -> None:
        if job_name not in self.started:
            self.started.append(job_name)
            self._woken.append((job_name, -1))

    def wake(self, token: str, outcome: dict[str, Any]) -> None:
        if token in self.waiting:
            job, iteration = self.waiting.pop(token)
            assert outcome["job"] == job
            assert outcome["iteration"] == iteration
            self._woken.append((job, iteration))

    def run(self) -> None:
        """Go on until every execution waits for people or has ended."""
        while self._woken:
            job, iteration = self._woken.pop(0)
            try:
                if iteration < 0:
                    self._begin(job)
                else:
                    self._after_people(job, iteration)
            except Exception as error:
                cause = {"errorType": type(error).__name__, "errorMessage": str(error)}
                caught = {"Error": type(error).__name__, "Cause": json.dumps(cause)}
                self._step("fail", job, 0, error=caught)

    def time_out(self) -> None:
        """Let the hour of every waiting execution pass."""
        for token in list(self.waiting):
            job, iteration = self.waiting.pop(token)
            if self._step("check_batch", job, iteration).outcome == "open":
                self._wait(job, iteration)
            else:
                self._woken.append((job, iteration))
        self.run()

    def _begin(self, job: str) -> None:
        prepared = self._step("prepare", job, 0)
        if prepared.outcome == "automated":
            self._on_shards("features", job, 0, prepared)
            self._learn(job, 0)
        self._select(job, 0)

    def _learn(self, job: str, iteration: int) -> None:
        trained = self._step("train", job, iteration)
        if trained.outcome == "infer":
            self._on_shards("infer", job, iteration, trained)
        if self._step("plan", job, iteration).outcome == "hand_over":
            self.hand_overs.append(iteration)

    def _on_shards(self, step: str, job: str, iteration: int, before: StepResult) -> None:
        for shard in before.answer()["shards"]:
            self._step(step, job, iteration, shard=shard)

    def _select(self, job: str, iteration: int) -> None:
        while True:
            selected = self._step("select_batch", job, iteration)
            if selected.outcome == "finished":
                self._step("finish", job, selected.iteration)
                return
            if selected.outcome == "people":
                self._wait(job, selected.iteration)
                return
            if not self._published(job, selected.iteration):
                return
            iteration = selected.iteration

    def _wait(self, job: str, iteration: int) -> None:
        self._tokens += 1
        token = f"token-{self._tokens}"
        self.waiting[token] = (job, iteration)
        self._step("open_batch", job, iteration, token=token)

    def _after_people(self, job: str, iteration: int) -> None:
        if self._published(job, iteration):
            self._select(job, iteration)

    def _published(self, job: str, iteration: int) -> bool:
        """Consolidate and publish; return whether the loop goes on."""
        if self._step("consolidate", job, iteration).outcome == "automated":
            self._step("judge", job, iteration)
        outcome = self._step("publish_iteration", job, iteration).outcome
        if outcome == "finished":
            self._step("finish", job, iteration)
            return False
        if outcome == "hand_over":
            self.hand_overs.append(iteration)
        if outcome == "learn":
            self._learn(job, iteration)
        return True

    def _step(self, step: str, job: str, iteration: int, **more: Any) -> StepResult:
        result = self._run_step(step, job, iteration, **more)
        if self.again:
            repeated = self._run_step(step, job, iteration, **more)
            assert repeated == result, f"{step} came to another end when it ran again"
        self.history.append((step, result.iteration, result.outcome))
        return result

    def _run_step(self, step: str, job: str, iteration: int, **more: Any) -> StepResult:
        assert self.engine is not None
        event = {"step": step, "job": job, "iteration": iteration, **more}
        for _ in range(_STEP_ATTEMPTS):
            try:
                if step in AUTO_LABELING_STEPS:
                    engine = replace(self.engine, learner_of=self.learner_of)
                    return run_auto_labeling_step(engine, event)
                return run_step(self.engine, event)
            except CrashError:
                continue
        raise AssertionError(f"{step} crashed every time")


def _no_learner(task_key: str) -> Learner:
    raise AssertionError(f"nothing was to be learned of {task_key}")


class Workshop:
    """Everything around one labeling job, with people to work on it."""

    def __init__(
        self,
        *,
        again: bool = False,
        seed: int = 1,
        objects_per_shard: int = 40,
        loop: MemoryLoop | None = None,
    ) -> None:
        self.clock = MemoryClock()
        self.table = MemoryTable()
        self.store = JobStore(self.table)
        self.s3 = MemoryS3()
        self.files = S3Client(self.s3)
        self.functions = MemoryFunctions()
        self.loop = loop or MemoryLoop(again)
        self.notices = RecordedNotices()
        self.random = random.Random(seed)
        self.loop.engine = Engine(
            store=self.store,
            files_for_job=lambda job: self.files,
            functions_for_job=lambda job: FunctionClient(self.functions),
            loop=self.loop,  # type: ignore[arg-type]  # stands in for the client
            notices=self.notices,
            clock=self.clock,
            random=self.random,
            objects_per_shard=objects_per_shard,
        )
        # As many processes of the worker API, of which any answers any call.
        self.processes = [self.process() for _ in range(3)]
        self.work = self.processes[0]

    def process(self) -> Work:
        """Start another process of the worker API, which remembers nothing yet."""
        return Work(
            self.store,
            lambda job: self.files,
            self.loop,  # type: ignore[arg-type]  # stands in for the client
            self.clock,
            self.random,
        )

    def add_images(self, count: int, *, width: int = 64, height: int = 48) -> list[str]:
        """Put images into the bucket and return their manifest lines."""
        data = image_bytes(width, height)
        lines = []
        for number in range(count):
            uri = f"s3://{BUCKET}/photos/{number:04d}.jpg"
            self.s3.add(uri, data)
            lines.append(json.dumps({"source-ref": uri, "number": number}))
        return lines

    def start(
        self,
        lines: Sequence[str],
        labels: Sequence[str] = ("cat", "dog"),
        *,
        run: bool = True,
        automation: Automation | None = None,
        reference_code: str = "reference",
        **changes: Any,
    ) -> Job:
        """Start a job on manifest lines and run its loop until it waits for people."""
        self.s3.add(f"s3://{BUCKET}/in.manifest", "".join(f"{line}\n" for line in lines).encode())
        categories = {
            "document-version": "2018-11-28",
            "labels": [{"label": label} for label in labels],
        }
        self.s3.add(f"s3://{BUCKET}/labels.json", json.dumps(categories).encode())
        request = job_request(**changes)
        job = Job(
            name=request["LabelingJobName"],
            arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{request['LabelingJobName']}",
            status=JobStatus.INITIALIZING,
            created_at=self.clock(),
            modified_at=self.clock(),
            request=request,
            reference_code=reference_code,
            automation=automation,
        )
        start_job(self.store, self.loop, job)  # type: ignore[arg-type]  # stands in for the client
        if run:
            self.loop.run()
        return self.store.get(job.name)

    def stop(self, name: str = "job") -> None:
        """Stop a job as StopLabelingJob does, and let its loop end."""
        stop_job(self.store, self.loop, name, self.clock())  # type: ignore[arg-type]
        self.loop.run()

    def answer_all(
        self,
        workers: Sequence[Worker],
        answer: Callable[[Worker, LeasedTask], Mapping[str, Any]],
        name: str = "job",
    ) -> list[tuple[str, int]]:
        """Let people answer in turn until nobody finds a task; return who answered which object."""
        answered = []
        idle = 0
        while idle < len(workers):
            for worker in workers:
                job = self.store.get(name)
                task = None if job.status.is_final else self.work.take(worker, name)
                if task is None:
                    idle += 1
                    continue
                idle = 0
                self.clock.advance(3)
                self.work.submit(worker, task.lease_id, answer(worker, task))
                answered.append((worker.worker_id, task.object_id))
                self.loop.run()
        return answered

    def job(self, name: str = "job") -> Job:
        """Return the job as it is now."""
        return self.store.get(name)

    def output(self, name: str = "job") -> list[dict[str, Any]]:
        """Return the lines of the output manifest."""
        text = self.s3.text(self.job(name).output_manifest_uri)
        return [json.loads(line) for line in text.splitlines()]

    def json(self, key: str) -> Any:
        """Return a JSON file that the job wrote."""
        return json.loads(self.s3.objects[BUCKET, key])


def job_request(
    *,
    task: str | None = "BoundingBox",
    workers: int = 1,
    batch: int = 10,
    limits: Mapping[str, int] | None = None,
    attribute: str = "animals",
    lifetime: int | None = None,
    time_limit: int = 300,
    pre: str | None = None,
    post: str | None = None,
    kms: str | None = None,
    manifest: str = f"s3://{BUCKET}/in.manifest",
    name: str = "job",
) -> dict[str, Any]:
    """Return a CreateLabelingJob request as the labeling API keeps it."""
    if task is not None:
        pre = pre or pre_lambda_arn(REGION, BUILTIN_TASKS[task])
        post = post or consolidation_lambda_arn(REGION, BUILTIN_TASKS[task])
    human: dict[str, Any] = {
        "WorkteamArn": TEAM,
        "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/template.liquid"},
        "TaskTitle": "Find the animals",
        "TaskDescription": "Draw a box around each",
        "NumberOfHumanWorkersPerDataObject": workers,
        "TaskTimeLimitInSeconds": time_limit,
        "MaxConcurrentTaskCount": batch,
    }
    if lifetime:
        human["TaskAvailabilityLifetimeInSeconds"] = lifetime
    if pre:
        human["PreHumanTaskLambdaArn"] = pre
    if post:
        human["AnnotationConsolidationConfig"] = {"AnnotationConsolidationLambdaArn": post}
    request: dict[str, Any] = {
        "LabelingJobName": name,
        "LabelAttributeName": attribute,
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}}},
        "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "RoleArn": ROLE,
        "LabelCategoryConfigS3Uri": f"s3://{BUCKET}/labels.json",
        "HumanTaskConfig": human,
    }
    if kms:
        request["OutputConfig"]["KmsKeyId"] = kms
    if limits:
        request["StoppingConditions"] = dict(limits)
    return request


def worker(number: int) -> Worker:
    """Return a member of the team."""
    return Worker(
        sub=f"sub-{number}",
        issuer=f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_pool",
        email=f"worker{number}@example.com",
        team_arns=frozenset({TEAM}),
        region=REGION,
    )


def image_bytes(
    width: int = 64, height: int = 48, *, kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    """Return an image file."""
    file = io.BytesIO()
    Image.new(mode, (width, height), 0).save(file, kind, **options)
    return file.getvalue()


def box(label: str, left: float, top: float, width: float, height: float) -> dict[str, Any]:
    """Return a box as workers' answers have it."""
    return {"label": label, "left": left, "top": top, "width": width, "height": height}


def boxes_answer(*boxes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of the bounding-box page."""
    return {"boundingBox": {"boundingBoxes": list(boxes)}}


def class_answer(label: str) -> dict[str, Any]:
    """Return an answer of the image-classification page."""
    return {"crowd-image-classifier": {"label": label}}

"""Throttling, 5xx and broken connections below the SDK: what each client makes of them."""

import ast
import importlib
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.endpoint
import botocore.httpsession
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

import groundwork
from groundwork.jobs.loop_client import LoopClient
from groundwork.role_client import session_for_role
from groundwork.s3_client import S3Client, S3UnavailableError
from groundwork.s3_uri import S3Uri
from groundwork.table_client import Put, SortKeys, Table, deployed_table
from groundwork.unavailable import UnavailableError
from tests.support.fault_rows import Survived
from tests.support.faults import some

ROOT = Path(groundwork.__file__).parent
OBJECT = S3Uri("bucket", "key")
ROLE = "arn:aws:iam::111122223333:role/job"

Failure = Callable[[str], AWSResponse]


def json_error(code: str, status: int = 400) -> Failure:
    body = f'{{"__type": "com.amazonaws#{code}", "message": "not now"}}'.encode()
    return lambda url: answer(url, status, body)


def xml_error(code: str, status: int = 503) -> Failure:
    body = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>not now</Message></Error>"
        "</ErrorResponse>"
        if code == "Throttling"
        else f"<Error><Code>{code}</Code><Message>not now</Message></Error>"
    ).encode()
    return lambda url: answer(url, status, body)


def broken(error: Callable[..., Exception]) -> Failure:
    def fail(url: str) -> AWSResponse:
        raise error(endpoint_url=url)

    return fail


BROKEN = {
    "connection closed": broken(ConnectionClosedError),
    "read timeout": broken(ReadTimeoutError),
}
S3_FAILURES = {
    "SlowDown": xml_error("SlowDown"),
    "InternalError": xml_error("InternalError", 500),
    "ServiceUnavailable": xml_error("ServiceUnavailable"),
    **BROKEN,
}
TABLE_FAILURES = {
    "ProvisionedThroughputExceeded": json_error("ProvisionedThroughputExceededException"),
    "Throttling": json_error("ThrottlingException"),
    "InternalServerError": json_error("InternalServerError", 500),
    **BROKEN,
}
LOOP_FAILURES = {
    "Throttling": json_error("ThrottlingException"),
    "ServiceUnavailable": json_error("ServiceUnavailable", 503),
    **BROKEN,
}
STS_FAILURES = {"Throttling": xml_error("Throttling", 400), **BROKEN}


def answer(url: str, status: int = 200, body: bytes = b"", **headers: str) -> AWSResponse:
    class Raw(io.BytesIO):
        def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
            yield self.read()

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return AWSResponse(url, status, {"content-length": str(len(body)), **named}, Raw(body))


class Wire:
    """What is behind every client: it fails some times for each service, and then answers."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.failing_host = ""
        self.failures_left = 0
        self.sent = 0
        self.good: Callable[[str], AWSResponse] = answer

    def send(self, request: Any) -> AWSResponse:
        if self.failing_host in request.url and self.failure and self.failures_left:
            self.failures_left -= 1
            self.sent += 1
            return self.failure(request.url)
        if "sts." in request.url:
            return answer(request.url, 200, _credentials())
        return self.good(request.url)


def _credentials() -> bytes:
    return (
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>key</AccessKeyId>"
        "<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
        f"<Expiration>{datetime.now(UTC).year + 1}-01-01T00:00:00Z</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    ).encode()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The network in memory, on which waiting takes no time."""
    wire = Wire()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "TABLE_NAME": "table",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(
        botocore.httpsession.URLLib3Session, "send", lambda self, request: wire.send(request)
    )
    return wire


def s3_calls() -> dict[str, tuple[Callable[[S3Client], Any], Callable[[str], AWSResponse]]]:
    """Every operation of the S3 client, and what S3 answers when all is well."""

    def found(url: str) -> AWSResponse:
        return answer(url, 200, b"data", etag='"1"')

    def described(url: str) -> AWSResponse:
        return answer(url, 200, b"", etag='"1"')

    listed = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    return {
        "get": (lambda files: files.get(OBJECT), found),
        "get_range": (lambda files: files.get_range(OBJECT, 0, 4), found),
        "size": (lambda files: files.size(OBJECT), described),
        "exists": (lambda files: files.exists(OBJECT), described),
        "put": (lambda files: files.put(OBJECT, b"data"), described),
        "list_keys": (
            lambda files: list(files.list_keys(OBJECT)),
            lambda url: answer(url, 200, listed),
        ),
    }


def table_calls() -> dict[str, tuple[Callable[[Table], Any], Callable[[str], AWSResponse]]]:
    """Every operation of the table, and what DynamoDB answers when all is well."""
    put = Put({"PK": "a", "SK": "b", "version": 1})

    def good(body: bytes) -> Callable[[str], AWSResponse]:
        return lambda url: answer(url, 200, body)

    return {
        "get": (lambda table: table.get("a", "b"), good(b"{}")),
        "put": (lambda table: table.put(put), good(b"{}")),
        "query": (
            lambda table: list(table.query("a", SortKeys(prefix="b"))),
            good(b'{"Items": []}'),
        ),
        "count": (lambda table: table.count("a"), good(b'{"Count": 0}')),
        "transact": (lambda table: table.transact([put]), good(b"{}")),
    }


LOOP_CALLS: dict[str, Callable[[LoopClient], Any]] = {
    "start": lambda loop: loop.start("job"),
    "wake": lambda loop: loop.wake("token", {"outcome": "closed"}),
}


def survive(wire: Wire, act: Callable[[], Any], failure: Failure, error: type[Exception]) -> int:
    """Let a call fail once, twice, and always; return how many requests failed."""
    wire.failure, wire.sent = failure, 0
    for times in (1, 2):
        wire.failures_left = times
        act()
        assert wire.failures_left == 0
    wire.failures_left = 10_000
    with pytest.raises(error):
        act()
    # Otherwise there would be no more than one attempt.
    assert wire.sent > 5
    wire.failures_left = 0
    return wire.sent


@pytest.mark.fault(
    what="throttling, 5xx, broken connections and timeouts, on the wire",
    where="every operation of the S3 client: SlowDown, InternalError, ServiceUnavailable, "
    "connection closed, read timeout",
    outcome="one or two failures are retried by the SDK; more are told as unavailable, which "
    "retries the step, or asks the worker's page to",
)
@pytest.mark.parametrize("failure", some(list(S3_FAILURES), 5))
def test_s3_failures_are_retried_and_then_told_as_passing(
    wire: Wire, failure: str, survived: Survived
) -> None:
    files = S3Client.from_environment()
    wire.failing_host = "s3."
    for act, good in s3_calls().values():
        wire.good = good
        survived.at(
            survive(wire, lambda: act(files), S3_FAILURES[failure], S3UnavailableError)  # noqa: B023
        )


@pytest.mark.fault(
    what="throttling, 5xx, broken connections and timeouts, on the wire",
    where="every operation of the DynamoDB table: ProvisionedThroughputExceeded, Throttling, "
    "InternalServerError, connection closed, read timeout",
    outcome="one or two failures are retried by the SDK; more are told as unavailable",
)
@pytest.mark.parametrize("failure", some(list(TABLE_FAILURES), 5))
def test_table_failures_are_retried_and_then_told_as_passing(
    wire: Wire, failure: str, survived: Survived
) -> None:
    table = Table(deployed_table.__wrapped__())
    wire.failing_host = "dynamodb."
    for act, good in table_calls().values():
        wire.good = good
        survived.at(
            survive(wire, lambda: act(table), TABLE_FAILURES[failure], UnavailableError)  # noqa: B023
        )


@pytest.mark.fault(
    what="throttling, 5xx, broken connections and timeouts, on the wire",
    where="starting and waking the loop: Throttling, ServiceUnavailable, connection closed, read "
    "timeout",
    outcome="one or two failures are retried by the SDK; more are told as unavailable",
)
@pytest.mark.parametrize("failure", some(list(LOOP_FAILURES), 5))
def test_loop_failures_are_retried_and_then_told_as_passing(
    wire: Wire, failure: str, survived: Survived
) -> None:
    loop = LoopClient("arn:aws:states:us-east-1:111122223333:stateMachine:loop")
    wire.failing_host = "states."
    wire.good = lambda url: answer(url, 200, b'{"executionArn": "arn", "startDate": 1700000000}')
    for act in LOOP_CALLS.values():
        survived.at(
            survive(wire, lambda: act(loop), LOOP_FAILURES[failure], UnavailableError)  # noqa: B023
        )


@pytest.mark.fault(
    what="throttling, broken connections and timeouts, on the wire",
    where="assuming the job's role, for any operation of the S3 client",
    outcome="told as unavailable, not as a role that may not be assumed: neither object nor job "
    "fails of it",
)
@pytest.mark.parametrize("failure", some(list(STS_FAILURES), 5))
def test_a_busy_sts_is_not_taken_for_a_refusal(
    wire: Wire, failure: str, survived: Survived
) -> None:
    wire.failing_host = "sts."
    for act, good in some(list(s3_calls().values()), 4):
        wire.good = good

        def fresh(act: Callable[[S3Client], Any] = act) -> Any:
            session = session_for_role.__wrapped__(ROLE, "groundwork-job")
            return act(S3Client(session.client("s3")))

        wire.failure, wire.sent = STS_FAILURES[failure], 0
        wire.failures_left = 1
        fresh()
        wire.failures_left = 10_000
        with pytest.raises(S3UnavailableError):
            fresh()
        assert wire.sent > 2
        survived.at(wire.sent)


@pytest.mark.fault(
    what="a client without timeouts and retries",
    where="every place in the library where a client is made, and every client's settings",
    outcome="there is none: all have a configuration of their own, with standard retries",
)
def test_every_client_has_timeouts_and_retries(survived: Survived) -> None:
    for path in sorted(ROOT.rglob("*.py")):
        folder = path.relative_to(ROOT).parts[0]
        # What only runs on somebody's own machine.
        if folder in ("local", "cli", "demo"):
            continue
        for call in client_calls(path):
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            assert isinstance(named.get("config"), ast.Name), f"{path}:{call.lineno}"
            module = importlib.import_module(
                ".".join(["groundwork", *path.relative_to(ROOT).with_suffix("").parts])
            )
            config = getattr(module, ast.unparse(named["config"]))
            assert isinstance(config, Config)
            assert config.retries["mode"] == "standard", path
            assert config.connect_timeout <= 5
            survived.at(1)


def client_calls(path: Path) -> Iterator[ast.Call]:
    """Yield the calls that make a boto3 client or resource."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("client", "resource")
            and not (
                isinstance(node.func.value, ast.Name) and node.func.value.id in ("cloud", "engine")
            )
        ):
            yield node

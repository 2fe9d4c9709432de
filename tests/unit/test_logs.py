"""A function's logs: one line of JSON an event, with its ids and without secrets."""

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from groundwork import logs
from groundwork.jobs.errors import JobFailedError

CONTEXT = SimpleNamespace(aws_request_id="request-1")
_log = logging.getLogger("groundwork.test")


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set logs up as a function does, and put them back."""
    loggers = [logging.getLogger(), logging.getLogger("groundwork")]
    before = [(each, each.level, each.handlers) for each in loggers]
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    logs.set_up()
    yield
    for logger, level, handlers in before:
        logger.level, logger.handlers = level, handlers


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("function")
def test_a_line_has_the_invocations_ids_and_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.invocation(CONTEXT, job="logos", step="publish", iteration=2, shard=None):
        logs.about(worker_id="private.1")
        _log.info("an event", extra={"object_id": 7, "seconds": 1.5, "names": ("a", "b")})
    _log.info("another")
    first, second = lines(capsys)

    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "event": "an event",
        "logger": "groundwork.test",
        "request_id": "request-1",
        "job": "logos",
        "step": "publish",
        "iteration": 2,
        "worker_id": "private.1",
        "object_id": 7,
        "seconds": 1.5,
        "names": ["a", "b"],
    }
    assert second.keys() == {"time", "level", "event", "logger"}


@pytest.mark.usefixtures("function")
def test_an_error_is_logged_once_with_its_trace_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), logs.invocation(CONTEXT, job="logos"):
        print(1 / 0)
    (line,) = lines(capsys)

    assert (line["level"], line["job"], line["request_id"]) == ("ERROR", "logos", "request-1")
    assert line["error"] == "ZeroDivisionError: division by zero"
    assert "print(1 / 0)" in line["trace"]


@pytest.mark.usefixtures("function")
def test_what_the_customer_must_mend_is_no_error_of_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(JobFailedError), logs.invocation(CONTEXT, job="logos"):
        raise JobFailedError("The input manifest has no lines.")
    (line,) = lines(capsys)

    assert line["level"] == "WARNING"
    assert line["error"].endswith("no lines.")
    assert "trace" not in line


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mail to ann.b+c@mail.example.com failed", "mail to <e-mail address> failed"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln-_x given", "token <token> given"),
        (
            "https://b/k.jpg?X-Amz-Credential=A%2Fx&X-Amz-Expires=60&X-Amz-Signature=0af3",
            "https://b/k.jpg?X-Amz-Credential=<secret>&X-Amz-Expires=60&X-Amz-Signature=<secret>",
        ),
        (
            "/oauth2/idpresponse?code=abc&state=xyz",
            "/oauth2/idpresponse?code=<secret>&state=<secret>",
        ),
        ("private.us-east-1.0a1b holds 3", "private.us-east-1.0a1b holds 3"),
    ],
)
@pytest.mark.usefixtures("function")
def test_secrets_of_others_messages_are_left_out(
    capsys: pytest.CaptureFixture[str], text: str, kept: str
) -> None:
    _log.info("%s", text, extra={"reason": text, "deep": {"list": [text]}})
    try:
        raise ValueError(text)
    except ValueError:
        _log.exception("failed")
    first, second = lines(capsys)

    assert (first["event"], first["reason"], first["deep"]["list"]) == (kept, kept, [kept])
    assert second["trace"].endswith(f"ValueError: {kept}\n")
    assert text == kept or text not in str((first, second))


@pytest.mark.usefixtures("function")
def test_other_packages_are_heard_when_they_warn(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("botocore").info("a request")
    logging.getLogger("botocore").warning("a retry of %s", object)
    (line,) = lines(capsys)

    assert line["logger"] == "botocore"
    assert line["event"] == "a retry of <class 'object'>"


def test_outside_of_a_function_logs_stay_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    before = list(logging.getLogger().handlers)
    logs.set_up()
    assert logging.getLogger().handlers == before

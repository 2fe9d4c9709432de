"""Logs of the functions: one line of JSON an event, with what it is about.

A few lines of our own, since each of the other ways lacks something that is needed here. Lambda's
JSON log format is the runtime's work, which no local cloud does, and it does not know what an
invocation is about. AWS Lambda Powertools does all of it, as one more package in every function's
start, and leaves secrets in messages to its users.

Modules log with the standard library and put ids into ``extra``:
``_log.info("step done", extra={"job": job.name})``. Ids that hold for all of an invocation are
given once, to ``invocation`` or ``about``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

# What a record has anyhow; anything else came with `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# CloudWatch Logs takes 1 MB an event; nobody reads more than this of one value.
_MOST_CHARACTERS = 10_000
# What a message of another's making may carry: of people, of sessions, of presigned addresses.
_SECRETS = (
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "<e-mail address>"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "<token>"),
    (
        re.compile(
            r"((?:X-Amz-(?:Signature|Security-Token|Credential)|code|state|code_verifier"
            r"|client_secret|password)=)[^&\s\"']+",
            re.IGNORECASE,
        ),
        r"\1<secret>",
    ),
)
_MARKS = ("@", "eyJ", "=")

# One invocation at a time runs in a process, with threads of its own that log, too.
_about: dict[str, Any] = {}


def set_up() -> None:
    """Write all of a function's logs as JSON to standard output, which Lambda collects.

    Outside of a function this changes nothing: there the logs are the importing program's.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    handler = _StandardOutput()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("groundwork").setLevel(logging.INFO)


@contextmanager
def invocation(context: Any, **ids: Any) -> Iterator[None]:
    """Say what an invocation is about, and log what it dies of, once, with its trace.

    The runtime adds a line of its own on such an error, which has no ids but the request's.

    Parameters
    ----------
    context
        Lambda's; its request id is on every line.
    ids
        Such as ``job``, ``iteration``, ``step``; those that are None are left out.
    """
    _about.clear()
    about(request_id=getattr(context, "aws_request_id", None), **ids)
    try:
        yield
    except Exception as error:
        expected = type(error).__name__ == "JobFailedError"
        logging.getLogger("groundwork").log(
            logging.WARNING if expected else logging.ERROR,
            "invocation failed",
            exc_info=not expected,
            extra={"error": f"{type(error).__name__}: {error}"},
        )
        raise
    finally:
        _about.clear()


def of_resource(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a custom resource's event is about: its type, and what is done with it."""
    return {"resource": event.get("ResourceType"), "action": event.get("RequestType")}


def about(**ids: Any) -> None:
    """Add to what the running invocation is about."""
    _about.update({name: value for name, value in ids.items() if value is not None})


def without_secrets(text: str) -> str:
    """Return a text without e-mail addresses, tokens and signatures."""
    # Few texts have any, and the patterns take longer than all the rest of a line.
    if not any(mark in text for mark in _MARKS):
        return text
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, event, logger, ids, trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        more = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            "logger": record.name,
            **_about,
            **more,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(_clean(line), ensure_ascii=False, default=str)


class _StandardOutput(logging.Handler):
    """Writes to what is standard output at the time of each line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, whole, since other threads write, too."""
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        text = without_secrets(value)
        # A trace's end says most.
        return text if len(text) <= _MOST_CHARACTERS else f"…{text[-_MOST_CHARACTERS:]}"
    if isinstance(value, Mapping):
        return {str(name): _clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _clean(str(value))

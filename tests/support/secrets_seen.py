"""The secrets of a run, as whoever they belong to sees them, and where none of them may be."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from groundwork.local.cloud import LocalCloud

# What addresses carry that lets whoever reads them in, for a while.
_IN_ADDRESSES = ("code", "state", "X-Amz-Signature", "X-Amz-Security-Token")
# Shorter values would be found by chance.
_SHORTEST = 12
# Whatever looks like one is one: an id, access or refresh token, and a presigned address.
_FORMS = {
    "token": re.compile(r"eyJ[\w-]{10,}\.eyJ?[\w-]{10,}\.[\w-]{10,}"),
    "signature": re.compile(r"X-Amz-Signature=[0-9a-f]{64}"),
    "session of a role": re.compile(r"X-Amz-Security-Token="),
}


class Witness:
    """Remembers the secrets that pass through this process's HTTP clients."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}

    @contextmanager
    def watching(self) -> Iterator["Witness"]:
        """Look at every request and answer."""
        original = httpx.HTTPTransport.handle_request

        def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            response = original(transport, request)
            self.address(str(request.url))
            self.address(response.headers.get("location", ""))
            for header in response.headers.get_list("set-cookie"):
                for name, cookie in SimpleCookie(header).items():
                    self.add(f"cookie {name}", cookie.value)
            return response

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(httpx.HTTPTransport, "handle_request", handle)
            yield self

    def address(self, url: str) -> None:
        """Remember what lets somebody in by an address."""
        query = parse_qs(urlsplit(url).query)
        for name in _IN_ADDRESSES:
            for value in query.get(name, []):
                self.add(name, value)

    def add(self, kind: str, value: str) -> None:
        """Remember one."""
        if len(value) >= _SHORTEST:
            self.seen.setdefault(kind, set()).add(value)


def found(text: str, secrets: Mapping[str, set[str]]) -> set[str]:
    """Return which kinds of secrets are in a text, by value or by form."""
    by_value = {kind for kind, values in secrets.items() if any(each in text for each in values)}
    return by_value | {kind for kind, form in _FORMS.items() if form.search(text)}


def places(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """Yield everything that is written down or shown, by a name for it."""
    yield "the emulator's log", cloud.emulator.log_path.read_text(errors="replace")
    logs = cloud.client("logs")
    for group in _pages(logs, "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        events = _pages(logs, "filter_log_events", "events", logGroupName=name)
        yield f"log group {name}", "\n".join(event["message"] for event in events)
    formation = cloud.client("cloudformation")
    for stack in cloud.stacks():
        yield f"outputs of {stack.name}", json.dumps(dict(stack.outputs))
        template = formation.get_template(StackName=stack.name)["TemplateBody"]
        yield f"template of {stack.name}", _text(template)
        events = _pages(formation, "describe_stack_events", "StackEvents", StackName=stack.name)
        yield f"events of {stack.name}", _text(list(events))
    for function in _pages(cloud.client("lambda"), "list_functions", "Functions"):
        yield f"function {function['FunctionName']}", _text(function)
    dynamodb = cloud.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        yield f"table {table}", _text(list(_pages(dynamodb, "scan", "Items", TableName=table)))


def _pages(client: Any, operation: str, items: str, **arguments: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(items, [])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)

"""docs/operations.md names what exists."""

import re
import shlex
from dataclasses import fields

import pytest

from groundwork.metrics import ENGINE_NAMESPACE, JOBS_NAMESPACE, WORKTEAM_NAMESPACE
from stacks import outputs
from stacks.config import WorkshopConfig
from tests.support.command_line import parse
from tests.support.local_workshop import PROJECT

DOCUMENT = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(" ".join(text.split()))[1:]
    for text in re.findall(r"(?:`|\$ )(groundwork [^`#\n]+(?:\n[^`#\n]+)?)`", DOCUMENT)
    + re.findall(r"^\$ (groundwork .+)$", DOCUMENT, re.MULTILINE)
]


@pytest.mark.parametrize("words", COMMANDS, ids=shlex.join)
def test_every_groundwork_command_is_understood(words: list[str]) -> None:
    parse(words)


def test_there_are_commands_to_check() -> None:
    assert {words[0] for words in COMMANDS} >= {"status", "explain", "workers"}


def test_settings_outputs_and_namespaces_are_there_under_these_names() -> None:
    settings = {each.name for each in fields(WorkshopConfig)}
    for name in ("operator_emails", "monthly_budget_usd", "worker_emails", "manifest"):
        assert name in settings
        assert f"`{name}" in DOCUMENT or f"{name}:" in DOCUMENT
    for name in (outputs.DASHBOARD_URL, outputs.WATCH_FUNCTION_NAME):
        assert f"`{name}`" in DOCUMENT
    for namespace in (JOBS_NAMESPACE, WORKTEAM_NAMESPACE, ENGINE_NAMESPACE):
        assert f"`{namespace}`" in DOCUMENT


def test_queries_ask_for_events_that_are_logged() -> None:
    """Each event in quotation marks or code is one that some module logs."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("groundwork", "lambdas")
        for path in (PROJECT / folder).rglob("*.py")
    )
    words = " ".join(DOCUMENT.split())
    asked = set(re.findall(r"event = '([^']+)'", DOCUMENT))
    told = {"job ended", "jobs watched", "notice failed", "answer set aside", "job left out"}

    assert asked == {"step done", "TasksSubmitted", "portal request"}
    for event in asked | told:
        assert f'"{event}"' in sources
        assert f"`{event}`" in words or f"'{event}'" in words

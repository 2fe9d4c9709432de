"""What SECURITY.md names as proof exists."""

import re
from pathlib import Path

import pytest

from groundwork.portal.sessions import GROUPS_VALID_FOR, REMEMBERED_FOR, SESSION_LIFETIME
from groundwork.portal.sign_in import SIGN_IN_SECONDS

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE))))
def test_every_test_that_is_named_exists(name: str) -> None:
    assert (PROJECT / name).is_file()
    assert "def test_" in (PROJECT / name).read_text(encoding="utf-8")


def test_every_attack_has_its_proof() -> None:
    table = PAGE.partition("## What is defended")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not re.search(r"`tests/[^`]+` ?[^|]*\|$", row)] == []


def test_times_are_those_of_the_code() -> None:
    seconds = [
        each.total_seconds() for each in (SESSION_LIFETIME, GROUPS_VALID_FOR, REMEMBERED_FOR)
    ]
    assert (*seconds, SIGN_IN_SECONDS) == (12 * 3600, 5 * 60, 15, 30 * 60)
    for words in ("12 hours", "every five minutes", "fifteen seconds longer", "half an hour"):
        assert words in PAGE

"""What a record of rights and calls proves, on one made by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.used_rights import Call, Grant, Record

ROLE = "Groundwork-PortalRoleB596FF9D-3B545354B5412"
NAME = "Groundwork-PortalRole"
BUCKET = "arn:aws:s3:::groundwork-bucket5a07b7ee-81d7182b5c173"


def grant(action: str, resource: str) -> dict[str, Any]:
    return {"action": action, "resource": resource, "condition": {}}


READ = grant("s3:GetObject", f"{BUCKET}/images/*")
READ_ALL = grant("s3:GetObject", f"{BUCKET}/*")
WRITE = grant("s3:PutObject", f"{BUCKET}/*")


def call(action: str, *grants: dict[str, Any], allowed: bool = True) -> dict[str, Any]:
    resource = f"{BUCKET}/images/a.jpg"
    return {
        "role": ROLE,
        "action": action,
        "resource": resource,
        "allowed": allowed,
        "grants": list(grants),
    }


def policy(name: str, *grants: dict[str, Any]) -> dict[str, Any]:
    return {"role": ROLE, "policy": name, "grants": list(grants)}


def record(folder: Path, *entries: dict[str, Any], cloud: str = "cloud") -> Record:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / cloud).write_text(lines, encoding="utf-8")
    return Record.read(folder)


def named(action: str, resource: str) -> Grant:
    return Grant(NAME, action, f"arn:aws:s3:::groundwork-bucket5a07b7ee{resource}", "{}")


def test_a_right_that_no_call_has_needed_is_told(tmp_path: Path) -> None:
    seen = record(tmp_path, policy("p", READ, WRITE), call("s3:GetObject", READ))

    assert seen.unneeded() == {named("s3:PutObject", "/*")}


def test_of_two_rights_for_all_the_same_calls_neither_is_proven(tmp_path: Path) -> None:
    """Taking away either one denies nothing."""
    seen = record(tmp_path, policy("p", READ, READ_ALL), call("s3:GetObject", READ, READ_ALL))

    assert seen.unneeded() == {named("s3:GetObject", "/*"), named("s3:GetObject", "/images/*")}


def test_a_policys_later_version_counts(tmp_path: Path) -> None:
    seen = record(tmp_path, policy("p", READ, WRITE), policy("p", READ), call("s3:GetObject", READ))

    assert seen.unneeded() == set()


def test_the_same_right_of_two_clouds_is_one(tmp_path: Path) -> None:
    """Names end otherwise in each."""
    other = json.loads(json.dumps(READ).replace("81d7182b5c173", "0123456789abc"))
    record(tmp_path, policy("p", READ), call("s3:GetObject", READ))
    seen = record(tmp_path, policy("q", other), cloud="another")

    assert len(seen.grants) == 1
    assert seen.unneeded() == set()


def test_a_policy_of_another_cloud_replaces_none(tmp_path: Path) -> None:
    """Names may end alike, too: the other flavour's role has other rights."""
    record(tmp_path, policy("p", WRITE))
    seen = record(tmp_path, policy("p", READ), call("s3:GetObject", READ), cloud="later")

    assert seen.unneeded() == {named("s3:PutObject", "/*")}


@pytest.mark.parametrize("allowed", [True, False])
def test_refused_calls_are_told(tmp_path: Path, *, allowed: bool) -> None:
    seen = record(tmp_path, policy("p", READ), call("s3:DeleteObject", allowed=allowed))
    refused = Call(
        NAME,
        "s3:DeleteObject",
        "arn:aws:s3:::groundwork-bucket5a07b7ee/images/a.jpg",
        allowed=False,
        grants=frozenset(),
    )

    assert seen.denied() == (set() if allowed else {refused})

"""The record of a run's rights and calls (groundwork.local.rights_record), and what it proves."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What CloudFormation and Cognito put into names: the same right in another run has others.
_GENERATED = (
    (re.compile(r"-[0-9A-Fa-f]{12,13}(?=[/:*]|$)"), ""),
    (re.compile(r"userpool/[\w-]+"), "userpool/<pool>"),
    (re.compile(r"/[0-9a-f]{64}\.zip"), "/<archive>.zip"),
)
# CDK's hash at the end of a logical id, of which long names lose a part.
_HASH = re.compile(r"[0-9A-F]{1,8}$")


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource that a statement allows a role.

    Parameters
    ----------
    role
        Its stack and its logical id, without generated parts.
    """

    role: str
    action: str
    resource: str
    condition: str


@dataclass(frozen=True, order=True)
class Call:
    """One kind of call that a role made, and those of its grants that allow it."""

    role: str
    action: str
    resource: str
    allowed: bool
    grants: frozenset[Grant]


@dataclass(frozen=True)
class Record:
    """What roles may do, and did."""

    grants: frozenset[Grant]
    calls: frozenset[Call]

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """Read what local clouds have written, each into a file of its own.

        A role may have the same name in several, and different policies.
        """
        records = [cls._of_cloud(path) for path in sorted(folder.iterdir())]
        return cls(
            frozenset(grant for each in records for grant in each.grants),
            frozenset(call for each in records for call in each.calls),
        )

    @classmethod
    def _of_cloud(cls, path: Path) -> "Record":
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        latest = {(each["role"], each["policy"]): each for each in entries if "policy" in each}
        return cls(
            frozenset(grant for each in latest.values() for grant in _grants(each)),
            frozenset(_call(each) for each in entries if "policy" not in each),
        )

    def unneeded(self) -> set[Grant]:
        """Return the grants without which every call would be allowed all the same.

        A grant is needed when some call has no other one: with its statement taken away, that call
        is denied.
        """
        needed = {grant for call in self.calls if len(call.grants) == 1 for grant in call.grants}
        return set(self.grants - needed)

    def denied(self) -> set[Call]:
        """Return the calls that were refused."""
        return {call for call in self.calls if not call.allowed}


def _call(entry: Mapping[str, Any]) -> Call:
    return Call(
        _role(entry["role"]),
        entry["action"],
        _plain(entry["resource"]),
        entry["allowed"],
        frozenset(_grants(entry)),
    )


def _grants(entry: Mapping[str, Any]) -> Iterator[Grant]:
    for grant in entry["grants"]:
        yield Grant(
            _role(entry["role"]),
            grant["action"],
            _plain(grant["resource"]),
            json.dumps(grant["condition"], sort_keys=True),
        )


def _role(name: str) -> str:
    return _HASH.sub("", _plain(name))


def _plain(text: str) -> str:
    for pattern, replacement in _GENERATED:
        text = pattern.sub(replacement, text)
    return text

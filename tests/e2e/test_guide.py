"""The guide's commands, as a reader types them, on a laptop.

Those for an AWS account cannot run here: no account is used. Of ``npx cdk deploy`` and ``destroy``
the same app is synthesized with the same settings, which finds every mistake before CloudFormation;
of ``groundwork ... --aws`` and the like the command line is parsed (tests/unit/test_guide.py), and
the same command runs without that option on the local cloud. ``make setup`` is looked at with
``make -n``: it made the environment that runs this test.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwork.local.emulator import free_port
from groundwork.manifest import LabelState
from tests.support.guide import ACCOUNT, Guide
from tests.support.local_workshop import PROJECT
from tests.support.project_copy import show_project

FIRST_PORT = 4655
GUIDE = Guide.read("en")
PHOTOS = 120
AUDITED = 20
TARGET = 0.5
_TOOLS = Path(sys.executable).parent


class Reader:
    """Types commands in a folder of their own, which looks like the project's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(FIRST_PORT)
        self._variables: dict[str, str] = {}
        show_project(folder)
        for name, content in GUIDE.files.items():
            (folder / name).write_text(content, encoding="utf-8")

    def type(self, line: str) -> str:
        """Run a command; return what it said."""
        words = shlex.split(line)
        if line.startswith(("JOB=", "PLACE=")):
            self._copy_names()
            return ""
        if words[0] == "source":
            assert (_TOOLS / Path(words[1]).name).is_file() or (PROJECT / words[1]).is_file()
            return ""
        if words[0] == "make":
            line = f"make -n -C {shlex.quote(str(PROJECT))} {shlex.join(words[1:])}"
        if words[:2] == ["groundwork", "up"]:
            # Another local cloud may run on this machine.
            line = f"{line} --port {self.port}"
        return self.run(line)

    def run(self, line: str) -> str:
        """Run a line in the shell that the reader has."""
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=os.environ
            | self._variables
            | {"PATH": f"{_TOOLS}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"$ {line}\n{ended.stdout}{ended.stderr}")
        assert ended.returncode == 0, f"{line}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}"
        return ended.stdout

    def json(self, line: str) -> Any:
        """Run a command; return its JSON document."""
        return json.loads(self.run(f"{line} --json"))

    def _copy_names(self) -> None:
        """As step 4 asks: the job's name and its results' place, from what status tells."""
        [job] = self.json("groundwork status")["jobs"]
        self._variables = {"JOB": job["name"], "PLACE": job["output"]}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(tmp_path_factory.mktemp("reader"))
    try:
        yield reader
    finally:
        reader.run("groundwork down --force")


@pytest.mark.timeout(1800)
def test_the_laptops_way_from_the_first_command_to_the_last(reader: Reader) -> None:
    """Every command works in the guide's order, and the results are what the guide promises."""
    for command in GUIDE.commands:
        if command.place == ACCOUNT:
            continue
        if command.line == "groundwork down":
            check_results(reader)
        reader.type(command.line)
    assert reader.json("groundwork status") == {"running": False}


def check_results(reader: Reader) -> None:
    """Before the teardown: people and machine labeled all, the audit holds, files are there."""
    results = reader.json('groundwork results "$PLACE" --local --truth photos/truth.json')
    states, quality = results["states"], results["quality"]
    people, machine = states[LabelState.HUMAN], states[LabelState.MACHINE]
    assert people + machine == PHOTOS
    assert machine >= AUDITED
    assert quality[LabelState.HUMAN]["mean"] > 0.8
    assert quality[LabelState.MACHINE]["mean"] > TARGET
    measured = reader.json('groundwork audit measure "$PLACE-audit-0" --local')
    assert measured["population"] == machine
    assert measured["sampled"] == AUDITED
    assert measured["low"] <= quality[LabelState.MACHINE]["mean"] <= 1
    assert measured["low"] <= measured["bound"] <= measured["mean"] <= measured["high"] <= 1
    assert "</html>" in (reader.folder / "report.html").read_text(encoding="utf-8")
    exported = (reader.folder / "dataset" / "labels").rglob("*.txt")
    assert len(list(exported)) == PHOTOS


@pytest.mark.parametrize(
    "settings",
    sorted(
        {
            shlex.join(word for word in shlex.split(command.line)[3:] if word != "--all")
            for command in GUIDE.commands
            if command.line.startswith(("npx cdk deploy", "npx cdk destroy"))
        }
    ),
)
def test_what_an_account_would_get_is_synthesized(
    settings: str, reader: Reader, tmp_path: Path
) -> None:
    """The app takes the settings, and makes the stacks that the guide names."""
    reader.run("groundwork samples photos --count 120")
    reader.run(f"npx cdk synth --quiet --output={shlex.quote(str(tmp_path))} {settings}")
    made = {path.name.partition(".")[0] for path in tmp_path.glob("*.template.json")}
    engine = {"GroundworkEngine"} if "engine=open" in settings else set()
    assert made == {"Groundwork"} | engine

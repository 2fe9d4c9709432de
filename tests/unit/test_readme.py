"""The README names what exists, and all of it."""

import re
import shlex
from pathlib import Path

import click
import pytest

from groundwork.cli import main
from groundwork.datasets.exporting import FORMATS
from groundwork.datasets.importing import READERS
from groundwork.results.kinds import LabelKind
from stacks import outputs
from tests.support.command_line import parse

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
OUTPUTS = [value for name, value in vars(outputs).items() if name.isupper()]


def _words(program: str) -> list[list[str]]:
    return [words[1:] for words in map(shlex.split, COMMANDS) if words[0] == program]


def test_the_first_two_commands_are_demo_and_test() -> None:
    """A newcomer's first console block holds the two commands and nothing else."""
    assert COMMANDS[:2] == ["make demo", "make test"]


def test_every_make_target_in_the_readme_exists() -> None:
    """No command of the README ends with "No rule to make target"."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    named = {word for words in _words("make") for word in words if "=" not in word}

    assert named
    assert named <= targets


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_in_the_readme_and_has_help_with_an_example(command: str) -> None:
    """A command that nobody can find is not a feature."""
    help_text = main.commands[command].help or ""

    assert f"groundwork {command}" in help_text
    assert [command] in [words[:1] for words in _words("groundwork")] or command == "demo"


@pytest.mark.parametrize("words", _words("groundwork"), ids=shlex.join)
def test_every_groundwork_command_in_the_readme_is_understood(words: list[str]) -> None:
    """What the README tells people to type exists, with its options and arguments."""
    assert words[0] in main.commands
    parse(words)


def _subcommands() -> list[tuple[str, click.Command]]:
    found = []
    for name, command in main.commands.items():
        found += (
            [(f"{name} {each}", below) for each, below in command.commands.items()]
            if isinstance(command, click.Group)
            else [(name, command)]
        )
    return found


@pytest.mark.parametrize(("name", "command"), _subcommands(), ids=str)
def test_every_command_has_an_example_and_speaks_json(name: str, command: click.Command) -> None:
    """Also those of a group: what a reader sees at its ``--help`` is enough to type it."""
    example = (command.help or "").partition("Example:")[2]

    assert f"groundwork {name}" in example
    assert "--json" in {option for each in command.params for option in each.opts}
    for line in example.splitlines():
        if "groundwork" in line:
            parse(shlex.split(line)[1:])


def test_the_bound_that_the_readme_explains_is_the_one_of_the_demo_that_it_shows() -> None:
    """A reader who compares the two finds one number."""
    stated = re.findall(r"people is at least ([\d.]+) \(target", " ".join(README.split()))
    [shown] = re.findall(
        r"^its bound, proven with 95 % confidence +([\d.]+)$", README, re.MULTILINE
    )

    assert len(stated) == 2
    assert set(stated) == {shown}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_export_format_is_in_the_readme_as_it_is(name: str) -> None:
    """The README's table says which labels a format holds, and which can be brought in again."""
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    cells = [cell.strip() for cell in row.split("|")[3:7]]
    kinds = (LabelKind.BOXES, LabelKind.CLASS, LabelKind.CLASSES)

    assert [cell == "yes" for cell in cells[:3]] == [kind in FORMATS[name].kinds for kind in kinds]
    assert bool(cells[3]) == (name in READERS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_is_explained_in_the_readme(name: str) -> None:
    """Whoever reads the end of `cdk deploy` finds each line in the README."""
    assert f"`{name}`" in README


def test_no_package_registry_is_named_in_the_lock_file() -> None:
    """The lock file works with whatever registry or mirror npm is set up for."""
    assert '"resolved"' not in (PROJECT / "package-lock.json").read_text(encoding="utf-8")

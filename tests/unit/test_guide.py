"""The guides say the same, and nothing that does not exist.

What their commands do is tested in tests/e2e/test_guide.py.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import click
import nbformat
import pytest
from click.testing import CliRunner

from groundwork.cli import main
from groundwork.samples import generate
from tests.support.command_line import parse
from tests.support.guide import ACCOUNT, LANGUAGES, NOTEBOOK, PLACES, WORKSHOP, Command, Guide
from tests.support.local_workshop import PROJECT

ENGLISH, KOREAN = (Guide.read(language) for language in LANGUAGES)
STEPS = 8
LARGEST_PICTURE_BYTES = 100_000
_ASSIGNMENT = re.compile(r"[A-Z]+=\S+")


def test_both_guides_have_the_same_commands_and_files() -> None:
    """Who follows one of them does what the test of the other has done."""
    assert ENGLISH.commands
    assert KOREAN.commands == ENGLISH.commands
    assert ENGLISH.files
    assert KOREAN.files == ENGLISH.files


@pytest.mark.parametrize("guide", [ENGLISH, KOREAN], ids=LANGUAGES)
def test_a_guide_has_eight_steps_and_what_a_reader_needs_after_them(guide: Guide) -> None:
    """The steps come in order; teardown, cost and trouble follow."""
    numbers = [
        int(re.sub(r"\D", "", heading))
        for heading in guide.headings
        if re.match(r"Step \d|\d단계", heading)
    ]
    assert numbers == list(range(1, STEPS + 1))
    assert len(guide.headings) == len(ENGLISH.headings)


@pytest.mark.parametrize("guide", [ENGLISH, KOREAN], ids=LANGUAGES)
def test_what_a_guide_links_to_is_there(guide: Guide) -> None:
    """No picture is missing, and no file."""
    assert [link for link in guide.links if not link.is_file()] == []


def test_every_picture_is_shown_and_small() -> None:
    """The repository keeps no picture that nobody sees, and none that is slow to load."""
    shown = {link.name for guide in (ENGLISH, KOREAN) for link in guide.links}
    pictures = list((WORKSHOP / "pictures").iterdir())
    assert pictures
    assert {picture.name for picture in pictures} <= shown
    assert all(picture.stat().st_size < LARGEST_PICTURE_BYTES for picture in pictures)


@pytest.mark.parametrize("command", ENGLISH.commands, ids=lambda command: command.line)
def test_a_command_is_understood(command: Command) -> None:
    """Names and options exist, also of what only an AWS account could run."""
    assert command.place in PLACES
    words = shlex.split(command.line)
    match words[0]:
        case "groundwork":
            parse(words[1:])
        case "make":
            makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words[1:])
        case "npx":
            assert words[1] == "cdk"
            assert words[2] in {"bootstrap", "deploy", "destroy"}
            assert command.place == ACCOUNT
        case "source":
            assert words[1:] == [".venv/bin/activate"]
        case _:
            assert _ASSIGNMENT.fullmatch(command.line)


def test_a_wrong_command_would_be_noticed() -> None:
    """The check above is one."""
    for line in ("results", "results here --colour", "audit begin my-job"):
        with pytest.raises((click.UsageError, KeyError)):
            parse(line.split())


def test_the_notebook_is_kept_without_results_of_a_run() -> None:
    """A reader sees their own results, and a change shows what changed."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert NOTEBOOK.stat().st_size < LARGEST_PICTURE_BYTES


def test_what_the_guide_costs_is_what_its_own_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of costs has the figures of the estimate in step 2."""
    [draw] = [each for each in ENGLISH.commands if each.line.startswith("groundwork samples")]
    [ask] = [each for each in ENGLISH.commands if "--config workshop.yaml --m" in each.line]
    monkeypatch.chdir(tmp_path)
    for name, content in ENGLISH.files.items():
        Path(name).write_text(content, encoding="utf-8")
    _, _, folder, _, count = shlex.split(draw.line)
    # Drawing all of them takes half a minute, and only their sizes are looked at.
    generate(Path(folder), 2)
    for number in range(2, int(count)):
        original = Path(folder, f"sample-{number % 2:05}.jpg")
        shutil.copy(original, Path(folder, f"sample-{number:05}.jpg"))
    result = CliRunner().invoke(main, [*shlex.split(ask.line)[1:], "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    engine, ground_truth = told["open"]["usd"], told["ground_truth"]["usd"]
    assert f"| 0 | about USD {engine:.3f} | USD {ground_truth:.2f} |" in ENGLISH.text
    assert f"| 0 | 약 {engine:.3f}달러 | {ground_truth:.2f}달러 |" in KOREAN.text
    people, minutes = told["labels"]["human"], told["human_minutes"]
    told_in_english = " ".join(ENGLISH.text.split())
    assert f"the {people} of them that people label take {minutes:.0f} minutes" in told_in_english
    assert f"사람이 라벨링하는 {people}장에 {minutes:.0f}분" in KOREAN.text

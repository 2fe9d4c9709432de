"""The command line: one clear message for every mistake."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundwork.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert f"groundwork {command}" in result.output


@pytest.mark.usefixtures("project")
def test_status_says_when_nothing_runs() -> None:
    result = run("status")
    assert result.exit_code == 0
    assert "not running" in result.output
    assert "groundwork up" in result.output


def test_down_forgets_the_data_of_a_cloud_that_does_not_run(project: Path) -> None:
    state = project / "build" / "local" / "state"
    state.mkdir(parents=True)
    assert run("down", "--keep-data").exit_code == 0
    assert state.exists()
    result = run("down")
    assert result.exit_code == 0
    assert "not running" in result.output
    assert not state.exists()


@pytest.mark.usefixtures("project")
def test_settings_must_read_key_value() -> None:
    result = run("up", "-c", "images", "-c", "labels=a")
    assert result.exit_code == 2
    assert "images: settings read key=value" in result.output
    result = run("up", "-c", "engine=open")
    assert result.exit_code == 2
    assert "choose the engine with --engine" in result.output


@pytest.mark.usefixtures("project")
def test_demo_mistakes_are_told_without_a_traceback() -> None:
    result = run("demo", "--images", "nowhere", "--truth", "nothing.json")
    assert result.exit_code == 1
    assert "images: nowhere does not exist" in result.output
    assert "truth: nothing.json cannot be read" in result.output
    assert "Traceback" not in result.output

    result = run("demo", "--labels", "cup")
    assert result.exit_code == 2
    assert "--labels and --truth belong to --images" in result.output


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--people-only"], "which --people-only leaves out"),
        (["--engine", "ground-truth"], "Ground Truth's is fixed"),
    ],
)
def test_a_target_that_nobody_would_heed_is_refused(more: list[str], told: str) -> None:
    result = run("demo", "--target", "0.7", *more)
    assert result.exit_code == 2
    assert told in result.output

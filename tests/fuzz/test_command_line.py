"""Commands with any arguments: they end as commands do, with a message where they fail."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from groundwork.cli import main
from tests.support.fuzzing import ODD_TEXTS, hostile_slowly
from tests.support.job_fakes import image_bytes
from tests.support.output_trees import box, boxes_line, write_tree

# A terminal cannot pass zeros; what is no UTF-8 arrives as halves of surrogate pairs.
WORDS = st.one_of(
    st.sampled_from([text for text in ODD_TEXTS if "\0" not in text and "s3:" not in text]),
    st.sampled_from(["job", "photos", "template.html", "in.manifest", "\udcff.jpg", "x" * 300]),
    st.sampled_from(
        ["-1", "0", "1e9", "nan", "--", "-", "=", "@file", "job/", "./job", "/dev/null"]
    ),
)
COMMANDS = {
    "results": ["--json", "--label-attribute", "--truth"],
    "report": ["--to", "--json", "--image-folder", "--label-attribute", "--truth"],
    "preflight": ["--labels", "--template", "--task-type", "--label-attribute", "--batch-size"],
    "export": ["--format", "--to", "--split", "--seed", "--only", "--images", "--labels"],
    "import": ["--format", "--to", "--image-prefix", "--label-attribute", "--job-name"],
    "audit draw": ["--to", "--sample", "--seed", "--label-attribute"],
    "audit measure": ["--json", "--label-attribute"],
    "explain": ["--json", "--object"],
    "workers report": ["--json", "--label-attribute"],
    "cost": ["--json"],
    "samples": ["--count", "--seed"],
}
GOOD = {
    "--format": ["coco", "yolo", "voc"],
    "--to": ["out", "out/a.manifest"],
    "--task-type": ["custom", "bounding-box"],
    "--only": ["human"],
    "--images": ["none", "copy"],
    "--split": ["0.8"],
    "--count": ["1", "0", "-5"],
    "--template": ["template.html"],
    "--truth": ["truth.json"],
}


@contextlib.contextmanager
def in_folder() -> Iterator[Path]:
    """Be in a new folder with something of everything."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tree(folder / "job", [boxes_line("한 #%.jpg", [box(1)], by="no")])
        (folder / "photos").mkdir()
        (folder / "photos" / "a b.jpg").write_bytes(image_bytes())
        (folder / "template.html").write_bytes(b"caf\xe9 {{ x")
        (folder / "truth.json").write_bytes(b'{"a": "\xff"}')
        (folder / "in.manifest").write_bytes('{"source-ref": "x"}'.encode("utf-16"))
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with arguments and options that are mostly wrong."""
    command = draw(st.sampled_from(sorted(COMMANDS)))
    arguments = draw(st.lists(WORDS, max_size=2))
    for option in draw(st.lists(st.sampled_from(COMMANDS[command]), max_size=4)):
        value = draw(st.sampled_from(GOOD.get(option, [])) | WORDS if option in GOOD else WORDS)
        arguments += [option] if option == "--json" else [option, value]
    return [*command.split(), *arguments]


@hostile_slowly
@given(command_lines())
def test_any_command_line_ends_as_commands_do(arguments: list[str]) -> None:
    with in_folder():
        result = CliRunner().invoke(main, arguments, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1, 2)
    if result.exit_code:
        assert "Error: " in result.output or "Usage: " in result.output

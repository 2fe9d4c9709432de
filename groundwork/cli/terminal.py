"""What all commands share: how they speak, and how they end."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from groundwork.errors import UsageProblemError, UserError

# Wide enough for a URL on one line where nobody looks at a screen.
_PIPE_WIDTH = 160
# Names come from manifests and workers: what would steer a terminal is shown as a sign instead.
_CONTROLS = {
    code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in {"\n", "\t"}
}
_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
_err = Console(highlight=False, soft_wrap=True, stderr=True)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, for programs."
)


def say(line: str) -> None:
    """Print a line."""
    _out.print(_harmless(line), markup=False)


def say_aside(line: str) -> None:
    """Print a line that is no part of the result: beside a JSON document, say."""
    _err.print(_harmless(line), markup=False)


def print_json(document: Any) -> None:
    """Print a JSON document."""
    click.echo(_printable(json.dumps(document, indent=2, ensure_ascii=False)))


def _printable(text: str) -> str:
    """Return a text with escapes for what no text has: parts of file names that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def print_rows(rows: Sequence[tuple[Any, ...]], header: Sequence[str] = ()) -> None:
    """Print a table; what follows the first column is aligned right where it is a number."""
    table = Table(show_header=bool(header), box=None, pad_edge=False, header_style="bold")
    for place in range(len(rows[0]) if rows else len(header)):
        numbers = all(isinstance(row[place], int | float) for row in rows)
        table.add_column(header[place] if header else "", justify="right" if numbers else "left")
    for row in rows:
        # As text, since square brackets in names are no styles.
        cells = (f"{cell:,}" if isinstance(cell, int) else _harmless(str(cell)) for cell in row)
        table.add_row(*map(Text, cells))
    _out.print(table)


@contextmanager
def progress_bar(title: str, total: int | None, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Show how far long work is, on a terminal only; give what is to be told of each step.

    Parameters
    ----------
    total
        How much there is to do; None where nobody knows before the end.
    """
    if not _err.is_terminal:
        yield lambda amount: None
        return
    amount_done = (
        f"{{task.completed:,.0f}} {unit}"
        if total is None
        else "{task.percentage:>3.0f} %" + (f" of {{task.total:,.0f}} {unit}" if unit else "")
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(amount_done),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda amount: progress.advance(task, amount)


def told_plainly(command: Callable[..., None]) -> Callable[..., None]:
    """End with one message and exit code 1 where a traceback would help nobody."""

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except UsageProblemError as error:
            raise click.UsageError(_harmless(str(error))) from error
        except UserError as error:
            raise click.ClickException(_harmless(str(error))) from error
        except BrokenPipeError:
            # Whoever read the output has seen enough; click ends quietly then.
            raise
        except OSError as error:
            raise click.ClickException(_harmless(_reason(error))) from error

    return told


def _harmless(text: str) -> str:
    return _printable(text.translate(_CONTROLS))


def _reason(error: OSError) -> str:
    """Return which file it was about, and what the system said."""
    if error.filename is None or error.strerror is None:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror}"

"""Pieces of HTML: escaped, in both languages, with a table beside every chart."""

from collections.abc import Sequence
from html import escape

from groundwork.texts import Text


class Figure(str):
    """A number that is written already."""

    __slots__ = ()


Cell = str | int | float | Text | None


def said(text: Text | str) -> str:
    """Return words that change with the page's language; a plain string is the same in both."""
    if isinstance(text, str):
        return escape(text)
    return f'<span data-ko="{escape(text.ko)}">{escape(text.en)}</span>'


def figure(
    title: Text, body: str, *, caption: Text | None = None, legend: str = "", table: str = ""
) -> str:
    """Return a chart with its title, and what explains it."""
    below = f"<figcaption>{said(caption)}</figcaption>" if caption else ""
    return f'<figure class="panel"><h3>{said(title)}</h3>{legend}{body}{below}{table}</figure>'


def table(header: Sequence[Text | str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table; numbers are aligned right."""
    numeric = [
        bool(rows) and all(isinstance(row[place], int | float | Figure | None) for row in rows)
        for place in range(len(header))
    ]
    head = "".join(
        f'<th scope="col"{" class=number" if is_number else ""}>{said(cell)}</th>'
        for cell, is_number in zip(header, numeric, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def hidden_table(header: Sequence[Text | str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return the figures of a chart as a table that opens on demand."""
    summary = said(Text("Figures as a table", "수치를 표로 보기"))
    return f"<details><summary>{summary}</summary>{table(header, rows)}</details>"


def legend(entries: Sequence[tuple[str, Text | str]]) -> str:
    """Return what the colours of a chart mean: CSS classes and words."""
    items = "".join(
        f'<li><i class="key {name}" aria-hidden="true"></i>{said(text)}</li>'
        for name, text in entries
    )
    return f'<ul class="legend">{items}</ul>'


def tile(title: Text, figure_text: str, note: str = "", kind: str = "") -> str:
    """Return one of the big figures at the top; ``note`` is HTML."""
    small = f"<small>{note}</small>" if note else ""
    return f'<div class="tile {kind}"><dt>{said(title)}</dt><dd>{figure_text}{small}</dd></div>'


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for people; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Figure):
        return f'<td class="number">{said(cell)}</td>'
    if isinstance(cell, Text | str):
        return f"<td>{said(cell)}</td>"
    return f'<td class="number">{number(cell)}</td>'

"""Charts as inline SVG. Colours are CSS classes, so that they follow the page's theme.

Words are in the HTML around a chart, in the page's language; an SVG has numbers and class names.
"""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 640.0, 240.0
# Beside nothing else; so that words have the same size everywhere.
_WIDE = 1320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 20.0, 10.0, 26.0
_INNER_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_WIDEST_BAR = 90.0
_BAR_ROW = 28.0
_NAME_WIDTH = 150.0
_CELL = 12.0
_TICKS = 4
_LABELS = 12
_NICE = (1, 2, 2.5, 5, 10)

Series = Sequence[tuple[str, Sequence[float]]]


def columns(
    series: Series,
    labels: Sequence[str],
    *,
    stacked: bool,
    marks: Sequence[tuple[str, float]] = (),
    is_wide: bool = False,
    title: str,
) -> str:
    """Return vertical bars.

    Parameters
    ----------
    series
        CSS class and values, one for each label.
    labels
        Below the bars; with ``marks`` they are the left ends of bins from 0 to 1.
    marks
        CSS class and place from 0 to 1 of vertical lines, such as means.
    is_wide
        Whether it takes the page's whole width.
    title
        What screen readers say.
    """
    full = _WIDE if is_wide else _WIDTH
    inner = full - _LEFT - _RIGHT
    count = max(1, len(labels))
    totals = (
        [sum(values[i] for _, values in series) for i in range(len(labels))]
        if stacked
        else [value for _, values in series for value in values]
    )
    step, top = _axis(max(totals, default=0))
    slot = inner / count
    gap = max(min(10.0, slot * 0.15), slot - _WIDEST_BAR)
    parts = [_grid(full, step, top)]
    for i, label in enumerate(labels):
        left = _LEFT + i * slot + gap / 2
        width = slot - gap
        base = 0.0
        for number, (name, values) in enumerate(series):
            value = values[i]
            height = value / top * _INNER_HEIGHT
            own_left, own_width = left, width
            if not stacked:
                own_width = width / len(series)
                own_left = left + number * own_width
            if value:
                y = _TOP + _INNER_HEIGHT - base - height
                parts.append(
                    f'<rect class="{name}" x="{own_left:.1f}" y="{y:.1f}" '
                    f'width="{max(own_width - 0.5, 0.5):.1f}" height="{max(height, 0.6):.1f}" '
                    f'rx="1.5"><title>{escape(label)}: {value:,.6g}</title></rect>'
                )
            if stacked:
                base += height
        if i % math.ceil(count / _LABELS) == 0:
            middle = left if marks else left + width / 2
            parts.append(_text(middle, _HEIGHT - 8, label))
    for name, place in marks:
        x = _LEFT + place * inner
        parts.append(
            f'<line class="mark {name}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" '
            f'y2="{_TOP + _INNER_HEIGHT}"><title>{place:.3f}</title></line>'
        )
    return _svg(full, _HEIGHT, title, parts)


def rows(series: Series, labels: Sequence[str], *, title: str) -> str:
    """Return stacked horizontal bars with their names at the left and totals at the right."""
    totals = [sum(values[i] for _, values in series) for i in range(len(labels))]
    top = max(totals, default=0) or 1
    inner = _WIDTH - _NAME_WIDTH - 70
    parts = []
    for i, label in enumerate(labels):
        y = i * _BAR_ROW + 4
        shown = label if len(label) <= 20 else f"{label[:19]}…"
        parts.append(
            f'<text class="name" x="{_NAME_WIDTH - 8}" y="{y + 15}">{escape(shown)}'
            f"<title>{escape(label)}</title></text>"
        )
        left = _NAME_WIDTH
        for name, values in series:
            width = values[i] / top * inner
            if values[i]:
                parts.append(
                    f'<rect class="{name}" x="{left:.1f}" y="{y}" width="{max(width, 0.6):.1f}" '
                    f'height="{_BAR_ROW - 8}" rx="2"><title>{escape(label)}: {values[i]:,}'
                    "</title></rect>"
                )
            left += width
        parts.append(f'<text class="total" x="{left + 6:.1f}" y="{y + 15}">{totals[i]:,}</text>')
    return _svg(_WIDTH, len(labels) * _BAR_ROW + 4, title, parts)


def heat_map(counts: NDArray[np.int64], *, title: str, origin_at_bottom: bool = False) -> str:
    """Return counts as a grid of squares, darker for more; shares of the most frequent square."""
    down, across = counts.shape
    most = int(counts.max()) or 1
    parts = []
    for row in range(down):
        for column in range(across):
            count = int(counts[row, column])
            if not count:
                continue
            y = (down - 1 - row if origin_at_bottom else row) * _CELL
            # The root makes rare places visible beside frequent ones.
            opacity = 0.12 + 0.88 * math.sqrt(count / most)
            parts.append(
                f'<rect class="heat" x="{column * _CELL:g}" y="{y:g}" width="{_CELL - 1:g}" '
                f'height="{_CELL - 1:g}" opacity="{opacity:.2f}"><title>{count:,}</title></rect>'
            )
    frame = (
        f'<rect class="frame" x="0.5" y="0.5" width="{across * _CELL - 1:g}" '
        f'height="{down * _CELL - 1:g}"/>'
    )
    return _svg(across * _CELL, down * _CELL, title, [frame, *parts], kind="square")


def curves(
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    *,
    level: float | None = None,
    points: Sequence[tuple[str, float, float, float | None]] = (),
    title: str,
) -> str:
    """Return curves over a share from 0 to 1, with values from 0 to 1.

    Parameters
    ----------
    lines
        CSS class and points of each curve, from left to right.
    level
        A horizontal line, such as a target.
    points
        CSS class, place, value, and the lower end of a bar below it or None.
    """
    parts = [_grid(_WIDTH, 0.25, 1.0, digits=2)]
    for tick in range(5):
        parts.append(_text(_x(tick / 4), _HEIGHT - 8, f"{tick * 25} %"))
    if level is not None:
        y = _y(level)
        parts.append(
            f'<line class="target" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}">'
            f"<title>{level:g}</title></line>"
        )
    for name, line in lines:
        path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line)
        parts.append(f'<polyline class="line {name}" points="{path}"/>')
    for name, x, y, low in points:
        if low is not None:
            parts.append(
                f'<line class="whisker {name}" x1="{_x(x):.1f}" x2="{_x(x):.1f}" '
                f'y1="{_y(low):.1f}" y2="{_y(y):.1f}"/>'
            )
        parts.append(
            f'<circle class="point {name}" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="6">'
            f"<title>{x:.0%}: {y:.3f}</title></circle>"
        )
    return _svg(_WIDTH, _HEIGHT, title, parts)


def _x(share: float) -> float:
    return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _TOP + (1 - min(max(value, 0.0), 1.0)) * _INNER_HEIGHT


def _axis(highest: float) -> tuple[float, float]:
    """Return the distance of grid lines, and the axis's end."""
    if highest <= 0:
        return 1.0, float(_TICKS)
    rough = highest / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in _NICE if nice * power >= rough * 0.999)
    return step, step * math.ceil(highest / step - 1e-9)


def _grid(width: float, step: float, top: float, digits: int | None = None) -> str:
    parts = []
    for tick in range(round(top / step) + 1):
        value = tick * step
        y = _TOP + (1 - value / top) * _INNER_HEIGHT
        told = f"{value:,.6g}" if digits is None else f"{value:.{digits}f}"
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}">{told}</text>'
        )
    return "".join(parts)


def _text(x: float, y: float, words: str) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str], kind: str = "") -> str:
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )

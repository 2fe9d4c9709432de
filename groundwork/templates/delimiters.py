"""A linear look at a template's delimiters, before the Liquid parser may see it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from groundwork.templates.errors import TemplateProblem

MAXIMUM_TAG_CHARACTERS = 4_000
MAXIMUM_BLANKS_IN_A_TAG = 200

_OPENING = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"-?\s*(#|\w*)")
_LONG_BLANK = re.compile(rf"\s{{{MAXIMUM_BLANKS_IN_A_TAG},}}")
_VERBATIM_ENDS = {
    name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "doc", "comment")
}


@dataclass(frozen=True)
class Markup:
    """One stretch of Liquid in a template: an output, a tag, or a verbatim block with its tags."""

    start: int
    end: int


def line_of(text: str, index: int) -> int:
    """Return the line, counted from one, on which the character ``index`` is."""
    return text.count("\n", 0, index) + 1


def scan(text: str) -> tuple[list[Markup], list[TemplateProblem]]:
    """Find every stretch of Liquid in ``text``, and what would make its parser stumble.

    python-liquid finds delimiters with one backtracking expression, which takes quadratic time on
    unclosed, empty and blank-filled ones: minutes for a template of 128,000 characters. What passes
    here is safe for it, as tests/unit/test_templates_limits.py measures.
    """
    found: list[Markup] = []
    problems: list[TemplateProblem] = []
    for item in _walk(text):
        if isinstance(item, Markup):
            found.append(item)
        else:
            problems.append(item)
    return found, problems


def without_liquid(text: str, stretches: list[Markup]) -> str:
    """Return ``text`` with each stretch of Liquid blanked, so that what is left reads as HTML."""
    parts = []
    position = 0
    for stretch in stretches:
        parts.append(text[position : stretch.start])
        parts.append("\n" * text.count("\n", stretch.start, stretch.end))
        position = stretch.end
    return "".join([*parts, text[position:]])


def _walk(text: str) -> Iterator[Markup | TemplateProblem]:
    position = 0
    # Looked for once: a template may be made of comments that begin.
    last_end_of_comments = max(
        (end.start() for end in _VERBATIM_ENDS["comment"].finditer(text)), default=-1
    )
    while opening := _OPENING.search(text, position):
        start = opening.start()
        is_output = opening.group() == "{{"
        closing = "}}" if is_output else "%}"
        inside_end = text.find(closing, opening.end())
        if inside_end < 0:
            yield TemplateProblem(
                f"{opening.group()} is never closed; end it with {closing}", line_of(text, start)
            )
            return
        inside = text[opening.end() : inside_end]
        position = inside_end + len(closing)
        if problem := _problem_inside(inside, "{{ }}" if is_output else "{% %}"):
            yield TemplateProblem(problem, line_of(text, start))
        name = "" if is_output else _name_of(inside)
        if name in _VERBATIM_ENDS:
            end = None
            if name != "comment":
                end = _VERBATIM_ENDS[name].search(text, position)
            if end is None and (name != "comment" or last_end_of_comments < position):
                yield TemplateProblem(
                    f"{{% {name} %}} is never closed; end it with {{% end{name} %}}",
                    line_of(text, start),
                )
                return
            # Comments may hold comments and are tokenized inside, so only raw and doc are skipped.
            position = end.end() if end else position
        yield Markup(start, position)


def _name_of(inside: str) -> str:
    match = _NAME.match(inside)
    return match.group(1) if match else ""


def _problem_inside(inside: str, kind: str) -> str | None:
    if len(inside) > MAXIMUM_TAG_CHARACTERS:
        return (
            f"{kind} with {len(inside):,} characters inside; "
            f"at most {MAXIMUM_TAG_CHARACTERS:,} are accepted: split it with assign"
        )
    if not inside.strip(" \t\r\n-"):
        return f"{kind} with nothing inside"
    if _LONG_BLANK.search(inside):
        return f"{kind} with more than {MAXIMUM_BLANKS_IN_A_TAG} blanks in a row inside"
    return None

"""The built-in worker templates, one HTML file per task type beside this module."""

import html
from importlib import resources
from string import Template

_HEADERS = {
    "BoundingBox": "Draw a box around each object",
    "ImageMultiClass": "Choose the category that describes the image best",
}
_SHORT_INSTRUCTIONS = {
    "BoundingBox": "Choose a label, then draw a tight box around each object that it names.",
    "ImageMultiClass": "Choose the one category that describes the image best.",
}


class NoDefaultTemplateError(LookupError):
    """There is no built-in template for a task type."""


def default_template(
    task_key: str,
    *,
    header: str | None = None,
    short_instructions: str | None = None,
    full_instructions: str | None = None,
) -> str:
    """Return the built-in worker template of a task type, with the host's words filled in.

    Parameters
    ----------
    task_key
        The built-in task's key, such as ``BoundingBox``.
    header, short_instructions, full_instructions
        Plain text; a blank line begins a new paragraph. Markup and Liquid in it are shown, not
        carried out.

    Raises
    ------
    NoDefaultTemplateError
        If the task type needs a template of one's own.
    """
    if task_key not in _HEADERS:
        raise NoDefaultTemplateError(
            f"there is no built-in worker template for {task_key!r}, only for "
            f"{', '.join(sorted(_HEADERS))}; give a template of your own"
        )
    file = resources.files(__package__).joinpath(f"{task_key}.html")
    return Template(file.read_text(encoding="utf-8")).substitute(
        header=_shown(header or _HEADERS[task_key]),
        short_instructions=_paragraphs(short_instructions or _SHORT_INSTRUCTIONS[task_key]),
        full_instructions=_paragraphs(full_instructions or ""),
    )


def _shown(text: str) -> str:
    # A brace could begin Liquid once the text is part of a template.
    return html.escape(" ".join(text.split())).replace("{", "&#123;")


def _paragraphs(text: str) -> str:
    parts = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return "\n      ".join(
        "<p>{}</p>".format("<br>".join(_shown(line) for line in part.strip().split("\n")))
        for part in parts
    )

"""Whether a worker template can do its task's work, before anybody waits for it."""

import re
from itertools import islice

from groundwork.contract.builtin_tasks import BuiltinTask
from groundwork.templates.delimiters import scan, without_liquid
from groundwork.templates.errors import TemplateProblem
from groundwork.templates.rendering import syntax_problems

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NAME_ATTRIBUTE = re.compile(r"""\sname\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_REST_OF_TAG = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")
_LOOKED_AT = 20


def check_template(text: str, task: BuiltinTask | None) -> list[str]:
    """Return every problem of a worker template as a sentence; an empty list is a good template.

    Parameters
    ----------
    text
        The template.
    task
        The built-in task it is for; None for a custom one, which may use any elements.
    """
    problems: list[str] = [str(problem) for problem in syntax_problems(text)]
    stretches, broken = scan(text)
    if broken or not text.strip():
        return problems or [str(TemplateProblem("the template is empty"))]
    html = _COMMENT.sub("", without_liquid(text, stretches))
    if "crowd-html-elements.js" not in html:
        problems.append(
            "crowd-html-elements.js is not loaded, so workers would see an empty page; add "
            '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
        )
    # The entity annotation element brings its own form.
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-ui-template-crowd-entity-annotation.html
    if not _start_tags(html, "crowd-form") and not _start_tags(html, "crowd-entity-annotation"):
        problems.append("there is no <crowd-form>; put the task's elements inside one")
    if task is not None and task.crowd_element is not None:
        problems.extend(_element_problems(html, task.crowd_element, task.crowd_name, task.title))
    return problems


def _element_problems(html: str, element: str, name: str | None, title: str) -> list[str]:
    names = [_name_of(tag) for tag in _start_tags(html, element)]
    if not names:
        return [f"there is no <{element}>, which the built-in task {title!r} needs"]
    if name is None or name in names:
        return []
    seen = ", ".join(repr(found) if found else "none" for found in names)
    return [f'<{element}> needs name="{name}" (found: {seen}): answers are read under that name']


def _name_of(start_tag: str) -> str:
    match = _NAME_ATTRIBUTE.search(start_tag)
    return next((group for group in match.groups() if group is not None), "") if match else ""


def _start_tags(html: str, element: str) -> list[str]:
    """Return the start tags among the first places that look like one, in linear time."""
    openings = re.finditer(rf"<{re.escape(element)}(?=[\s/>])", html, re.IGNORECASE)
    tags = (_REST_OF_TAG.match(html, opening.end()) for opening in islice(openings, _LOOKED_AT))
    return [tag.group() for tag in tags if tag]

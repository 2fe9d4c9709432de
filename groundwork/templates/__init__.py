"""Worker templates: rendering, checking, and the built-in defaults."""

from groundwork.templates.checking import check_template
from groundwork.templates.defaults import NoDefaultTemplateError, default_template
from groundwork.templates.errors import TemplateError, TemplateProblem
from groundwork.templates.rendering import render

__all__ = [
    "NoDefaultTemplateError",
    "TemplateError",
    "TemplateProblem",
    "check_template",
    "default_template",
    "render",
]

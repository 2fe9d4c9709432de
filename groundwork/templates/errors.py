"""What can be wrong with a worker template."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class TemplateProblem:
    """One thing that is wrong with a template, and the line on which it is, where that is known."""

    message: str
    line: int | None = None

    def __str__(self) -> str:
        """Return the problem as one sentence, line first."""
        return self.message if self.line is None else f"line {self.line}: {self.message}"


class TemplateError(Exception):
    """A worker template that cannot be rendered, with every problem that was found."""

    def __init__(self, problems: Iterable[TemplateProblem]) -> None:
        """Gather ``problems``, dropping repetitions."""
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

"""What a preflight found: each finding says what was seen, what is accepted and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a labeling job, or that its owner should know.

    Parameters
    ----------
    subject
        The thing itself, by its address or name.
    seen
        What is the matter with it.
    accepted
        What would be right.
    to_do
        The next step.
    may_pass
        Whether waiting may cure it: rights and resources made a moment ago take a while to be
        known everywhere.
    """

    subject: str
    seen: str
    accepted: str = ""
    to_do: str = ""
    may_pass: bool = False

    def __str__(self) -> str:
        parts = [f"{self.subject}: {self.seen}"]
        if self.accepted:
            parts.append(f"accepted: {self.accepted}")
        if self.to_do:
            parts.append(self.to_do)
        return "; ".join(parts)


@dataclass(frozen=True)
class Findings:
    """Everything found; a job with problems must not be created, one with warnings may."""

    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def may_pass(self) -> bool:
        """Whether waiting may cure all problems there are."""
        return all(problem.may_pass for problem in self.problems)

"""What a demo is asked to label: the user's photos or the samples; all mistakes told at once."""

from dataclasses import dataclass
from pathlib import Path

from groundwork.errors import UserError
from groundwork.results.truth import Truth, TruthError
from groundwork.samples import SAMPLE_LABELS, TRUTH_FILE, generate

_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_MAXIMUM_LABELS = 50
DEFAULT_LABEL = "Object"


class DemoInputError(UserError):
    """The demo's options do not fit each other or the disk; the text names every problem."""

    def __init__(self, problems: list[str]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"The demo has {count}; nothing was started.{lines}")
        self.problems = problems


@dataclass(frozen=True)
class DemoInput:
    """Photos, their labels, and where the objects are, when somebody knows."""

    images: Path
    names: tuple[str, ...]
    labels: tuple[str, ...]
    truth: Truth | None


def sample_input(folder: Path, count: int, seed: int) -> DemoInput:
    """Generate sample photos, whose truth is exact."""
    truth = Truth.read(generate(folder, count, seed))
    return DemoInput(folder, tuple(truth.boxes), SAMPLE_LABELS, truth)


def own_input(images: Path, labels: tuple[str, ...], truth_path: Path | None) -> DemoInput:
    """Check the user's own photos, labels and truth.

    Parameters
    ----------
    labels
        Empty for the truth's labels.
    truth_path
        None for `truth.json` in the folder, if it is there.

    Raises
    ------
    DemoInputError
        With everything that is wrong.
    """
    problems = []
    names: tuple[str, ...] = ()
    if images.is_dir():
        names = tuple(
            sorted(
                path.relative_to(images).as_posix()
                for path in images.rglob("*")
                if path.suffix.lower() in _IMAGE_SUFFIXES and path.is_file()
            )
        )
        if not names:
            problems.append(
                f"images: no {', '.join(sorted(_IMAGE_SUFFIXES))} file in {images} or below it"
            )
    else:
        kind = "is a file, not a folder" if images.exists() else "does not exist"
        problems.append(f"images: {images} {kind}; give a folder of photos")
    problems += _label_problems(labels)
    if truth_path is None and (images / TRUTH_FILE).is_file():
        truth_path = images / TRUTH_FILE
    truth = None
    if truth_path is not None:
        try:
            truth = Truth.read(truth_path)
        except TruthError as error:
            problems += [f"truth: {problem}" for problem in error.problems]
        else:
            labels = labels or truth.labels or (DEFAULT_LABEL,)
            found = truth.mismatches(names, labels)
            problems += [f"truth: {truth_path}: {problem}" for problem in found]
    if problems:
        raise DemoInputError(problems)
    return DemoInput(images.resolve(), names, labels or (DEFAULT_LABEL,), truth)


def _label_problems(labels: tuple[str, ...]) -> list[str]:
    problems = []
    if any(not label.strip() for label in labels):
        problems.append("labels: there is an empty one; separate names by single commas")
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        problems.append(f"labels: named twice: {', '.join(twice)}")
    if len(labels) > _MAXIMUM_LABELS:
        problems.append(f"labels: {len(labels)}; a bounding-box job takes {_MAXIMUM_LABELS}")
    return problems

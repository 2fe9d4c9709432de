"""A job's report from its output, in one call for the command line and the demo."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from groundwork.datasets.image_files import ImageFetcher
from groundwork.report_page.content import ReportContent, gather
from groundwork.report_page.page import write_page
from groundwork.report_page.thumbnails import thumbnails
from groundwork.results.output_tree import JobOutput
from groundwork.results.report import make_report
from groundwork.results.truth import Truth

MOST_SHOWN = 10_000
# Shows how far a part of the work is: its title, how much there is, of what.
Progress = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True)
class WrittenReport:
    """A report that was written: what is in it, and why pictures are not."""

    content: ReportContent
    images_gone: list[str]


def write_report(
    output: JobOutput,
    target: Path,
    images: ImageFetcher | None,
    *,
    label_attribute: str | None = None,
    truth: Truth | None = None,
    most_shown: int = MOST_SHOWN,
    seed: int = 0,
    processes: int | None = None,
    progress: Progress = lambda title, total, unit: nullcontext(lambda amount: None),
) -> WrittenReport:
    """Write a job's report.

    Parameters
    ----------
    images
        Where the pictures come from; None for a report without them.
    label_attribute, truth
        As for ``make_report``.
    most_shown, seed
        As for ``gather``.
    processes
        As for ``thumbnails``.

    Raises
    ------
    LabelAttributeError, ResultsError, S3Error
        As ``make_report`` does; no page is written then.
    OSError
        If the page's folder cannot be made, which is tried first, or the page not be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with progress("Counting", output.size(), "bytes") as told:
        report = make_report(output, label_attribute=label_attribute, truth=truth, progress=told)
    with progress("Reading", report.summary.objects, "objects") as told:
        content = gather(output, report, truth, most_shown=most_shown, seed=seed, progress=told)
    sources = [shown.found.source for shown in content.shown] if images else []
    with progress("Pictures", len(sources), "") as told:
        pictures = thumbnails(sources, images, processes=processes, progress=told) if images else ()
        gone = write_page(target, content, pictures, datetime.now().astimezone())
    return WrittenReport(content, gone)

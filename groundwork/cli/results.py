"""What a job's results are."""

from pathlib import Path
from typing import Any

import click

from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    progress_bar,
    say,
    told_plainly,
)
from groundwork.manifest import LabelState
from groundwork.results.labels import LineProblems
from groundwork.results.output_tree import open_output
from groundwork.results.quality import Interval
from groundwork.results.report import Report, make_report
from groundwork.results.truth import Truth

_SHOWN = 5
_CLASSES_SHOWN = 50
_BAR_CHARACTERS = 40

label_attribute_option = click.option(
    "--label-attribute",
    metavar="NAME",
    help="Whose labels, where several jobs wrote into one manifest; by default the only one's.",
)


@click.command()
@click.argument("place")
@label_attribute_option
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help='Measure the labels by it: {"photo.jpg": [{"label", "left", "top", "width", "height"}]}.',
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="How many processes count; by default all processors for a long manifest.",
)
@local_option
@json_option
@told_plainly
def results(
    *,
    place: str,
    label_attribute: str | None,
    truth: Path | None,
    processes: int | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Show what a labeling job brought: by people, by machine, failed; classes and quality.

    PLACE is a job's output in S3 or in a folder, of Ground Truth or of the open engine, also of a
    job that still runs; or a manifest by itself. Example:

    \b
        groundwork results s3://my-bucket/output/my-job --truth truth.json
    """
    known = Truth.read(truth) if truth else None
    output = open_output(place, chosen_s3(on_local_cloud))
    with progress_bar("Counting", output.size(), "bytes") as progress:
        report = make_report(
            output,
            label_attribute=label_attribute,
            truth=known,
            progress=progress,
            processes=processes,
        )
    if as_json:
        print_json(report.to_dict())
    else:
        _show(report)


def _show(report: Report) -> None:
    for note in report.notes:
        say(f"NOTE: {note}")
    print_rows(_overview(report))
    tally = report.summary.tally
    classes = report.class_rows()
    if classes:
        say("")
        print_rows(classes[:_CLASSES_SHOWN], ("class", "labels by people", "by machine"))
        if len(classes) > _CLASSES_SHOWN:
            say(f"and {len(classes) - _CLASSES_SHOWN} more classes")
    iterations = report.iteration_rows()
    if iterations:
        say("")
        print_rows(iterations, ("iteration", "objects by people", "by machine", "failed"))
    if tally.confidence.count:
        say("")
        _show_confidences(report)
    if tally.reasons:
        say("")
        print_rows(
            [(count, reason) for reason, count in tally.reasons.most_common(_SHOWN)],
            ("failed", "because"),
        )
    _show_problems("Lines that are no objects", report.broken)
    _show_problems("Labels that lack something", tally.problems)


def _overview(report: Report) -> list[tuple[Any, ...]]:
    summary, tally = report.summary, report.summary.tally
    jobs = ", ".join(sorted(job for job in tally.jobs if job)) or "unknown"
    rows = [
        ("manifest", report.output.address),
        ("label attribute", report.label_attribute or "none yet"),
        ("job", jobs),
        ("objects", f"{summary.objects:,}"),
    ]
    names = {
        LabelState.HUMAN: "labeled by people",
        LabelState.MACHINE: "labeled by machine",
        LabelState.FAILED: "failed",
        LabelState.UNLABELED: "unlabeled",
    }
    for state, name in names.items():
        count = summary.states[state]
        share = f" ({count / summary.objects:.1%})" if count else ""
        rows.append((name, f"{count:,}{share}"))
    for state, name in ((LabelState.HUMAN, "people"), (LabelState.MACHINE, "machine")):
        quality = tally.quality[state]
        if report.measure is not None and quality.value is not None:
            rows.append(
                (
                    f"{name}: {report.measure}",
                    f"{quality.value:.3f} against the truth, over {quality.count:,} objects"
                    + _interval(quality.interval()),
                )
            )
    if report.stated_bound is not None:
        bound = report.stated_bound
        rows.append(
            (
                "the job states",
                f"at least {bound.quality:.3f} for machine labels, with {bound.confidence:.0%} "
                "confidence, proven by random samples that people labeled",
            )
        )
    return rows


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return (
        f"; {interval.confidence:.0%} interval {interval.low:.3f} to {interval.high:.3f} "
        f"({interval.method.en})"
    )


def _show_confidences(report: Report) -> None:
    tally = report.summary.tally
    rows = report.confidence_rows()
    highest = max(labels for _, _, labels in rows)
    say(
        f"Confidence of {tally.confidence.count:,} machine labels, "
        f"{tally.confidence.value:.3f} on average"
    )
    for low, high, labels in rows:
        if labels:
            bar = "#" * max(1, round(_BAR_CHARACTERS * labels / highest))
            say(f"  {low:.2f} to {high:.2f}  {labels:>10,}  {bar}")


def _show_problems(title: str, problems: LineProblems) -> None:
    if not problems.count:
        return
    say("")
    say(f"{title}: {problems.count:,}")
    for problem in problems.first[:_SHOWN]:
        say(f"  {problem}")
    if problems.count > _SHOWN:
        say(f"  and {problems.count - _SHOWN:,} more")

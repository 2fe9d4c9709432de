"""A job's results as one HTML page."""

from pathlib import Path

import click

from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.results import label_attribute_option
from groundwork.cli.terminal import json_option, print_json, progress_bar, say, told_plainly
from groundwork.datasets.image_files import ImageFetcher, ImageMode
from groundwork.report_page.writing import MOST_SHOWN, write_report
from groundwork.results.output_tree import open_output
from groundwork.results.truth import Truth

_SHOWN = 3


@click.command()
@click.argument("place")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="The file to write.",
)
@label_attribute_option
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help="Measure the labels by it, as `groundwork results` does.",
)
@click.option(
    "--image-folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the images are on this machine, instead of downloading them from S3.",
)
@click.option("--no-images", is_flag=True, help="Draw the boxes only, without the pictures.")
@click.option(
    "--most",
    type=click.IntRange(0),
    default=MOST_SHOWN,
    show_default=True,
    help="How many objects the gallery has at most: the most doubted half, and a random sample.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws another sample."
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="How many processes make the small pictures; by default all processors for many.",
)
@local_option
@json_option
@told_plainly
def report(
    *,
    place: str,
    target: Path,
    label_attribute: str | None,
    truth: Path | None,
    image_folder: Path | None,
    no_images: bool,
    most: int,
    seed: int,
    processes: int | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Write a job's results as one HTML file that opens anywhere, without a network.

    Progress, quality of people and machine, threshold and risk of each iteration, plots of the
    labels, a gallery with likely errors first, and workers. PLACE is what `groundwork results`
    takes. Example:

    \b
        groundwork report s3://my-bucket/output/my-job --to report.html
    """
    known = Truth.read(truth) if truth else None
    client = chosen_s3(on_local_cloud)
    output = open_output(place, client)
    fetcher = None if no_images else ImageFetcher(ImageMode.COPY, image_folder, client)
    written = write_report(
        output,
        target,
        fetcher,
        label_attribute=label_attribute,
        truth=known,
        most_shown=most,
        seed=seed,
        processes=processes,
        progress=progress_bar,
    )
    content, gone = written.content, written.images_gone
    notes = content.report.notes
    if as_json:
        print_json(
            {
                "report": str(target),
                "bytes": target.stat().st_size,
                "objects_shown": len(content.shown),
                "objects_labeled": content.labeled,
                "images_gone": {"count": len(gone), "first": gone[:_SHOWN]},
                "problems": content.problems,
                "notes": notes,
            }
        )
        return
    for note in notes:
        say(f"NOTE: {note}")
    if gone:
        say(f"NOTE: images that cannot be had: {len(gone):,}, as {gone[0]}")
    say(f"Written: {target} ({target.stat().st_size / 1e6:.1f} MB)")

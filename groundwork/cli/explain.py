"""What automated labeling did with one object."""

import json

import click

from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.terminal import json_option, print_json, print_rows, say, told_plainly
from groundwork.folder_client import FolderApi
from groundwork.jobs.automation.explaining import (
    ExplainError,
    Explanation,
    OutputFolder,
)
from groundwork.jobs.automation.explaining import (
    explain as explain_object,
)
from groundwork.results.output_tree import JobOutput, open_output
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri

# What stands for the bucket of a folder on this machine.
_HERE = S3Uri("folder", "")


@click.command()
@click.argument("place")
@click.argument("object_", metavar="OBJECT")
@local_option
@json_option
@told_plainly
def explain(*, place: str, object_: str, on_local_cloud: bool, as_json: bool) -> None:
    """Tell how one image got its label, and why by people or by the machine.

    For each iteration: what quality the model expected, whether its label was proposed, why people
    were asked, and what they said of it. PLACE is what `groundwork results` takes, of a job of the
    open engine; OBJECT is a number from 0, a file name, or the end of an S3 URI. Example:

    \b
        groundwork explain s3://my-bucket/output/my-job photo-17.jpg
    """
    client = chosen_s3(on_local_cloud)
    files, job = _files_of(open_output(place, client), client)
    told = explain_object(files, job, object_)
    if as_json:
        print_json(told.to_json())
    else:
        _show(told)


def _files_of(output: JobOutput, client: S3Client | None) -> tuple[S3Client, OutputFolder]:
    if not output.is_tree:
        raise ExplainError(
            f"{output.address} is a manifest by itself; give the whole output of the job, "
            "<S3OutputPath>/<job name>."
        )
    folder = output.files.local_path("")
    if folder is not None:
        return S3Client(FolderApi(folder)), OutputFolder(_HERE)
    prefix = S3Uri.parse(output.files.address(""))
    return client or S3Client.from_environment(), OutputFolder(prefix)


def _show(told: Explanation) -> None:
    say(told.sentence)
    say("")
    print_rows([(event.iteration, event.text) for event in told.events], ("iteration", ""))
    for name, value in told.label.items():
        say("")
        say(f"{name}: {json.dumps(value, ensure_ascii=False)}")

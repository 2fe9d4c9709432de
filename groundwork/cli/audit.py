"""Audits of a job's machine labels."""

from dataclasses import asdict

import click

from groundwork.audits.audit_job import (
    audit_job_name,
    audit_job_request,
    check_has_ended,
    start_audit_job,
)
from groundwork.audits.measuring import measure_audit
from groundwork.audits.sampling import AUDIT_ATTRIBUTE, AuditError, AuditSample, draw_sample
from groundwork.cli.manifest_place import ManifestPlace
from groundwork.cli.places import (
    chosen_engine,
    chosen_s3,
    engine_options,
    local_option,
)
from groundwork.cli.results import label_attribute_option
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    progress_bar,
    say,
    told_plainly,
)
from groundwork.results.output_tree import JobOutput, open_output
from groundwork.results.report import make_report
from groundwork.s3_uri import S3Uri


@click.group()
def audit() -> None:
    """Have people check a random sample of the machine's labels, and state the quality of all.

    People label the sample's objects again without seeing the machine's labels; the machine's are
    measured by theirs. Example:

    \b
        groundwork audit start my-job --sample 200 --aws
        groundwork audit draw s3://my-bucket/output/my-job --to s3://my-bucket/audit.manifest
        groundwork audit measure s3://my-bucket/output/my-job-audit-0
    """


_sample_option = click.option(
    "--sample",
    "size",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="How many labels to draw.",
)
_seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws another sample."
)


@audit.command()
@click.argument("place")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="MANIFEST",
    help="The input manifest to write: a file, or s3://<bucket>/<key>.",
)
@_sample_option
@_seed_option
@label_attribute_option
@local_option
@json_option
@told_plainly
def draw(
    *,
    place: str,
    target: str,
    size: int,
    seed: int,
    label_attribute: str | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Draw machine labels at random and write them as the input manifest of a labeling job.

    PLACE is what `groundwork results` takes. A job on the manifest, with the label attribute
    "audit", is the audit; `groundwork audit start` does both. Example:

    \b
        groundwork audit draw build/my-job --to audit.manifest --sample 100
    """
    client = chosen_s3(on_local_cloud)
    manifest = ManifestPlace(target, client)
    sample = _drawn(open_output(place, client), label_attribute, size, seed)
    manifest.write(sample.lines)
    if as_json:
        print_json(_document(sample, seed, target))
    else:
        _show(sample, target)
        say(f"Start a labeling job on it, with the label attribute {AUDIT_ATTRIBUTE!r}.")


@audit.command()
@click.argument("job")
@_sample_option
@_seed_option
@click.option(
    "--workers-per-object",
    type=click.IntRange(1, 9),
    help="How many people label each object; by default as many as in the job.",
)
@label_attribute_option
@engine_options
@json_option
@told_plainly
def start(
    *,
    job: str,
    size: int,
    seed: int,
    workers_per_object: int | None,
    label_attribute: str | None,
    aws: bool,
    endpoint: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Draw a sample of a JOB's machine labels and start a job like it on the sample.

    The same work team, task and role; no automated labeling. The job has to have ended, since an
    audit speaks of all its machine labels. Example:

    \b
        groundwork audit start my-job --sample 200 --aws
    """
    engine = chosen_engine(aws, endpoint, region)
    description = engine.labeling.call("describe_labeling_job", LabelingJobName=job)
    check_has_ended(description)
    folder = S3Uri.parse(description["OutputConfig"]["S3OutputPath"])
    output = open_output(str(folder.child(job)), engine.files)
    attribute = label_attribute or str(description["LabelAttributeName"])
    sample = _drawn(output, attribute, size, seed)
    name = audit_job_name(job, seed)
    manifest = str(folder.child(f"{name}.manifest"))
    ManifestPlace(manifest, engine.files).write(sample.lines)
    request = audit_job_request(
        description, name=name, manifest=manifest, workers_per_object=workers_per_object
    )
    arn = start_audit_job(engine.labeling, request)
    place = str(folder.child(name))
    if as_json:
        document = _document(sample, seed, manifest)
        print_json({**document, "job": name, "arn": arn, "output": place})
        return
    _show(sample, manifest)
    say(f"Started: {name}. Once people have labeled it: groundwork audit measure {place}")


@audit.command()
@click.argument("place")
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the interval, and of the bound.",
)
@local_option
@json_option
@told_plainly
def measure(*, place: str, confidence: float, on_local_cloud: bool, as_json: bool) -> None:
    """State the quality of the machine's labels from an audit job's output.

    PLACE is the audit job's output, in S3 or in a folder. Example:

    \b
        groundwork audit measure s3://my-bucket/output/my-job-audit-0
    """
    measured = measure_audit(open_output(place, chosen_s3(on_local_cloud)), confidence)
    if as_json:
        print_json({**asdict(measured), "method": measured.method})
        return
    told = f"{measured.confidence:.0%} confidence"
    print_rows(
        [
            ("machine labels", f"{measured.population:,}"),
            ("measured", f"{measured.sampled:,} of them, drawn at random (seed {measured.seed})"),
            (f"{measured.measure} against people", f"{measured.mean:.3f} in the sample"),
            ("of all machine labels", f"{measured.low:.3f} to {measured.high:.3f}, with {told}"),
            ("and at least", f"{measured.bound:.3f}, with {told}"),
        ]
    )
    if measured.without_answer:
        say(f"NOTE: people gave {measured.without_answer:,} objects no label; each counts 0")
    say(f"The interval is {measured.method}. People's own errors are in it.")


def _drawn(output: JobOutput, label_attribute: str | None, size: int, seed: int) -> AuditSample:
    attribute = label_attribute
    if attribute is None:
        with progress_bar("Counting", output.size(), "bytes") as progress:
            attribute = make_report(output, progress=progress).label_attribute
    if attribute is None:
        raise AuditError(f"Nothing to audit: no object of {output.address} has a label.")
    if attribute == AUDIT_ATTRIBUTE:
        raise AuditError(
            f"{output.address} has the labels of an audit. Give the audited job's output, or "
            "choose with --label-attribute."
        )
    return draw_sample(output, attribute, size, seed)


def _document(sample: AuditSample, seed: int, manifest: str) -> dict[str, object]:
    return {
        "manifest": manifest,
        "drawn": len(sample.lines),
        "machine_labels": sample.population,
        "left_out": sample.unreadable,
        "seed": seed,
    }


def _show(sample: AuditSample, manifest: str) -> None:
    say(f"Drawn: {len(sample.lines):,} of {sample.population:,} machine labels")
    if sample.unreadable:
        say(
            f"NOTE: {sample.unreadable:,} machine labels are neither whole boxes nor a class, and "
            "are no part of what the audit speaks of"
        )
    say(f"Written: {manifest}")

"""The demo from an empty machine to an empty machine: deploy, label, fetch results, destroy."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from groundwork.contract.automated_labeling import FEWEST_OBJECTS
from groundwork.datasets.image_files import ImageFetcher, ImageMode
from groundwork.demo.crowd import Crowd, Drawer
from groundwork.demo.drawing import HABITS
from groundwork.demo.inputs import DemoInput, own_input, sample_input
from groundwork.errors import UserError
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import DEFAULT_PORT, LocalCloudError, free_port
from groundwork.local.invitations import invitations
from groundwork.local.leftovers import leftovers
from groundwork.local.workshop import JobState, LocalWorkshop, destroy, job_state
from groundwork.manifest import LabelState
from groundwork.report_page.writing import write_report
from groundwork.results.labels import read_objects
from groundwork.results.output_tree import open_output
from groundwork.results.summary import summarize
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri

# With automated labeling, so many that most are left to the machine; without it, two small batches.
AUTOMATED_COUNT = 200
PEOPLES_COUNT = 30
WORKERS = ("ann@example.com", "ben@example.com", "cho@example.com")
LABEL_ATTRIBUTE = "label"

_POLL_SECONDS = 0.5
_LABELING_TIMEOUT_SECONDS = 3600

Say = Callable[[str], None]


class DemoError(UserError):
    """The demo could not be carried through; the text says where it ended."""


@dataclass(frozen=True)
class DemoSettings:
    """What to demonstrate.

    Parameters
    ----------
    images
        A folder of photos; None for generated samples.
    count, seed
        How many samples to generate, and which; without a number, as many as the demo is made for.
    people_only
        Let people label everything.
    target
        The mean IoU that automated labels have to reach; the engine's own if None.
    """

    engine: str = "open"
    images: Path | None = None
    labels: tuple[str, ...] = ()
    truth: Path | None = None
    count: int | None = None
    seed: int = 0
    port: int | None = None
    people_only: bool = False
    target: float | None = None

    @property
    def sample_count(self) -> int:
        """How many samples to generate."""
        return self.count or (PEOPLES_COUNT if self.people_only else AUTOMATED_COUNT)

    def is_automated(self, photos: int) -> bool:
        """Tell whether the machine labels a part; few photos of one's own are people's work."""
        enough = self.images is None or photos >= FEWEST_OBJECTS[self.engine]
        return enough and not self.people_only


@dataclass
class Summary:
    """What a demo ended with, as build/demo/summary.json has it.

    Parameters
    ----------
    human_mean_iou, machine_mean_iou
        Against the truth, which the engine does not know.
    target, bound, rounds
        What automated labels had to reach and what people's sample has proven of them, and how
        many batches people got; None where people labeled everything.
    """

    engine: str
    job_name: str = ""
    job_status: str = ""
    objects: int = 0
    human_labeled: int = 0
    machine_labeled: int = 0
    failed: int = 0
    human_mean_iou: float | None = None
    machine_mean_iou: float | None = None
    target: float | None = None
    bound: float | None = None
    rounds: int | None = None
    portal_url: str = ""
    output_manifest: str = ""
    report: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the content of summary.json."""
        return json.dumps(asdict(self), indent=2) + "\n"


def run(settings: DemoSettings, project: Path, say: Say) -> Summary:
    """Carry the demo through and write its results below build/demo.

    Parameters
    ----------
    say
        Is told what is being done.

    Raises
    ------
    DemoInputError
        Before anything was started, with everything wrong in photos, labels and truth.
    DemoError, LocalCloudError
        When a step fails; the emulator is stopped, and its logs are kept.
    """
    folder = project / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    summary = Summary(settings.engine)
    begun = time.monotonic()
    with _phase(summary, "photos"):
        chosen = _choose(settings, folder, say)
    cloud = _fresh_cloud(settings, project, folder, say)
    try:
        with _phase(summary, "start"):
            say(f"Starting the local cloud (MiniStack) on port {cloud.port}")
            cloud.start()
            cloud.bootstrap()
        with _phase(summary, "deploy"):
            say(f"Deploying the stacks with the CDK CLI, engine={settings.engine}")
            LocalWorkshop(cloud, settings.engine, workshop_context(settings, chosen)).deploy()
        summary.portal_url = _output(cloud, "PortalUrl")
        summary.job_name = _output(cloud, "LabelingJobName")
        with _phase(summary, "label"):
            job = _label(cloud, summary, chosen, settings, say)
        summary.job_status = job.status
        with _phase(summary, "results"):
            manifest = _fetch_manifest(cloud, job, folder / "output.manifest", say)
            _count(summary, job, manifest, chosen)
            if settings.is_automated(len(chosen.names)):
                fetch_rounds(cloud, job, folder / "rounds", summary, say)
        with _phase(summary, "report"):
            summary.report = str(_report(cloud, job, chosen, folder / "report.html", say))
        with _phase(summary, "destroy"):
            say("Destroying the stacks with the CDK CLI")
            destroy(cloud)
            _check_nothing_left(cloud, say)
    finally:
        with _phase(summary, "stop"):
            say("Stopping the local cloud")
            cloud.discard()
    summary.seconds["total"] = round(time.monotonic() - begun, 1)
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    if job.status != "Completed":
        raise DemoError(f"The job {job.name} is {job.status}: {job.failure_reason}")
    return summary


@contextmanager
def _phase(summary: Summary, name: str) -> Iterator[None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        summary.seconds[name] = round(time.monotonic() - begun, 1)


def _choose(settings: DemoSettings, folder: Path, say: Say) -> DemoInput:
    if settings.images is None:
        count = settings.sample_count
        say(f"Making {count} sample photos with known boxes (seed {settings.seed})")
        return sample_input(folder / "photos", count, settings.seed)
    chosen = own_input(settings.images, settings.labels, settings.truth)
    photos = len(chosen.names)
    say(f"Taking {photos} photos from {chosen.images}")
    if not settings.people_only and not settings.is_automated(photos):
        fewest = FEWEST_OBJECTS[settings.engine]
        say(f"People label all of them: automated labeling takes about {fewest} photos")
    if chosen.truth is None:
        say(
            "NOTE: there is no truth for these photos (TRUTH=<json>), so nobody here knows where "
            "their objects are. The simulated workers put one box round the middle of every photo "
            f"with the label {chosen.labels[0]}, to show the way of the data and nothing else."
        )
    return chosen


def _fresh_cloud(settings: DemoSettings, project: Path, folder: Path, say: Say) -> LocalCloud:
    """Return a local cloud of the demo's own, apart from that of `groundwork up`, and empty."""
    cloud = LocalCloud(project, folder / "cloud", report=say)
    if cloud.attach():
        say("Stopping the local cloud that an earlier demo left running")
    cloud.discard()
    port = settings.port or free_port(DEFAULT_PORT)
    return LocalCloud(project, folder / "cloud", port, report=say)


def workshop_context(settings: DemoSettings, chosen: DemoInput) -> dict[str, str]:
    """Return the workshop's settings."""
    context = {
        "name": "Demo",
        "images": str(chosen.images),
        "labels": json.dumps(chosen.labels),
        "label_attribute": LABEL_ATTRIBUTE,
        "worker_emails": ",".join(WORKERS),
    }
    if not settings.is_automated(len(chosen.names)):
        # Two batches, so that the loop goes round once.
        return context | {"batch_size": str(min(1000, max(1, (len(chosen.names) + 1) // 2)))}
    context["auto_labeling"] = "true"
    return (
        context
        if settings.target is None
        else context | {"auto_labeling_target": str(settings.target)}
    )


def _label(
    cloud: LocalCloud, summary: Summary, chosen: DemoInput, settings: DemoSettings, say: Say
) -> JobState:
    invited = invitations(cloud.mails())
    if not invited:
        raise DemoError(f"No invitation mail was sent; the log: {cloud.emulator.log_path}")
    say(f"{len(invited)} workers got their invitation mails and sign in at {summary.portal_url}")
    if chosen.truth is not None:
        say(f"They draw the known boxes as people do: {HABITS} (seed {settings.seed})")
    logins = [(each.email, each.temporary_password) for each in invited]

    def drawer(worker: int) -> Drawer:
        return Drawer(chosen.truth, seed=settings.seed, worker=worker)

    told = None
    deadline = time.monotonic() + _LABELING_TIMEOUT_SECONDS
    with Crowd(cloud, summary.portal_url, logins, drawer) as crowd:
        while True:
            crowd.check()
            job = job_state(cloud, summary.job_name)
            if job.counters != told:
                say(f"  {job.name}: {job.status}, {_progress(job, len(chosen.names))}")
                told = job.counters
            if job.is_over:
                return job
            if time.monotonic() > deadline:
                raise DemoError(
                    f"The job {job.name} is still {job.status} after {_LABELING_TIMEOUT_SECONDS} "
                    f"seconds; the log: {cloud.emulator.log_path}"
                )
            time.sleep(_POLL_SECONDS)


def _progress(job: JobState, photos: int) -> str:
    people, machine = job.counters["HumanLabeled"], job.counters["MachineLabeled"]
    by_machine = f" and {machine} by machine" if machine else ""
    return f"{people} of {photos} labeled by people{by_machine}"


def _fetch_manifest(cloud: LocalCloud, job: JobState, path: Path, say: Say) -> Path:
    if job.output_manifest is None:
        raise DemoError(
            f"The job {job.name} is {job.status} without results: {job.failure_reason}; "
            f"the log: {cloud.emulator.log_path}"
        )
    uri = urlsplit(job.output_manifest)
    cloud.client("s3").download_file(uri.netloc, uri.path.lstrip("/"), str(path))
    say(f"Copied the augmented manifest {job.output_manifest} to {path}")
    return path


def _count(summary: Summary, job: JobState, manifest: Path, chosen: DemoInput) -> None:
    with manifest.open("rb") as chunks:
        counted = summarize(read_objects(chunks, job.label_attribute), chosen.truth)
    summary.objects = counted.objects
    summary.human_labeled = counted.states[LabelState.HUMAN]
    summary.machine_labeled = counted.states[LabelState.MACHINE]
    summary.failed = counted.states[LabelState.FAILED]
    if counted.human_mean_iou is not None:
        summary.human_mean_iou = round(counted.human_mean_iou, 4)
    if counted.machine_mean_iou is not None:
        summary.machine_mean_iou = round(counted.machine_mean_iou, 4)
    summary.output_manifest = job.output_manifest or ""


def fetch_rounds(
    cloud: LocalCloud, job: JobState, folder: Path, summary: Summary, say: Say
) -> None:
    """Copy the engine's own record of automated labeling, and tell what it came to."""
    records = S3Uri.parse(f"{job.output_folder}/activelearning")
    files = S3Client(cloud.client("s3"))
    shutil.rmtree(folder, ignore_errors=True)
    for uri in files.list_keys(records):
        if uri.key.endswith(".json"):
            path = folder / uri.key.removeprefix(f"{records.key}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files.get(uri))
    if not (folder / "summary.json").is_file():
        # A job that failed early has none; its own reason is told.
        return
    say(f"Copied the records of automated labeling {records} to {folder}")
    record = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    summary.target = record["target"]
    summary.bound = None if record["bound"] is None else round(record["bound"], 4)
    summary.rounds = record["batches_of_people"]
    say(f"Automated labeling: {record['outcome']}")


def _report(cloud: LocalCloud, job: JobState, chosen: DemoInput, target: Path, say: Say) -> Path:
    """Write the job's report while its output is still there."""
    output = open_output(job.output_manifest or "", S3Client(cloud.client("s3")))
    images = ImageFetcher(ImageMode.COPY, chosen.images, None)
    write_report(output, target, images, label_attribute=job.label_attribute, truth=chosen.truth)
    say(f"Wrote the report {target}")
    return target


def _check_nothing_left(cloud: LocalCloud, say: Say) -> None:
    left = leftovers(cloud)
    if left:
        raise DemoError("Destroying left these behind:\n  " + "\n  ".join(left))
    say("Nothing is left but the CDK's own bootstrap stack")


def _output(cloud: LocalCloud, name: str) -> str:
    value = cloud.output(name)
    if value is None:
        raise LocalCloudError(f"No deployed stack has the output {name}.")
    return value


def table_rows(summary: Summary) -> list[tuple[str, Any]]:
    """Return what the demo's closing table shows."""
    phases = ", ".join(f"{name} {seconds:g}" for name, seconds in summary.seconds.items())
    automated = []
    if summary.rounds is not None:
        automated = [
            (
                "machine's mean IoU against the truth",
                _quality(summary.machine_mean_iou, "no label by machine"),
            ),
            ("its target, against people's labels", f"{summary.target:g}"),
            (
                "its bound, proven with 95 % confidence",
                _quality(summary.bound, "no label by machine"),
            ),
            ("batches of people", summary.rounds),
        ]
    return [
        ("engine", summary.engine),
        ("job", f"{summary.job_name} ({summary.job_status})"),
        ("objects", summary.objects),
        ("labeled by people", summary.human_labeled),
        ("labeled by machine", summary.machine_labeled),
        ("failed", summary.failed),
        ("people's mean IoU against the truth", _quality(summary.human_mean_iou, "no truth")),
        *automated,
        ("portal", summary.portal_url),
        ("results", summary.output_manifest),
        ("report", summary.report),
        ("seconds", phases),
    ]


def _quality(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:.3f}"

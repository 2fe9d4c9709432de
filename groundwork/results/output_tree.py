"""A labeling job's output, ours or Ground Truth's: where its manifest is, and what lies beside it.

See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html. A place is the output
folder of a job, ``<S3OutputPath>/<job name>``, in S3 or copied to a folder; a folder above it,
when it has one job's output; or a manifest by itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from groundwork.errors import UserError
from groundwork.results.files import Files, FolderFiles, S3Files
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri, S3UriFormatError

FINAL_MANIFEST = "manifests/output/output.manifest"
_SNAPSHOT = re.compile(r"manifests/intermediate/(\d+)/output\.manifest")
_ANY_MANIFEST = re.compile(r"(.+)/manifests/(?:output|intermediate/\d+)/output\.manifest")
_MANIFEST_NAME = "output.manifest"
_SHOWN = 5
# Whoever names a bucket with a million photos gets an answer all the same.
_LOOKED_AT = 20_000
_S3_SCHEME = "s3://"


class ResultsError(UserError):
    """Results cannot be used; the text names every problem and what would be accepted."""


@dataclass(frozen=True)
class JobOutput:
    """What a place has of a labeling job.

    Parameters
    ----------
    files
        The job's output folder, or the folder of a manifest that lies alone.
    manifest
        The manifest's path there.
    is_tree
        Whether the folder is the whole output of a job.
    snapshot
        The iteration that the manifest is a snapshot of; None when it is the job's result.
    """

    files: Files
    manifest: str
    is_tree: bool
    snapshot: int | None = None

    @property
    def address(self) -> str:
        """Where the manifest is, for people."""
        return self.files.address(self.manifest)

    def chunks(self) -> Iterator[bytes]:
        """Yield the manifest in pieces."""
        return self.files.stream(self.manifest)

    def size(self) -> int:
        """Return the manifest's bytes."""
        return self.files.size(self.manifest)

    def local_path(self) -> Path | None:
        """Return where the manifest is on this machine, if it is."""
        return self.files.local_path(self.manifest)


def open_output(place: str, client: S3Client | None = None) -> JobOutput:
    """Find the manifest at a place.

    Parameters
    ----------
    place
        An S3 URI or a path: of a job's output, of a folder above it, or of a manifest.
    client
        How S3 is read; by default with the user's own rights.

    Raises
    ------
    ResultsError
        If there is none, or several jobs' output.
    S3Error
        If S3 refuses.
    """
    if place.lower().startswith(_S3_SCHEME):
        return _open_s3(place, client)
    path = Path(place)
    if path.is_file():
        return _of_manifest(
            path.absolute().as_posix(), lambda folder: FolderFiles(Path(folder or "/"))
        )
    if not path.is_dir():
        raise ResultsError(
            f"There is no {path}. Give a job's output folder, a manifest file, or s3://<bucket>/"
            "<S3OutputPath>/<job name>."
        )
    return _of_folder(FolderFiles(path))


def _open_s3(place: str, client: S3Client | None) -> JobOutput:
    try:
        uri = S3Uri.parse(place)
    except S3UriFormatError as error:
        raise ResultsError(str(error)) from error
    s3 = client or S3Client.from_environment()
    if uri.key and not place.endswith("/") and s3.exists(uri):
        return _of_manifest(uri.key, lambda folder: S3Files(s3, S3Uri(uri.bucket, folder)))
    return _of_folder(S3Files(s3, uri))


def _of_manifest(path: str, files_of: Callable[[str], Files]) -> JobOutput:
    """Return the output that a manifest file belongs to, or the file alone."""
    if path.endswith(f"/{FINAL_MANIFEST}"):
        return JobOutput(files_of(path.removesuffix(f"/{FINAL_MANIFEST}")), FINAL_MANIFEST, True)
    found = re.search(rf"/({_SNAPSHOT.pattern})$", path)
    if found:
        return JobOutput(files_of(path[: found.start()]), found[1], True, snapshot=int(found[2]))
    folder, _, name = path.rpartition("/")
    return JobOutput(files_of(folder), name, is_tree=False)


def _of_folder(files: Files) -> JobOutput:
    if files.exists(FINAL_MANIFEST):
        return JobOutput(files, FINAL_MANIFEST, is_tree=True)
    snapshots = _snapshots(files.paths("manifests/intermediate"))
    if snapshots:
        newest = max(snapshots)
        return JobOutput(files, snapshots[newest], is_tree=True, snapshot=newest)
    if files.exists(_MANIFEST_NAME):
        return JobOutput(files, _MANIFEST_NAME, is_tree=False)
    jobs = _jobs_below(files)
    if len(jobs) == 1:
        return _of_folder(_Below(files, jobs[0]))
    where = files.address("")
    if jobs:
        shown = ", ".join(jobs[:_SHOWN]) + (", ..." if len(jobs) > _SHOWN else "")
        raise ResultsError(
            f"{where} has the output of {len(jobs)} jobs: {shown}. Name one: "
            f"{files.address(jobs[0])}"
        )
    raise ResultsError(
        f"There is no manifest in {where}: neither {FINAL_MANIFEST}, which a job writes at its "
        "end, nor manifests/intermediate/<N>/output.manifest, which it writes on the way, nor "
        f"{_MANIFEST_NAME}. Give a job's output folder, <S3OutputPath>/<job name>, or a manifest."
    )


def _snapshots(paths: Iterable[str]) -> dict[int, str]:
    found = (_SNAPSHOT.fullmatch(path) for path in paths)
    return {int(match[1]): match[0] for match in found if match}


def _jobs_below(files: Files) -> list[str]:
    jobs: dict[str, None] = {}
    for number, path in enumerate(files.paths("")):
        if number == _LOOKED_AT:
            break
        found = _ANY_MANIFEST.fullmatch(path)
        if found:
            jobs[found[1]] = None
    return list(jobs)


class _Below:
    """Files of a folder below another place."""

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._prefix = f"{folder}/"

    def address(self, path: str) -> str:
        return self._files.address(self._prefix + path)

    def exists(self, path: str) -> bool:
        return self._files.exists(self._prefix + path)

    def size(self, path: str) -> int:
        return self._files.size(self._prefix + path)

    def stream(self, path: str) -> Iterator[bytes]:
        return self._files.stream(self._prefix + path)

    def paths(self, folder: str) -> Iterator[str]:
        for path in self._files.paths(self._prefix + folder):
            yield path.removeprefix(self._prefix)

    def total_bytes(self, folder: str) -> int:
        return self._files.total_bytes(self._prefix + folder)

    def local_path(self, path: str) -> Path | None:
        return self._files.local_path(self._prefix + path)

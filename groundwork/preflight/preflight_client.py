"""Gathers what a preflight judges, with the rights of whoever runs it."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, TypeVar

from groundwork.contract.arns import Arn, ArnFormatError, TeamKind
from groundwork.contract.label_categories import MAXIMUM_LABEL_FILE_BYTES
from groundwork.contract.labeling_client import labeling_client
from groundwork.contract.rules import task_of
from groundwork.images import (
    FIRST_BYTES,
    MAXIMUM_FILE_BYTES,
    MORE_BYTES,
    ImageError,
    ImageFacts,
    ImageNeedsMoreError,
    read_image,
)
from groundwork.preflight.checks import check
from groundwork.preflight.findings import Findings
from groundwork.preflight.inputs import (
    Absence,
    BucketSeen,
    ImageSeen,
    Inputs,
    ManifestSeen,
    SampledObject,
    Unavailable,
)
from groundwork.preflight.scan import scan_manifest
from groundwork.s3_client import (
    S3AccessDeniedError,
    S3Client,
    S3Error,
    S3NotFoundError,
    S3Uri,
    S3UriFormatError,
)
from groundwork.service import Service, ServiceRefusedError
from groundwork.service_client import ServiceClient

SAMPLE_SIZE = 200
# The same sample each time, so that a second run finds what the first did.
SAMPLE_SEED = 20260730
MAXIMUM_BUCKETS = 20
_PARALLEL_READS = 16

T = TypeVar("T")


class DataClient:
    """Looks at the manifest, the images and the buckets of a job.

    Parameters
    ----------
    files
        S3 with the rights of whoever asks.
    region
        Where the job will run.
    """

    def __init__(self, files: S3Client, *, region: str) -> None:
        self._files = files
        self._buckets = ServiceClient(files.api)
        self._region = region

    def read_manifest(
        self, uri: S3Uri, label_attribute: str, *, needs_reference: bool
    ) -> ManifestSeen | Unavailable:
        """Read a manifest from end to end; where it cannot be read, say so."""
        return _available(
            lambda: scan_manifest(
                self._files.stream(uri),
                label_attribute=label_attribute,
                needs_reference=needs_reference,
                sample_size=SAMPLE_SIZE,
                random=Random(SAMPLE_SEED),  # noqa: S311 - a sample, not a secret
            )
        )

    def read_folder(self, folder: S3Uri, suffixes: tuple[str, ...]) -> ManifestSeen | Unavailable:
        """List the images of a folder, as the manifest made of it will name them."""
        return _available(lambda: self._listed(folder, suffixes))

    def read_file(self, address: str | None) -> bytes | Unavailable | None:
        """Read a small file; None where there is no address."""
        try:
            uri = S3Uri.parse(address or "")
        except S3UriFormatError:
            return None
        return _available(lambda: self._files.get_small(uri, MAXIMUM_LABEL_FILE_BYTES))

    def look_at_images(
        self, sample: Iterable[SampledObject], *, are_images: bool
    ) -> tuple[ImageSeen, ...]:
        """Open a sample of the objects."""
        look = self._image if are_images else self._existence
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            return tuple(pool.map(look, sample))

    def look_at_buckets(self, counts: Mapping[str, int]) -> tuple[BucketSeen, ...]:
        """Ask about the most used buckets."""
        most_used = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAXIMUM_BUCKETS]
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            return tuple(pool.map(lambda item: self._bucket(*item), most_used))

    def _listed(self, folder: S3Uri, suffixes: tuple[str, ...]) -> ManifestSeen:
        random = Random(SAMPLE_SEED)  # noqa: S311 - a sample, not a secret
        sample: list[SampledObject] = []
        objects = 0
        for uri in self._files.list_keys(folder):
            if not uri.key.lower().endswith(suffixes):
                continue
            objects += 1
            # Reservoir sampling, as in ``scan_manifest``.
            if len(sample) < SAMPLE_SIZE:
                sample.append(SampledObject(objects, str(uri)))
            elif (place := random.randrange(objects)) < SAMPLE_SIZE:
                sample[place] = SampledObject(objects, str(uri))
        sample.sort(key=lambda chosen: chosen.line_number)
        return ManifestSeen(objects, buckets={folder.bucket: objects}, sample=tuple(sample))

    def _image(self, chosen: SampledObject) -> ImageSeen:
        uri = S3Uri.parse(chosen.uri)
        try:
            facts = self._facts(uri)
        except ImageError as error:
            return ImageSeen(chosen.line_number, chosen.uri, unusable=str(error))
        except S3Error as error:
            return ImageSeen(chosen.line_number, chosen.uri, unavailable=_why(error))
        return ImageSeen(chosen.line_number, chosen.uri, width=facts.width, height=facts.height)

    def _facts(self, uri: S3Uri) -> ImageFacts:
        for length in (FIRST_BYTES, MORE_BYTES):
            found = self._files.get_range(uri, 0, length)
            try:
                return read_image(found.data, found.total_bytes)
            except ImageNeedsMoreError:
                continue
        found = self._files.get_range(uri, 0, MAXIMUM_FILE_BYTES)
        return read_image(found.data, found.total_bytes)

    def _existence(self, chosen: SampledObject) -> ImageSeen:
        size = _available(lambda: self._files.size(S3Uri.parse(chosen.uri)))
        unavailable = size if isinstance(size, Unavailable) else None
        return ImageSeen(chosen.line_number, chosen.uri, unavailable=unavailable)

    def _bucket(self, name: str, objects: int) -> BucketSeen:
        region = _answered(lambda: self._bucket_region(name))
        rules = _answered(lambda: self._cors_rules(name))
        return BucketSeen(name, objects, region, rules)

    def _bucket_region(self, name: str) -> str:
        answer = self._buckets.call("head_bucket", Bucket=name)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return str(answer.get("BucketRegion") or headers.get("x-amz-bucket-region", self._region))

    def _cors_rules(self, name: str) -> tuple[Mapping[str, Any], ...]:
        try:
            return tuple(self._buckets.call("get_bucket_cors", Bucket=name).get("CORSRules", []))
        except ServiceRefusedError as error:
            if error.code == "NoSuchCORSConfiguration":
                return ()
            raise


class PreflightClient:
    """Looks at the files, buckets, role and team that a CreateLabelingJob request names.

    Parameters
    ----------
    files
        S3 with the rights of whoever asks.
    labeling
        The labeling API of either engine.
    roles
        IAM.
    region, account
        Where the job will run.
    """

    def __init__(
        self, files: S3Client, labeling: Service, roles: Service, *, region: str, account: str
    ) -> None:
        self._data = DataClient(files, region=region)
        self._labeling = labeling
        self._roles = roles
        self._region = region
        self._account = account

    @classmethod
    def from_environment(cls, region: str, account: str) -> "PreflightClient":
        """Use the function's or the user's own rights."""
        return cls(
            S3Client.from_environment(),
            ServiceClient(labeling_client()),
            ServiceClient.from_environment("iam"),
            region=region,
            account=account,
        )

    def findings(self, request: Mapping[str, Any], engine: str) -> Findings:
        """Return all problems and warnings of a job before it is created."""
        return check(self.gather(request, engine))

    def gather(self, request: Mapping[str, Any], engine: str) -> Inputs:
        """Read everything that the checks judge; what cannot be read says so in its place."""
        task = task_of(request)
        data = task.data if task else "any"
        page = request["HumanTaskConfig"]["UiConfig"]
        manifest = self._manifest(request, needs_reference=data == "image")
        seen = manifest if isinstance(manifest, ManifestSeen) else ManifestSeen(objects=0)
        return Inputs(
            engine=engine,
            region=self._region,
            account=self._account,
            request=request,
            manifest=manifest,
            labels=self._data.read_file(request.get("LabelCategoryConfigS3Uri")),
            template=_decoded(self._data.read_file(page.get("UiTemplateS3Uri"))),
            images=self._data.look_at_images(seen.sample, are_images=data == "image"),
            buckets=self._data.look_at_buckets(seen.buckets),
            role_trust=self._role_trust(request["RoleArn"]),
            team=self._team(request["HumanTaskConfig"]["WorkteamArn"]),
        )

    def _manifest(
        self, request: Mapping[str, Any], *, needs_reference: bool
    ) -> ManifestSeen | Unavailable | None:
        source = request["InputConfig"]["DataSource"].get("S3DataSource", {})
        try:
            uri = S3Uri.parse(source.get("ManifestS3Uri", ""))
        except S3UriFormatError:
            return None  # The request's own rules tell.
        return self._data.read_manifest(
            uri, request["LabelAttributeName"], needs_reference=needs_reference
        )

    def _role_trust(self, arn: str) -> Mapping[str, Any] | Unavailable | None:
        try:
            name = Arn.parse(arn).resource_name
        except ArnFormatError:
            return None
        return _answered(
            lambda: self._roles.call("get_role", RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        )

    def _team(self, arn: str) -> Mapping[str, Any] | Unavailable | None:
        try:
            team = Arn.parse(arn)
        except ArnFormatError:
            return None
        if team.team_kind == TeamKind.PRIVATE:
            return _answered(
                lambda: self._labeling.call("describe_workteam", WorkteamName=team.resource_name)
            )
        if team.team_kind == TeamKind.VENDOR:
            return _answered(
                lambda: self._labeling.call("describe_subscribed_workteam", WorkteamArn=arn)
            )
        return None


def _available(read: Callable[[], T]) -> T | Unavailable:
    try:
        return read()
    except S3Error as error:
        return _why(error)


def _why(error: S3Error) -> Unavailable:
    if isinstance(error, S3NotFoundError):
        return Unavailable(Absence.MISSING, str(error))
    if isinstance(error, S3AccessDeniedError):
        return Unavailable(Absence.DENIED, str(error))
    return Unavailable(Absence.FAILED, str(error))


def _answered(ask: Callable[[], T]) -> T | Unavailable:
    try:
        return ask()
    except ServiceRefusedError as error:
        return Unavailable(_absence(error), str(error))


def _absence(error: ServiceRefusedError) -> Absence:
    if error.code in ("404", "NoSuchBucket", "NoSuchEntity", "ResourceNotFound"):
        return Absence.MISSING
    # SageMaker's code for teams that do not exist.
    if error.code == "ValidationException" and error.operation.endswith("workteam"):
        return Absence.MISSING
    return Absence.DENIED if error.is_access_refusal else Absence.FAILED


def _decoded(file: bytes | Unavailable | None) -> str | Unavailable | None:
    return file.decode("utf-8", "replace") if isinstance(file, bytes) else file

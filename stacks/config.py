"""The workshop's configuration: read once, checked as a whole, frozen."""

import difflib
import math
import re
import reprlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import yaml

from groundwork.contract.arns import Arn, ArnFormatError, TeamKind
from groundwork.contract.automated_labeling import FEWEST_OBJECTS, SMALLEST_SAMPLE
from groundwork.contract.builtin_tasks import BUILTIN_TASKS, REGION_ACCOUNTS, BuiltinTask
from groundwork.contract.label_categories import label_problems
from groundwork.image_folder import ImageFolder, ImageFolderError
from groundwork.json_text import JsonTextError, read_json
from groundwork.s3_uri import S3Uri, S3UriFormatError

GROUND_TRUTH = "ground-truth"
OPEN = "open"
ENGINE_STACK_NAME = "GroundworkEngine"
# https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_NotificationWithSubscribers.html
_MOST_OPERATORS = 10


_MAXIMUM_FILE_BYTES = 1_000_000
# Whatever PyYAML's reader and constructors make of a file that is none.
_YAML_ERRORS = (
    yaml.YAMLError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_SHOWN_CHARACTERS = 1_000


class _Shown(reprlib.Repr):
    """What was given, cut: YAML's aliases make terabytes of a few lines."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 2, 300, 300
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = 20

    def repr_int(self, x: int, level: int) -> str:
        """Return a number; Python refuses to write very long ones."""
        return "a number of very many digits" if _is_large(x) else super().repr_int(x, level)


_shown = _Shown()


@dataclass(frozen=True)
class TaskType:
    """A task type as the configuration names it, and the words it is described with."""

    task: BuiltinTask
    title: str
    description: str
    keywords: tuple[str, ...]


TASK_TYPES: Mapping[str, TaskType] = MappingProxyType(
    {
        "bounding-box": TaskType(
            BUILTIN_TASKS["BoundingBox"],
            "Draw boxes around the objects",
            "Draw a tight box around each object that one of the labels names.",
            ("images", "bounding boxes"),
        ),
        "image-classification": TaskType(
            BUILTIN_TASKS["ImageMultiClass"],
            "Choose what each image shows",
            "Choose the one label that describes the image best.",
            ("images", "classification"),
        ),
    }
)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration."""

    field: str
    seen: object
    accepted: str
    advice: str

    def __str__(self) -> str:
        seen = _shown.repr(self.seen)[:_SHOWN_CHARACTERS]
        return f"{self.field[:100]}: got {seen}; accepted: {self.accepted}. {self.advice}"


class ConfigurationError(ValueError):
    """A configuration can't be deployed; the message lists every problem."""

    def __init__(self, problems: list[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"The configuration has {count}; nothing was deployed.{lines}")
        self.problems = problems


class _Refused(Exception):  # noqa: N818 - a signal between parsers, never seen by callers
    """A value that a parser doesn't take."""

    def __init__(self, accepted: str, advice: str = "", seen: object = None) -> None:
        self.accepted, self.advice, self.seen = accepted, advice, seen


Parser = Callable[[Any, Path], Any]


def _refuse(accepted: str, advice: str = "", seen: object = None) -> NoReturn:
    raise _Refused(accepted, advice, seen)


def _word(value: Any) -> str:
    """Return a single value as text; nothing for lists and mappings, which may be endless."""
    if _is_large(value) or not isinstance(value, str | bool | int | float):
        return ""
    return str(value)[:200]


def _close(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name[:100], list(known), 1)
    return f"Did you mean {found[0]}?" if found else ""


def _path(value: Any, root: Path, accepted: str) -> Path:
    if not isinstance(value, str):
        _refuse(accepted)
    try:
        path = (root / Path(value).expanduser()).resolve()
        path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        # Of the operating system's message the path, which is shown already, is left out.
        reason = error.strerror if isinstance(error, OSError) else error
        _refuse(accepted, f"No path is written so: {reason}.")
    return path


def _one_of(*choices: str) -> Parser:
    def parse(value: Any, _: Path) -> str:
        if not isinstance(value, str) or value not in choices:
            _refuse(" or ".join(choices), _close(_word(value), choices))
        return value

    return parse


def _text(
    maximum: int, *, pattern: str = r"[^\r\n]+", accepted: str = "one line of text"
) -> Parser:
    def parse(value: Any, _: Path) -> str:
        wanted = f"{accepted}, up to {maximum:,} characters"
        if not isinstance(value, str) or not value.strip() or len(value) > maximum:
            _refuse(wanted)
        if not re.fullmatch(pattern, value, re.DOTALL):
            _refuse(wanted)
        return value

    return parse


def _whole_number(minimum: int, maximum: int | None = None) -> Parser:
    limits = f"{minimum:,} or more" if maximum is None else f"{minimum:,} to {maximum:,}"

    def parse(value: Any, _: Path) -> int:
        text = _word(value)
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,15}", text):
            _refuse(f"a whole number, {limits}")
        number = int(text)
        if number < minimum or (maximum is not None and number > maximum):
            _refuse(f"a whole number, {limits}")
        return number

    return parse


def _number(accepted: str, is_accepted: Callable[[float], bool]) -> Parser:
    def parse(value: Any, _: Path) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        # What is no number is in no range.
        if not is_accepted(number):
            _refuse(accepted)
        return number

    return parse


_FRACTION = _number("a number between 0 and 1, such as 0.8", lambda number: 0 < number < 1)


def _percentage(minimum: float, maximum: float) -> Parser:
    return _number(
        f"a number from {minimum:g} to {maximum:g}, in percent",
        lambda number: minimum <= number <= maximum,
    )


def _switch(value: Any, _: Path) -> bool:
    known = {"true": True, "false": False}
    word = _word(value).lower()
    if word not in known:
        _refuse("true or false")
    return known[word]


def _list_of_text(accepted: str) -> Parser:
    def parse(value: Any, _: Path) -> tuple[str, ...]:
        if isinstance(value, str):
            if value.lstrip().startswith("["):
                try:
                    value = read_json(value)
                except JsonTextError as error:
                    _refuse(accepted, f"This begins like JSON but isn't: {error}.")
            else:
                value = [part.strip() for part in value.split(",")]
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            _refuse(accepted, "In YAML, put names such as no, yes or 7 in quotes.")
        if not all(part.strip() for part in value):
            _refuse(accepted, "There is an empty entry.")
        return tuple(value)

    return parse


_MAXIMUM_ADDRESS_CHARACTERS = 254


def _emails(value: Any, root: Path) -> tuple[str, ...]:
    accepted = "e-mail addresses, separated by commas or as a list"
    addresses: tuple[str, ...] = _list_of_text(accepted)(value, root) if value else ()
    if wrong := [
        each
        for each in addresses
        if len(each) > _MAXIMUM_ADDRESS_CHARACTERS
        or not re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", each)
    ]:
        _refuse(accepted, "Mend these.", wrong)
    times = Counter(each.lower() for each in addresses)
    if twice := sorted(each for each, count in times.items() if count > 1):
        _refuse(accepted, "Name each worker once.", twice)
    return addresses


def _tags(value: Any, _: Path) -> Mapping[str, str]:
    accepted = "key=value pairs separated by commas, or a mapping; up to 50, keys up to 128 and "
    accepted += "values up to 256 characters of letters, digits, spaces and _.:/=+-@, no key "
    accepted += "beginning with aws:"
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(sign for _key, sign, _value in pairs):
            _refuse(accepted)
        value = {key.strip(): text.strip() for key, _sign, text in pairs}
    if not isinstance(value, dict) or len(value) > 50:
        _refuse(accepted)
    if not all(isinstance(text, str | bool | int | float) for text in value.values()):
        _refuse(accepted)
    tags = {
        str(key): str(text)
        for key, text in value.items()
        if not _is_large(text) and not _is_large(key)
    }
    if len(tags) < len(value) or not all(
        0 < len(k) <= 128 and len(v) <= 256 and _is_taggable(k + v) for k, v in tags.items()
    ):
        _refuse(accepted)
    if any(key.lower().startswith("aws:") for key in tags):
        _refuse(accepted)
    return MappingProxyType(tags)


def _is_large(value: object) -> bool:
    # Python writes no numbers of thousands of digits.
    return isinstance(value, int) and abs(value) >= 10**256


def _is_taggable(text: str) -> bool:
    # https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    return all(letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LZN" for letter in text)


def _images(value: Any, root: Path) -> ImageFolder:
    accepted = "a folder with .jpg, .jpeg or .png files, in it or in folders below it"
    try:
        return ImageFolder.scan(_path(value, root, accepted))
    except ImageFolderError as error:
        told = "; ".join(error.problems)
        _refuse(accepted, f"{told[0].upper()}{told[1:]}.")


def _template(value: Any, root: Path) -> Path:
    accepted = "the path of a worker template, an HTML file"
    path = _path(value, root, accepted)
    if not path.is_file():
        _refuse(accepted, f"There is no file at {path}.")
    return path


def _work_team(value: Any, _: Path) -> str:
    accepted = "the ARN of a private or vendor work team"
    try:
        kind = Arn.parse(value if isinstance(value, str) else "").team_kind
    except ArnFormatError:
        kind = None
    if kind is TeamKind.PUBLIC:
        _refuse(
            accepted,
            "The public team is Amazon Mechanical Turk, which closed on 30 September 2026: "
            "invite people with worker_emails, or give a vendor's team.",
        )
    if kind is None:
        _refuse(accepted, "It reads arn:aws:sagemaker:<region>:<account>:workteam/<kind>/<name>.")
    return str(value)


_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _s3_uri(value: Any, _: Path) -> str:
    accepted = "s3://<bucket>/<key> of a manifest, one JSON object per line"
    if not isinstance(value, str):
        _refuse(accepted)
    try:
        uri = S3Uri.parse(value)
    except S3UriFormatError:
        _refuse(accepted)
    if not _BUCKET_NAME.fullmatch(uri.bucket):
        _refuse(
            accepted,
            f"No bucket is named {uri.bucket!r}: names have 3 to 63 small letters, digits, dots "
            "and hyphens.",
        )
    if not uri.key or value.endswith("/"):
        _refuse(accepted, "This names a bucket or folder; name the manifest in it.")
    if not value.startswith("s3://") or any(ord(letter) < 32 or letter in "*?" for letter in value):
        _refuse(accepted, "Begin with s3://; the key has no control characters, * or ?.")
    return value


def _buckets(value: Any, root: Path) -> tuple[str, ...]:
    accepted = "bucket names, separated by commas or as a list"
    names: tuple[str, ...] = _list_of_text(accepted)(value, root)
    wrong = [name for name in names if not _BUCKET_NAME.fullmatch(name)]
    if wrong:
        _refuse(accepted, "Give names only, without s3:// and without a path.", wrong)
    return names


def _name(value: Any, root: Path) -> str:
    accepted = "a letter, then letters, digits and single hyphens"
    pattern = r"[A-Za-z](-?[A-Za-z0-9])*"
    name: str = _text(40, pattern=pattern, accepted=accepted)(value, root)
    if name.lower() == ENGINE_STACK_NAME.lower():
        _refuse(accepted, "This is the name of the engine's own stack.")
    # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
    if taken := [word for word in ("aws", "amazon", "cognito") if word in name.lower()]:
        _refuse(accepted, f"Cognito refuses {taken[0]!r} in the sign-in page's address.")
    return name


def _option(default: Any, parse: Parser, accepts: str, doc: str, shown: str | None = None) -> Any:
    """Declare a field with its parser and its documentation."""
    metadata = {"parse": parse, "accepts": accepts, "doc": doc, "shown": shown}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class WorkshopConfig:
    """Everything that a workshop host decides."""

    engine: str = _option(
        GROUND_TRUTH,
        _one_of(GROUND_TRUTH, OPEN),
        "`ground-truth`, `open`",
        "Who runs the labeling job: the managed service, for accounts that still have it, or the "
        "open engine, deployed beside the workshop.",
    )
    name: str = _option(
        "Groundwork",
        _name,
        "letters, digits, hyphens; up to 40",
        "Name of the stack, the work team and the workforce, and the beginning of job names.",
    )
    region: str | None = _option(
        None,
        _text(32, pattern=r"[a-z]{2,5}(-[a-z]+)+-\d+", accepted="a region's name"),
        "a region's name",
        "Where to deploy. With `ground-truth` one of the twelve regions that have it.",
        "the AWS profile's",
    )
    images: ImageFolder | None = _option(  # noqa: RUF009 - declares a field
        None,
        _images,
        "path of a folder",
        "Images to label (`.jpg`, `.jpeg`, `.png`, subfolders included), uploaded at deployment; "
        "at most 4 GiB.",
        "generated sample photos",
    )
    sample_count: int = _option(
        30,
        _whole_number(1, 10_000),
        "1 to 10,000",
        "How many sample photos to generate where neither `images` nor `manifest` is given.",
    )
    manifest: str | None = _option(
        None,
        _s3_uri,
        "S3 URI",
        "An input manifest that is already in S3, in place of `images`; an earlier job's output "
        "manifest goes on with what it left unlabeled.",
    )
    image_buckets: tuple[str, ...] = _option(
        (),
        _buckets,
        "list of bucket names",
        "Further buckets that the `manifest` names objects in. They need the CORS rule, too.",
        "the manifest's bucket",
    )
    task_type: str = _option(
        "bounding-box",
        _one_of(*TASK_TYPES),
        "`bounding-box`, `image-classification`",
        "What workers do with an image: draw boxes, or choose one class.",
    )
    labels: tuple[str, ...] = _option(
        (),
        _list_of_text("label names, separated by commas or as a list"),
        "list of names",
        "The label categories, in the order that numbers them: 1 to 50 for boxes, at least 2 for "
        "classification.",
        "the sample photos' classes",
    )
    label_attribute: str = _option(
        "label",
        _text(
            127,
            pattern=r"(?!source(-ref)?$)(?!.*-(ref|metadata)$)[A-Za-z0-9](-*[A-Za-z0-9])*",
            accepted="letters, digits and hyphens, not ending in -ref or -metadata, not source",
        ),
        "letters, digits, hyphens",
        "The output manifest's key for the labels.",
    )
    title: str | None = _option(
        None, _text(128), "one line, up to 128", "The task's title in the portal.", "by task type"
    )
    description: str | None = _option(
        None,
        _text(255),
        "one line, up to 255",
        "The task's description in the portal.",
        "by task type",
    )
    short_instructions: str | None = _option(
        None,
        _text(20_000, pattern=r".+", accepted="text"),
        "text",
        "Instructions beside the image; a blank line begins a paragraph.",
        "by task type",
    )
    full_instructions: str | None = _option(
        None,
        _text(50_000, pattern=r".+", accepted="text"),
        "text",
        "Instructions that open on demand.",
        "by task type",
    )
    template: Path | None = _option(  # noqa: RUF009 - declares a field
        None,
        _template,
        "path of a file",
        "An own worker template in place of the built-in one and its instructions.",
        "built in",
    )
    worker_emails: tuple[str, ...] = _option(
        (), _emails, "list of addresses", "Who is invited to label.", "nobody"
    )
    operator_emails: tuple[str, ...] = _option(
        (),
        _emails,
        "list of addresses",
        "Who is told when an alarm of the open engine goes off or the budget runs out; each "
        "confirms a mail first.",
        "nobody",
    )
    monthly_budget_usd: int | None = _option(
        None,
        _whole_number(1, 1_000_000),
        "1 to 1,000,000",
        "Tell the operators when the account has spent 80 % and 100 % of this in a month, or "
        "probably will. It stops nothing.",
        "no budget",
    )
    workers_per_object: int = _option(
        1, _whole_number(1, 9), "1 to 9", "How many workers label each image."
    )
    batch_size: int = _option(
        1000,
        _whole_number(1, 5000),
        "1 to 5,000",
        "How many images are with workers at a time; automated labeling learns between batches.",
    )
    task_time_limit_seconds: int = _option(
        300,
        _whole_number(30, 28_800),
        "30 to 28,800",
        "How long a worker may take for one image before it goes to somebody else.",
    )
    auto_labeling: bool = _option(
        False,
        _switch,
        "`true`, `false`",
        "Whether a model labels a part of the images. Takes about "
        f"{FEWEST_OBJECTS[OPEN]:,} images with `open`, {FEWEST_OBJECTS[GROUND_TRUTH]:,} with "
        "`ground-truth`.",
    )
    auto_labeling_target: float | None = _option(
        None,
        _FRACTION,
        "between 0 and 1",
        "`open` only: the mean quality that automated labels have to reach, proven by people on a "
        "random sample of them. Boxes: mean IoU, classes: the share of right ones. Fixed in Ground "
        "Truth.",
        "0.6 for boxes, 0.95 for classes",
    )
    auto_labeling_sample_percentage: float | None = _option(
        None,
        _percentage(0, 50),
        "0 to 50",
        "`open` only: people see at least this share of what the model would label, beyond what "
        "the proof takes.",
        "what the proof takes",
    )
    max_human_labeled_objects: int | None = _option(
        None,
        _whole_number(1),
        "1 or more",
        "Stop the job once people have labeled this many images.",
        "no limit",
    )
    max_labeled_percentage: int | None = _option(
        None,
        _whole_number(1, 100),
        "1 to 100",
        "Stop the job once this share of the images is labeled.",
        "no limit",
    )
    workforce: str = _option(
        "create",
        _one_of("create", "adopt"),
        "`create`, `adopt`",
        "An account has one private workforce per region: create it, or use the existing one and "
        "add only a group and a team.",
    )
    work_team_arn: str | None = _option(
        None,
        _work_team,
        "ARN",
        "An existing private or vendor work team, in place of a team of the stack's own.",
    )
    kms_key_arn: str | None = _option(
        None,
        _text(
            256,
            pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
            accepted="the ARN of a KMS key (not of an alias)",
        ),
        "ARN of a key",
        "Encrypts the bucket and the results.",
        "S3's own keys",
    )
    studio: bool = _option(
        False,
        _switch,
        "`true`, `false`",
        "Adds a SageMaker Studio domain and the user `sagemaker-user` for the workshop's notebook.",
    )
    policy_checks: bool = _option(
        False,
        _switch,
        "`true`, `false`",
        "Runs cdk-nag's AwsSolutions rules at every synthesis. The project's tests always do.",
    )
    tags: Mapping[str, str] = _option(
        MappingProxyType({}),
        _tags,
        "mapping, or `key=value,…`",
        "Put on every resource and on the labeling job.",
        "none",
    )

    @classmethod
    def from_context(cls, context: Mapping[str, Any], root: Path) -> "WorkshopConfig":
        """Read the CDK context and the YAML file it may name.

        Parameters
        ----------
        context
            All of the app's context; its values win over the file's.
        root
            Where relative paths of the context start; those of the file start at the file.

        Raises
        ------
        ConfigurationError
            With every problem, not only the first.
        """
        problems: list[Problem] = []
        values: dict[str, tuple[Any, Path]] = {}
        if "config" in context:
            values.update(_read_file(context["config"], root, problems))
        own = {key: value for key, value in context.items() if not _belongs_to_cdk(key)}
        values.update({key: (value, root) for key, value in own.items() if key != "config"})
        parsed = _parse(values, problems)
        config = cls(**parsed)
        failed = {problem.field for problem in problems}
        problems.extend(p for p in _contradictions(config, set(values)) if p.field not in failed)
        if problems:
            raise ConfigurationError(problems)
        return config

    @property
    def task(self) -> BuiltinTask:
        """The built-in task that the task type stands for."""
        return TASK_TYPES[self.task_type].task

    @property
    def input_buckets(self) -> tuple[str, ...]:
        """The customer's own buckets that the job reads from."""
        if self.manifest is None:
            return ()
        bucket = self.manifest.removeprefix("s3://").partition("/")[0]
        return tuple(dict.fromkeys((bucket, *self.image_buckets)))

    @property
    def uses_sample_images(self) -> bool:
        """Whether sample photos are generated."""
        return self.images is None and self.manifest is None

    @property
    def object_count(self) -> int | None:
        """How many images there are, or None for a manifest in S3."""
        if self.manifest is not None:
            return None
        return len(self.images.names) if self.images else self.sample_count

    def warnings(self) -> dict[str, str]:
        """Return what deserves a second look but deploys, by a short id."""
        found = {}
        count, fewest = self.object_count, FEWEST_OBJECTS[self.engine]
        if self.auto_labeling and count is not None and count < fewest:
            asks = {
                GROUND_TRUTH: f"Ground Truth asks for at least {fewest:,} images",
                OPEN: f"The open engine takes about {fewest:,} images",
            }
            found["auto-labeling-few-images"] = (
                f"{asks[self.engine]} for automated labeling; there are {count:,}. People will "
                "probably label all of them. Add images, or set auto_labeling to false."
            )
        if self.work_team_arn is None and not self.worker_emails:
            found["no-workers"] = (
                "Nobody is invited to label. Set worker_emails and deploy again, or add users to "
                "the workforce's group."
            )
        return found


def config_table() -> str:
    """Return the README's table of all fields, in Markdown."""
    rows = ["| Field | Accepts | Default | Meaning |", "|---|---|---|---|"]
    for each in fields(WorkshopConfig):
        shown = each.metadata["shown"] or _shown_default(each.default)
        rows.append(
            f"| `{each.name}` | {each.metadata['accepts']} | {shown} | {each.metadata['doc']} |"
        )
    return "\n".join(rows)


def _shown_default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _belongs_to_cdk(key: str) -> bool:
    """Tell feature flags and cached look-ups from our own keys."""
    return key.startswith(("@", "cdk-", "aws-cdk")) or ":" in key


def _read_file(name: Any, root: Path, problems: list[Problem]) -> dict[str, tuple[Any, Path]]:
    accepted = "the path of a YAML file with one field per line"
    try:
        path = _path(name, root, accepted)
        text = _read_small(path)
    except _Refused as refusal:
        problems.append(Problem("config", name, accepted, refusal.advice))
        return {}
    except OSError as error:
        problems.append(Problem("config", name, accepted, f"Reading {path}: {error.strerror}."))
        return {}
    except UnicodeDecodeError as error:
        advice = f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8."
        problems.append(Problem("config", name, accepted, advice))
        return {}
    try:
        content = yaml.safe_load(text)
    except _YAML_ERRORS as error:
        problems.append(Problem("config", name, accepted, f"{path}: {str(error)[:1_000]}"))
        return {}
    if content is not None and not isinstance(content, dict):
        problems.append(Problem("config", name, accepted, f"It holds a {type(content).__name__}."))
        return {}
    return {
        key if isinstance(key, str) else _shown.repr(key): (value, path.parent)
        for key, value in (content or {}).items()
    }


def _read_small(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MAXIMUM_FILE_BYTES + 1)
    if len(data) > _MAXIMUM_FILE_BYTES:
        _refuse("", f"{path} has more than {_MAXIMUM_FILE_BYTES:,} bytes.")
    return data.decode("utf-8-sig")


def _parse(values: Mapping[str, tuple[Any, Path]], problems: list[Problem]) -> dict[str, Any]:
    known = {each.name: each for each in fields(WorkshopConfig)}
    parsed = {}
    for name, (value, root) in values.items():
        if name not in known:
            close = _close(name.replace("-", "_").lower(), known)
            advice = close or "Remove it, or mend its name."
            problems.append(Problem(name, value, "the fields of the README's table", advice))
            continue
        if value is None:
            continue
        try:
            parsed[name] = known[name].metadata["parse"](value, root)
        except _Refused as refusal:
            seen = value if refusal.seen is None else refusal.seen
            advice = refusal.advice or f"Correct {name}, or leave it out for its default."
            problems.append(Problem(name, seen, refusal.accepted, advice))
    return parsed


def _contradictions(config: WorkshopConfig, given: set[str]) -> list[Problem]:
    """Check what only several fields together can show."""
    return [
        *_data_problems(config, given),
        *_label_problems(config, given),
        *_people_problems(config),
        *_operator_problems(config),
        *_automation_problems(config),
        *_template_problems(config),
        *_region_problems(config),
    ]


def _data_problems(config: WorkshopConfig, given: set[str]) -> list[Problem]:
    problems = []
    if config.manifest and "images" in given:
        problems.append(
            Problem("manifest", config.manifest, "images or manifest", "Remove one of the two.")
        )
    if config.image_buckets and not config.manifest:
        problems.append(
            Problem(
                "image_buckets",
                config.image_buckets,
                "buckets that a manifest names",
                "Set manifest, or remove it.",
            )
        )
    if "sample_count" in given and not config.uses_sample_images:
        problems.append(
            Problem(
                "sample_count",
                config.sample_count,
                "nothing beside images or manifest",
                "Remove it: no sample photos are generated then.",
            )
        )
    return problems


def _label_problems(config: WorkshopConfig, given: set[str]) -> list[Problem]:
    if "labels" not in given:
        if config.uses_sample_images and "images" not in given and "manifest" not in given:
            return []
        advice = "Name the classes that workers choose from, such as labels=cat,dog."
        return [Problem("labels", None, "a list of names, with images of your own", advice)]
    task, labels = config.task, config.labels
    least, most = task.minimum_labels, task.maximum_labels
    amount = f"at least {least}" if most is None else f"{least} to {most}"
    accepted = f"{amount} different names for {config.task_type}"
    return [
        Problem("labels", labels, accepted, f"{found.capitalize()}.")
        for found in label_problems(labels, task)
    ]


def _people_problems(config: WorkshopConfig) -> list[Problem]:
    if config.work_team_arn is None:
        return []
    problems = []
    arn = Arn.parse(config.work_team_arn)
    accepted = "a work team, or the means to make one"
    if config.worker_emails:
        problems.append(
            Problem(
                "worker_emails",
                config.worker_emails,
                accepted,
                "Invite workers where that team was made, or remove one of the two.",
            )
        )
    if config.workforce == "adopt":
        problems.append(
            Problem(
                "workforce", "adopt", accepted, "Remove it: the team has its workforce already."
            )
        )
    if arn.team_kind is TeamKind.VENDOR and config.engine == OPEN:
        problems.append(
            Problem(
                "work_team_arn",
                config.work_team_arn,
                "a private team",
                "Vendors work in Ground Truth only: set engine to ground-truth.",
            )
        )
    if config.region and arn.region != config.region:
        problems.append(
            Problem(
                "work_team_arn",
                config.work_team_arn,
                f"a team in {config.region}",
                "A job and its team are in one region.",
            )
        )
    return problems


def _operator_problems(config: WorkshopConfig) -> list[Problem]:
    problems = []
    addresses, budget = config.operator_emails, config.monthly_budget_usd
    if budget is not None and not addresses:
        problems.append(
            Problem(
                "monthly_budget_usd",
                budget,
                "a budget, and somebody who is told of it",
                "Set operator_emails, too.",
            )
        )
    if len(addresses) > _MOST_OPERATORS:
        problems.append(
            Problem(
                "operator_emails",
                f"{len(addresses)} addresses",
                f"up to {_MOST_OPERATORS}, as many as AWS tells of a budget",
                "Name a mailing list.",
            )
        )
    if addresses and budget is None and config.engine == GROUND_TRUTH:
        problems.append(
            Problem(
                "operator_emails",
                addresses,
                "nothing with engine ground-truth and no budget",
                "Set monthly_budget_usd, or remove it: Ground Truth is looked after by AWS.",
            )
        )
    return problems


def _automation_problems(config: WorkshopConfig) -> list[Problem]:
    """Refuse wishes about automated labeling that nobody would heed."""
    problems = []
    for name in ("auto_labeling_target", "auto_labeling_sample_percentage"):
        seen = getattr(config, name)
        if seen is None:
            continue
        if config.engine != OPEN:
            advice = "Remove it: what Ground Truth's automated labels have to reach is fixed."
            accepted = f"nothing with engine {config.engine}"
        elif not config.auto_labeling:
            advice = "Set auto_labeling to true, or remove it."
            accepted = "nothing without auto_labeling"
        else:
            continue
        problems.append(Problem(name, seen, accepted, advice))
    if config.auto_labeling and config.engine == OPEN and config.batch_size < SMALLEST_SAMPLE:
        problems.append(
            Problem(
                "batch_size",
                config.batch_size,
                f"{SMALLEST_SAMPLE} or more with automated labeling",
                "People prove automated labels on a sample, which they get in one batch.",
            )
        )
    return problems


def _template_problems(config: WorkshopConfig) -> list[Problem]:
    if config.template is None:
        return []
    # Imported here as it loads the Liquid parser, which only an own template needs.
    from groundwork.templates import check_template  # noqa: PLC0415

    accepted = f"a worker template for {config.task_type}"
    problems = []
    for name in ("short_instructions", "full_instructions"):
        if getattr(config, name) is not None:
            advice = "An own template brings its instructions: remove one of the two."
            problems.append(Problem(name, "…", "nothing beside template", advice))
    try:
        text = _read_small(config.template)
    except UnicodeDecodeError:
        advice = "Save it as UTF-8."
        return [*problems, Problem("template", str(config.template), accepted, advice)]
    except OSError as error:
        advice = f"Reading it: {error.strerror}."
        return [*problems, Problem("template", str(config.template), accepted, advice)]
    except _Refused as refusal:
        return [*problems, Problem("template", str(config.template), accepted, refusal.advice)]
    for found in check_template(text, config.task):
        problems.append(Problem("template", str(config.template), accepted, f"In it: {found}."))
    return problems


def _region_problems(config: WorkshopConfig) -> list[Problem]:
    if config.region is None or config.engine == OPEN or config.region in REGION_ACCOUNTS:
        return []
    return [
        Problem(
            "region",
            config.region,
            f"a region with Ground Truth: {', '.join(REGION_ACCOUNTS)}",
            "Choose one of these, or set engine to open, which runs in any region.",
        )
    ]

"""A job's labels written in another tool's format, with the images."""

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from groundwork.datasets.coco import CocoWriter
from groundwork.datasets.image_files import (
    ImageFetcher,
    ImageGoneError,
    ImageMode,
    file_size,
    has_rotation,
)
from groundwork.datasets.model import (
    TRAIN,
    VALIDATION,
    DatasetError,
    DatasetPlan,
    DatasetWriter,
    LabeledImage,
    plain_number,
)
from groundwork.datasets.splitting import Splitter
from groundwork.datasets.tables import CsvWriter, HuggingFaceWriter, LabelStudioWriter
from groundwork.datasets.voc import VocWriter
from groundwork.datasets.yolo import YoloWriter
from groundwork.errors import UsageProblemError
from groundwork.manifest import LabelState
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize, LineProblems, read_objects
from groundwork.results.output_tree import JobOutput
from groundwork.results.quality import Box
from groundwork.s3_client import S3Client

# Downloads wait for the network; copies for a disk, which more threads only disturb.
_DOWNLOADING_THREADS = 16
_COPYING_THREADS = 4
_WAITING = 4 * _DOWNLOADING_THREADS
_SHOWN = 10
_SHOWN_GONE = 3


@dataclass(frozen=True)
class Format:
    """What a format can hold.

    Parameters
    ----------
    kinds
        The forms of labels.
    needs_images
        The forms for which the format is nothing without the image files.
    needs_size
        Whether boxes cannot be written without the image's size.
    """

    make: Callable[[DatasetPlan], DatasetWriter]
    kinds: frozenset[LabelKind]
    needs_images: frozenset[LabelKind] = frozenset()
    needs_size: bool = True


_BOXES = frozenset({LabelKind.BOXES})
_ALL = frozenset({LabelKind.BOXES, LabelKind.CLASS, LabelKind.CLASSES})
FORMATS: Mapping[str, Format] = {
    "coco": Format(CocoWriter, _BOXES),
    "yolo": Format(
        YoloWriter,
        frozenset({LabelKind.BOXES, LabelKind.CLASS}),
        needs_images=frozenset({LabelKind.BOXES, LabelKind.CLASS}),
    ),
    "voc": Format(VocWriter, _BOXES),
    "label-studio": Format(LabelStudioWriter, _ALL),
    "csv": Format(CsvWriter, _ALL, needs_size=False),
    "hf": Format(HuggingFaceWriter, _ALL, needs_images=_ALL, needs_size=False),
}


@dataclass(frozen=True)
class ExportSettings:
    """What to write.

    Parameters
    ----------
    only
        Take the labels of people, of the machine, or of both.
    train_share
        The share of images for training; None for no split.
    images
        What becomes of image files.
    image_folder
        Where the images are on this machine; None where the manifest says.
    labels
        Names of classes in the order of their indexes, for what the manifest does not name.
    """

    format: str
    folder: Path
    only: LabelState | None = None
    train_share: float | None = None
    seed: int = 0
    images: ImageMode = ImageMode.COPY
    image_folder: Path | None = None
    labels: tuple[str, ...] = ()


@dataclass
class ExportSummary:
    """What was written.

    Parameters
    ----------
    images, boxes
        By split.
    left_out
        Objects that are not in the data set, by reason.
    rotated
        Images whose files ask to be shown rotated, which labels do not follow.
    problems
        The first problems, one sentence each.
    """

    classes: tuple[str, ...] = ()
    images: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    class_images: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    rotated: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class _Contents:
    """What a first walk through the manifest found of the objects to be exported."""

    images: int = 0
    kinds: Counter[LabelKind] = field(default_factory=Counter)
    signatures: Counter[frozenset[str]] = field(default_factory=Counter)
    common_folder: list[str] | None = None


def export_labels(
    output: JobOutput,
    label_attribute: str,
    class_names: Mapping[int, str],
    settings: ExportSettings,
    *,
    client: S3Client | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExportSummary:
    """Write the labels of a manifest, and the images, into an empty folder.

    Objects without a label are left out, since nobody has said that there is nothing on them;
    images that were labeled as having nothing are in the data set.

    Parameters
    ----------
    class_names
        Names by class index, for lines that do not name their classes.
    progress
        Is told how many images of how many are done.

    Raises
    ------
    UsageProblemError
        If the format cannot hold these labels, or not in this way.
    DatasetError
        If there is nothing to export.
    """
    names = {**class_names, **dict(enumerate(settings.labels))}
    selection = _Selection(output, label_attribute, names, settings)
    contents = selection.survey()
    kind = _checked(contents, settings, label_attribute)
    classes = _ordered(contents, names)
    splits = (TRAIN,) if settings.train_share is None else (TRAIN, VALIDATION)
    has_images = settings.images is not ImageMode.NONE
    plan = DatasetPlan(settings.folder, classes, kind, splits, has_images)
    settings.folder.mkdir(parents=True, exist_ok=True)
    try:
        return _write(plan, selection, contents, settings, client=client, progress=progress)
    except BaseException:
        # Half of a data set helps nobody, and a folder that is not empty keeps from trying again.
        shutil.rmtree(settings.folder)
        raise


def _write(
    plan: DatasetPlan,
    selection: "_Selection",
    contents: _Contents,
    settings: ExportSettings,
    *,
    client: S3Client | None,
    progress: Callable[[int, int], None],
) -> ExportSummary:
    summary = ExportSummary(plan.classes, left_out=selection.left_out)
    summary.images.update(dict.fromkeys(plan.splits, 0))
    share = 1.0 if settings.train_share is None else settings.train_share
    splitter = Splitter(contents.signatures, share, settings.seed)
    writer = FORMATS[settings.format].make(plan)
    fetching = _Fetching(plan, writer, settings, client)
    images = selection.images(contents.common_folder or [], splitter)
    try:
        for done, fetched in enumerate(fetching.run(images), 1):
            _add(writer, fetched, summary, FORMATS[settings.format].needs_size)
            progress(done, contents.images)
    finally:
        writer.close()
    if not summary.images.total():
        raise DatasetError(
            [
                f"Nothing was exported: none of {contents.images:,} images can be had. Give the "
                "folder that has them (--image-folder), or credentials that may read them in S3.",
                *summary.problems[:_SHOWN_GONE],
            ]
        )
    summary.problems += selection.problems[: _SHOWN - len(summary.problems)]
    return summary


def _add(
    writer: DatasetWriter,
    fetched: "_Fetched",
    summary: ExportSummary,
    needs_size: bool,
) -> None:
    image, gone = fetched.image, fetched.gone
    if gone is None and image.size is None and needs_size and image.kind is LabelKind.BOXES:
        gone = f"the size of {image.source} is neither in its label nor to be read from a file"
    if gone is not None:
        summary.left_out["image cannot be had"] += 1
        if len(summary.problems) < _SHOWN:
            summary.problems.append(gone)
        return
    inside = _inside(image)
    if len(inside.boxes) < len(image.boxes):
        summary.left_out["box outside its image"] += len(image.boxes) - len(inside.boxes)
    writer.add(inside)
    summary.rotated += fetched.is_rotated
    summary.images[image.split] += 1
    summary.boxes[image.split] += len(inside.boxes)
    for name in set(inside.classes):
        summary.class_images[image.split, name] += 1


def _inside(image: LabeledImage) -> LabeledImage:
    """Return the image with its boxes cut at its edges, and without those outside."""
    size = image.size
    if size is None or not image.boxes:
        return image
    kept = [
        (cut, confidence)
        for box, confidence in zip(image.boxes, image.confidences, strict=True)
        if (cut := _cut(box, size)) is not None
    ]
    return replace(
        image,
        boxes=tuple(box for box, _ in kept),
        classes=tuple(box.label for box, _ in kept),
        confidences=tuple(confidence for _, confidence in kept),
    )


def _cut(box: Box, size: ImageSize) -> Box | None:
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.left + box.width, size.width), min(box.top + box.height, size.height)
    if right <= left or bottom <= top:
        return None
    if (left, top, right, bottom) == (
        box.left,
        box.top,
        box.left + box.width,
        box.top + box.height,
    ):
        return box
    return Box(box.label, left, top, plain_number(right - left), plain_number(bottom - top))


class _Selection:
    """The objects of a manifest that are to be exported, read as often as needed."""

    def __init__(
        self,
        output: JobOutput,
        label_attribute: str,
        names: Mapping[int, str],
        settings: ExportSettings,
    ) -> None:
        self._output = output
        self._label_attribute = label_attribute
        self._names = names
        self._only = settings.only
        self.left_out: Counter[str] = Counter()
        self.problems: list[str] = []

    def survey(self) -> _Contents:
        """Walk through the manifest once, to know what there will be."""
        contents = _Contents()
        for image in self._read():
            contents.images += 1
            contents.kinds[image.kind] += 1
            contents.signatures[frozenset(image.classes)] += 1
            folder = _parts(image.source)[:-1]
            if contents.common_folder is None:
                contents.common_folder = folder
            elif folder[: len(contents.common_folder)] != contents.common_folder:
                contents.common_folder = _common(contents.common_folder, folder)
        return contents

    def images(self, common_folder: list[str], splitter: Splitter) -> Iterator[LabeledImage]:
        """Yield the images with their names and splits."""
        self.left_out.clear()
        self.problems.clear()
        taken: set[str] = set()
        for image in self._read():
            path = Path(*_parts(image.source)[len(common_folder) :] or ["image"])
            stem, copy = path.with_suffix("").as_posix(), 1
            # Formats call label files by the image's name without its end, upper case or lower.
            while stem.lower() in taken:
                copy += 1
                stem = f"{path.with_suffix('').as_posix()}_{copy}"
            taken.add(stem.lower())
            split = splitter.split_of(frozenset(image.classes))
            yield replace(image, name=f"{stem}{path.suffix}", split=split)

    def _read(self) -> Iterator[LabeledImage]:
        broken = LineProblems()
        for found in read_objects(self._output.chunks(), self._label_attribute, broken):
            if found.state in (LabelState.UNLABELED, LabelState.FAILED):
                self.left_out[found.state.value] += 1
                continue
            if self._only not in (None, found.state):
                self.left_out[f"labeled by {_MAKERS[found.state]}"] += 1
                continue
            label = found.read(self._names)
            if label.problems and len(self.problems) < _SHOWN:
                self.problems.append(f"line {found.object_id + 1}: {'; '.join(label.problems)}")
            yield LabeledImage(
                number=found.object_id,
                name="",
                source=found.source,
                size=label.image_size,
                kind=label.kind,
                boxes=label.boxes,
                classes=label.classes,
                confidences=label.confidences,
                labeled_by=found.state,
            )
        if broken.count:
            self.left_out["broken line"] = broken.count
            self.problems += [str(problem) for problem in broken.first[:_SHOWN]]


_MAKERS = {LabelState.HUMAN: "people", LabelState.MACHINE: "machine"}


@dataclass(frozen=True, slots=True)
class _Fetched:
    """An image whose file was brought, or the reason why it cannot be had."""

    image: LabeledImage
    gone: str | None = None
    is_rotated: bool = False


class _Fetching:
    """Brings image files, some side by side, and gives the images back in their order."""

    def __init__(
        self,
        plan: DatasetPlan,
        writer: DatasetWriter,
        settings: ExportSettings,
        client: S3Client | None,
    ) -> None:
        self._plan = plan
        self._writer = writer
        self._fetcher = ImageFetcher(settings.images, settings.image_folder, client)
        self._needs_size = FORMATS[settings.format].needs_size
        copies = settings.image_folder is not None or settings.images is ImageMode.LINK
        self._threads = _COPYING_THREADS if copies else _DOWNLOADING_THREADS
        self._made: set[Path] = set()

    def run(self, images: Iterator[LabeledImage]) -> Iterator["_Fetched"]:
        """Yield each image after its file was brought."""
        if not self._plan.has_images:
            for image in images:
                yield _Fetched(self._sized(image, None))
            return
        waiting: deque[Future[_Fetched]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for image in images:
                target = self._plan.folder / self._writer.image_path(image)
                if target.parent not in self._made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._made.add(target.parent)
                waiting.append(pool.submit(self._fetch, image, target))
                if len(waiting) > _WAITING:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _fetch(self, image: LabeledImage, target: Path) -> "_Fetched":
        try:
            first_bytes = self._fetcher.fetch(image.source, target)
        except ImageGoneError as error:
            return _Fetched(image, gone=str(error))
        return _Fetched(self._sized(image, target), is_rotated=has_rotation(first_bytes))

    def _sized(self, image: LabeledImage, target: Path | None) -> LabeledImage:
        if image.size is not None or not self._needs_size or image.kind is not LabelKind.BOXES:
            return image
        path = target or self._fetcher.local_path(image.source)
        return replace(image, size=file_size(path)) if path else image


def _checked(contents: _Contents, settings: ExportSettings, label_attribute: str) -> LabelKind:
    """Return the form of the labels, if they can be written as asked for."""
    chosen = FORMATS[settings.format]
    if not contents.images:
        whose = "" if settings.only is None else f" by {_MAKERS[settings.only]}"
        raise DatasetError(
            [f"Nothing to export: no object is labeled{whose} under {label_attribute!r}."]
        )
    if len(contents.kinds) > 1:
        counts = ", ".join(f"{count} of {kind.value}" for kind, count in contents.kinds.items())
        raise DatasetError([f"The labels under {label_attribute!r} have several forms: {counts}."])
    (kind,) = contents.kinds
    problems = []
    if kind not in chosen.kinds:
        fit = [name for name, other in FORMATS.items() if kind in other.kinds]
        problems.append(
            f"{settings.format} cannot hold labels of the form {kind.value!r}; "
            + (f"these can: {', '.join(fit)}" if fit else "no format here can")
        )
    if settings.images is ImageMode.NONE and kind in chosen.needs_images:
        problems.append(f"{settings.format} needs the image files: --images copy or link")
    if settings.folder.exists() and (
        not settings.folder.is_dir() or any(settings.folder.iterdir())
    ):
        problems.append(f"{settings.folder} is not an empty folder; give a new one")
    if problems:
        raise UsageProblemError("; ".join(problems))
    return kind


def _ordered(contents: _Contents, names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the classes by their index in the job where it is known, the others by name."""
    occurring = {name for classes in contents.signatures for name in classes}
    numbered = [names[index] for index in sorted(names)]
    ordered = dict.fromkeys(name for name in numbered)
    return (*ordered, *sorted(occurring - ordered.keys()))


def _parts(source: str) -> list[str]:
    """Return an address as folders and a file's name, none of which leads upwards."""
    path = source.partition("://")[2] or source
    return [part for part in path.split("/") if part not in {"", ".", ".."}]


def _common(one: list[str], other: list[str]) -> list[str]:
    """Return the folders that two paths begin with."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return [part for part, _ in pairs]

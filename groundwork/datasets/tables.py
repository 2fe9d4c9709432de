"""Formats that are one table or list: CSV, Label Studio, and Hugging Face's ImageFolder."""

import csv
import json
from typing import IO, Any
from xml.sax.saxutils import quoteattr

from groundwork.datasets.model import VALIDATION, DatasetPlan, LabeledImage
from groundwork.manifest import LabelState
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize

_CSV_COLUMNS = (
    "image",
    "split",
    "source",
    "labeled_by",
    "class",
    "confidence",
    "left",
    "top",
    "width",
    "height",
    "image_width",
    "image_height",
)


class CsvWriter:
    """``labels.csv``: a row for each box or class; one without a class for an image without any."""

    def __init__(self, plan: DatasetPlan) -> None:
        self._file = (plan.folder / "labels.csv").open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(_CSV_COLUMNS)

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        return f"images/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image's rows."""
        first = (image.name, image.split, image.source, image.labeled_by.value)
        size = (image.size.width, image.size.height) if image.size else ("", "")
        labels: list[tuple[Any, ...]] = [(name, "", "", "", "") for name in image.classes]
        if image.kind is LabelKind.BOXES:
            labels = [(box.label, box.left, box.top, box.width, box.height) for box in image.boxes]
        if not labels:
            self._rows.writerow((*first, "", "", "", "", "", "", *size))
        for (name, *sides), confidence in zip(labels, image.confidences, strict=True):
            told = "" if confidence is None else confidence
            self._rows.writerow((*first, name, told, *sides, *size))

    def close(self) -> None:
        """End the table."""
        self._file.close()


class LabelStudioWriter:
    """``tasks.json`` and ``label_config.xml`` for import into Label Studio.

    https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks and
    https://labelstud.io/guide/predictions: boxes are in percent of the image, people's labels are
    annotations, the machine's are predictions. Images that were copied are served as local files
    with the export's folder as the document root
    (https://labelstud.io/guide/storage#Local-storage); others keep their S3 URI.
    """

    def __init__(self, plan: DatasetPlan) -> None:
        self._plan = plan
        self._file = (plan.folder / "tasks.json").open("w", encoding="utf-8")
        self._file.write("[")
        self._begun = False

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        return f"images/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image's task."""
        address = image.source
        if self._plan.has_images:
            address = f"/data/local-files/?d={self.image_path(image)}"
        results = self._results(image)
        task: dict[str, Any] = {
            "id": image.number + 1,
            "data": {"image": address, "source": image.source, "split": image.split},
        }
        if image.labeled_by is LabelState.MACHINE:
            scores = [score for score in image.confidences if score is not None]
            prediction: dict[str, Any] = {"model_version": "auto-labeling", "result": results}
            if scores:
                prediction["score"] = min(scores)
            task["predictions"] = [prediction]
        else:
            task["annotations"] = [{"result": results}]
        self._file.write(",\n" if self._begun else "\n")
        self._file.write(json.dumps(task))
        self._begun = True

    def close(self) -> None:
        """End the list, and write the labeling page's configuration."""
        self._file.write("\n]\n")
        self._file.close()
        boxes = self._plan.kind is LabelKind.BOXES
        tag, entry = ("RectangleLabels", "Label") if boxes else ("Choices", "Choice")
        choice = ' choice="multiple"' if self._plan.kind is LabelKind.CLASSES else ""
        entries = "".join(
            f"    <{entry} value={quoteattr(name)}/>\n" for name in self._plan.classes
        )
        (self._plan.folder / "label_config.xml").write_text(
            f'<View>\n  <Image name="image" value="$image"/>\n'
            f'  <{tag} name="label" toName="image"{choice}>\n{entries}  </{tag}>\n</View>\n',
            encoding="utf-8",
        )

    def _results(self, image: LabeledImage) -> list[dict[str, Any]]:
        place: dict[str, Any] = {"from_name": "label", "to_name": "image"}
        if image.kind is not LabelKind.BOXES:
            return [{**place, "type": "choices", "value": {"choices": list(image.classes)}}]
        size = image.size or ImageSize(1, 1)
        return [
            {
                **place,
                "id": f"{image.number + 1}-{number}",
                "type": "rectanglelabels",
                "original_width": size.width,
                "original_height": size.height,
                "image_rotation": 0,
                "value": {
                    "x": 100 * box.left / size.width,
                    "y": 100 * box.top / size.height,
                    "width": 100 * box.width / size.width,
                    "height": 100 * box.height / size.height,
                    "rotation": 0,
                    "rectanglelabels": [box.label],
                },
            }
            for number, box in enumerate(image.boxes, 1)
        ]


class HuggingFaceWriter:
    """``<split>/metadata.jsonl`` beside the images, as ``load_dataset("imagefolder")`` takes them.

    https://huggingface.co/docs/datasets/image_dataset#object-detection: ``objects`` has ``bbox`` as
    ``[x, y, width, height]`` in pixels and ``categories`` as numbers from 0, which ``README.md``
    names. Images of classes have ``label`` or ``labels`` with names.
    """

    _FOLDERS = {VALIDATION: "validation"}  # noqa: RUF012 - a constant

    def __init__(self, plan: DatasetPlan) -> None:
        self._plan = plan
        self._numbers = {name: number for number, name in enumerate(plan.classes)}
        self._files: dict[str, IO[str]] = {}
        for split in plan.splits:
            folder = plan.folder / self._FOLDERS.get(split, split)
            folder.mkdir(parents=True)
            self._files[split] = (folder / "metadata.jsonl").open("w", encoding="utf-8")

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        return f"{self._FOLDERS.get(image.split, image.split)}/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image's line."""
        line: dict[str, Any] = {"file_name": image.name, "labeled_by": image.labeled_by.value}
        if image.kind is LabelKind.BOXES:
            line["objects"] = {
                "bbox": [
                    [float(side) for side in (box.left, box.top, box.width, box.height)]
                    for box in image.boxes
                ],
                "categories": [self._numbers[box.label] for box in image.boxes],
            }
        elif image.kind is LabelKind.CLASS:
            line["label"] = image.classes[0]
        else:
            line["labels"] = list(image.classes)
        self._files[image.split].write(json.dumps(line) + "\n")

    def close(self) -> None:
        """End the files, and say what the numbers mean."""
        for file in self._files.values():
            file.close()
        names = "".join(f"| {number} | {name} |\n" for name, number in self._numbers.items())
        (self._plan.folder / "README.md").write_text(
            f"# Exported by Groundwork\n\n| category | name |\n|---|---|\n{names}",
            encoding="utf-8",
        )

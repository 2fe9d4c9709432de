"""Output trees of labeling jobs, as Ground Truth writes them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAMES = ("cup", "jug", "pot")
MOMENT = "2026-03-01T09:00:00.123456"


def box(
    class_id: int, left: float = 10, top: float = 20, width: float = 30, height: float = 40
) -> dict[str, Any]:
    """Return a box as manifests have it."""
    return {"class_id": class_id, "left": left, "top": top, "width": width, "height": height}


def boxes_line(
    name: str,
    boxes: Sequence[Mapping[str, Any]],
    *,
    by: str = "yes",
    attribute: str = "label",
    job: str = "labeling-job/kitchen",
    confidence: float = 0.9,
    size: tuple[int, int] = (640, 480),
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a line with a bounding-box label."""
    metadata = {
        "objects": [{"confidence": confidence} for _ in boxes],
        "class-map": {str(each["class_id"]): NAMES[int(each["class_id"])] for each in boxes},
        "type": "groundtruth/object-detection",
        "human-annotated": by,
        "creation-date": MOMENT,
        "job-name": job,
    }
    return {
        "source-ref": f"s3://bucket/photos/{name}",
        attribute: {
            "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
            "annotations": [dict(each) for each in boxes],
        },
        f"{attribute}-metadata": {**metadata, **(changes or {})},
    }


def class_line(
    name: str,
    index: Any,
    *,
    by: str = "yes",
    attribute: str = "label",
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a line with an image-classification label."""
    metadata = {
        "class-name": NAMES[int(index)],
        "confidence": 0.9,
        "type": "groundtruth/image-classification",
        "human-annotated": by,
        "creation-date": MOMENT,
        "job-name": "labeling-job/kinds",
    }
    return {
        "source-ref": f"s3://bucket/photos/{name}",
        attribute: index,
        f"{attribute}-metadata": {**metadata, **(changes or {})},
    }


def failed_line(name: str, attribute: str = "label") -> dict[str, Any]:
    """Return a line whose object could not be labeled."""
    return {
        "source-ref": f"s3://bucket/photos/{name}",
        f"{attribute}-metadata": {
            "failure-reason": "no worker answered",
            "type": "groundtruth/object-detection",
            "job-name": "labeling-job/kitchen",
            "creation-date": MOMENT,
        },
    }


def unlabeled_line(name: str) -> dict[str, Any]:
    """Return a line as it came in."""
    return {"source-ref": f"s3://bucket/photos/{name}"}


def manifest(lines: Sequence[Mapping[str, Any] | str]) -> bytes:
    """Return a manifest; text stands for a broken line."""
    return b"".join(
        (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n" for line in lines
    )


def write_file(folder: Path, path: str, data: bytes | str) -> Path:
    """Write a file below a folder."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.encode() if isinstance(data, str) else data)
    return target


def response(worker: str = "private.us-east-1.abc", **changes: Any) -> str:
    """Return a file of one worker's answer."""
    answer = {
        "answerContent": {"boundingBox": {"boundingBoxes": []}},
        "submissionTime": "2026-03-01T09:00:09Z",
        "acceptanceTime": "2026-03-01T09:00:00Z",
        "timeSpentInSeconds": 8.5,
        "workerId": worker,
        "workerMetadata": {
            "identityData": {"identityProviderType": "Cognito", "issuer": "pool", "sub": "ann"}
        },
    }
    return json.dumps({"answers": [answer | changes]})


def write_tree(folder: Path, lines: Sequence[Mapping[str, Any] | str]) -> Path:
    """Write a finished job's output: the manifest, and answers of two iterations."""
    write_file(folder, "manifests/output/output.manifest", manifest(lines))
    write_file(folder, "manifests/intermediate/1/output.manifest", manifest(lines[:1]))
    for object_id in range(len(lines)):
        iteration = 1 if object_id < 2 else 2
        # Real trees have colons in these names.
        name = f"annotations/worker-response/iteration-{iteration}/{object_id}"
        write_file(folder, f"{name}/2026-03-01_09:00:09.json", response())
    return folder

"""Memory of manifest handling: a million lines against a thousand."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from groundwork.manifest import examine, read_lines, rewrite, with_label

_FEW_LINES = 1_000
_MANY_LINES = 1_000_000
_LINES_PER_CHUNK = 500
_METADATA = {"human-annotated": "yes", "confidence": 0.0}


def run() -> dict[str, Any]:
    """Check and rewrite a manifest of either length, each in a process of its own."""
    few, many = _measured(_FEW_LINES), _measured(_MANY_LINES)
    return {
        "name": "manifest",
        "figure": many["peak_mib"],
        "unit": "MiB peak memory at 10^6 lines",
        "against": few["peak_mib"],
        "ratio": round(many["peak_mib"] / few["peak_mib"], 3),
        "details": {"lines": {str(_FEW_LINES): few, str(_MANY_LINES): many}},
    }


def _measured(lines: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.manifest", str(lines)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def _handle(lines: int) -> dict[str, float]:
    """Check every line, then label every tenth one, as a job does over its life."""
    start = time.perf_counter()
    summary = examine(_chunks(lines), label_attribute="label", needs_reference=True)
    assert summary.lines == lines
    assert not summary.broken
    examined = time.perf_counter()
    labeled = (
        (line.object_id, with_label(line.body, "label", 1, _METADATA))
        for line in read_lines(_chunks(lines))
        if line.object_id % 10 == 0
    )
    written = rewrite(read_lines(_chunks(lines)), labeled)
    total_bytes = sum(len(chunk) for chunk in written)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "peak_mib": round(peak_kib / 1024, 1),
        "examine_seconds": round(examined - start, 2),
        "rewrite_seconds": round(time.perf_counter() - examined, 2),
        "written_mib": round(total_bytes / 2**20, 1),
    }


def _chunks(lines: int) -> Iterator[bytes]:
    """Yield a manifest as S3 would, without ever having all of it."""
    for first in range(0, lines, _LINES_PER_CHUNK):
        numbers = range(first, min(first + _LINES_PER_CHUNK, lines))
        yield "".join(
            f'{{"source-ref": "s3://bucket/photos/{number:09d}.jpg", "taken": "2026-03-01"}}\n'
            for number in numbers
        ).encode()


if __name__ == "__main__":
    print(json.dumps(_handle(int(sys.argv[1]))))

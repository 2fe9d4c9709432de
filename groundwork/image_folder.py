"""A folder of images to label: what is in it, and what would keep it from being labeled."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
# The upload function's scratch space ends at 10 GiB and holds the archive and what is in it.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
MAXIMUM_TOTAL_BYTES = 4 * 1024**3
# Ground Truth's limits: https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html
MAXIMUM_IMAGE_BYTES = 40 * 1024**2
MAXIMUM_IMAGES = 100_000
# Of the 1,024 bytes that a key in S3 may have, some are the folder's that the images go to.
MAXIMUM_NAME_BYTES = 900


class ImageFolderError(ValueError):
    """A folder can't be labeled as it is; ``problems`` has one sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class ImageFolder:
    """The images below a folder, by their names relative to it with forward slashes, sorted."""

    path: Path
    names: tuple[str, ...]
    total_bytes: int

    @classmethod
    def scan(cls, path: Path) -> "ImageFolder":
        """Look through a folder and its subfolders; ImageFolderError with everything wrong."""
        if not path.is_dir():
            found = "a file" if path.exists() else "nothing"
            raise ImageFolderError([f"there is {found} at {path}, not a folder"])
        files = {
            file.relative_to(path).as_posix(): file
            for file in path.rglob("*")
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()
        }
        sizes = {name: files[name].stat().st_size for name in sorted(files)}
        problems = _problems(sizes)
        if problems:
            raise ImageFolderError(problems)
        return cls(path, tuple(sizes), sum(sizes.values()))


def _problems(sizes: dict[str, int]) -> list[str]:
    if not sizes:
        return [f"there is no image in it; images end in {', '.join(IMAGE_SUFFIXES)}"]
    problems = []
    same: dict[str, list[str]] = defaultdict(list)
    for name in sizes:
        same[name.lower()].append(name)
    if twice := [" and ".join(names) for names in same.values() if len(names) > 1]:
        problems.append(f"names that differ in case only: {_some(twice)}; rename one of each")
    if empty := [name for name, size in sizes.items() if size == 0]:
        problems.append(f"empty files: {_some(empty)}")
    if large := [name for name, size in sizes.items() if size > MAXIMUM_IMAGE_BYTES]:
        problems.append(f"images above 40 MB: {_some(large)}")
    if broken := [name for name in sizes if any(ord(letter) < 32 for letter in name)]:
        problems.append(f"control characters in names: {_some([ascii(name) for name in broken])}")
    if foreign := [name for name in sizes if not _is_unicode(name)]:
        shown = _some([ascii(name) for name in foreign])
        problems.append(f"names that are not in UTF-8: {shown}; rename them")
    elif long := [name for name in sizes if len(name.encode()) > MAXIMUM_NAME_BYTES]:
        problems.append(
            f"paths of more than {MAXIMUM_NAME_BYTES} bytes: {_some([name[:60] for name in long])}"
        )
    if len(sizes) > MAXIMUM_IMAGES:
        problems.append(f"{len(sizes):,} images; a labeling job takes at most {MAXIMUM_IMAGES:,}")
    if (total := sum(sizes.values())) > MAXIMUM_TOTAL_BYTES:
        problems.append(
            f"{total / 1024**3:.1f} GiB in all; a deployment uploads at most "
            f"{MAXIMUM_TOTAL_BYTES // 1024**3} GiB: upload them yourself and set manifest"
        )
    return problems


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"

"""Sample photos to label, made once and kept below `build/`."""

from stacks.image_folder import ImageFolder
from stacks.paths import BUILD

SEED = 1


def sample_images(count: int) -> ImageFolder:
    """Return a folder with the first photos of the sample set."""
    # Imported here as it loads NumPy and Pillow.
    from groundwork.samples import generate  # noqa: PLC0415

    folder = BUILD / "samples" / str(count)
    generate(folder, count, SEED)
    return ImageFolder.scan(folder)

"""What is known of a shard's images, and how they are opened again."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from groundwork.autolabel.pictures import Picture, PictureError, open_picture
from groundwork.images import ImageError, ImageFacts

_THREADS = 8
_FETCHED_AHEAD = 16
# Image files that are kept for another look. A function's memory holds decoded pictures, features
# and the network beside them.
_KEPT_BYTES = 256 * 1024 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardPictures:
    """A shard's images: ``inference/features/<shard>.json``.

    Parameters
    ----------
    images
        Format and size of those that have features, by object.
    missing
        Why others have none.
    """

    images: Mapping[int, ImageFacts]
    missing: Mapping[int, str]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "images": {str(key): asdict(facts) for key, facts in self.images.items()},
            "missing": {str(key): reason for key, reason in self.missing.items()},
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ShardPictures":
        """Read the document."""
        return cls(
            {int(key): ImageFacts(**facts) for key, facts in document["images"].items()},
            {int(key): reason for key, reason in document["missing"].items()},
            document["seconds"],
        )


class PictureSource:
    """Opens pictures that are looked at in order, and mostly several times.

    The next ones are fetched ahead, and files stay while there is room. A picture that is gone or
    broken since its features were computed is shown as plain grey: the label that comes of it is
    judged like any other, and the people who get it will see it fail.

    Parameters
    ----------
    fetch
        Gives an object's image file, or raises ImageError.
    objects
        In the order in which they are looked at.
    facts_of
        Gives a picture's size as it was.
    """

    def __init__(
        self,
        fetch: Callable[[int], bytes],
        objects: Sequence[int],
        facts_of: Callable[[int], ImageFacts],
    ) -> None:
        self._fetch = fetch
        self._objects = objects
        self._place = {object_id: place for place, object_id in enumerate(objects)}
        self._facts_of = facts_of
        self._pool = ThreadPoolExecutor(_THREADS)
        self._files: dict[int, Future[bytes]] = {}
        # Of the files that are there; whoever was looked at longest ago comes first.
        self._sizes: OrderedDict[int, int] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "PictureSource":
        """Return itself, to be closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Fetch nothing more."""
        self._pool.shutdown(cancel_futures=True)

    def open(self, object_id: int) -> Picture:
        """Return an object's picture."""
        with self._lock:
            place = self._place[object_id]
            wanted = self._wanted(object_id)
            for following in self._objects[place + 1 : place + 1 + _FETCHED_AHEAD]:
                self._wanted(following)
        try:
            return open_picture(wanted.result())
        except (ImageError, PictureError) as error:
            _log.warning("picture gone", extra={"object_id": object_id, "reason": str(error)})
            facts = self._facts_of(object_id)
            return Picture(Image.new("RGB", (1, 1), (127, 127, 127)), facts.width, facts.height)

    def _wanted(self, object_id: int) -> Future[bytes]:
        if object_id not in self._files:
            self._files[object_id] = self._pool.submit(self._fetch_and_keep, object_id)
        elif object_id in self._sizes:
            self._sizes.move_to_end(object_id)
        return self._files[object_id]

    def _fetch_and_keep(self, object_id: int) -> bytes:
        """Return a file, and let go of those that nobody has looked at for longest."""
        data = self._fetch(object_id)
        with self._lock:
            self._sizes[object_id] = len(data)
            self._kept_bytes += len(data)
            while self._kept_bytes > _KEPT_BYTES:
                longest_ago, size = self._sizes.popitem(last=False)
                del self._files[longest_ago]
                self._kept_bytes -= size
        return data

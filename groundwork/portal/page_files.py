"""The portal's built pages and scripts, as files beside the function."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path, PurePath

from groundwork.portal.errors import NotSetUpError, PortalError
from groundwork.portal.http import Request, Response

ASSETS_PATH = "/assets/"
ELEMENTS_SCRIPT = "crowd-html-elements.js"
_INDEX = "index.html"
_CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_CHECKED_EACH_TIME = "public, no-cache"


@dataclass(frozen=True)
class _File:
    content: bytes
    content_type: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:16]

    @cached_property
    def compressed(self) -> bytes:
        # API Gateway's HTTP APIs do not compress. Without a time, so that it is always the same.
        return gzip.compress(self.content, mtime=0)


def read_pages(folder: Path) -> dict[str, bytes]:
    """Read what ``npm run build`` made: ``index.html`` and the files in ``assets``, by name."""
    try:
        return {
            path.name: path.read_bytes() for path in (folder / _INDEX, *folder.glob("assets/*"))
        }
    except FileNotFoundError:
        raise NotSetUpError(f"the portal's pages are not at {folder}") from None


class PageFiles:
    """Serves the portal's own files from memory, so that no request names a path on the disk.

    Parameters
    ----------
    read
        Gives the files by name; asked when the first is wanted.
    """

    def __init__(self, read: Callable[[], Mapping[str, bytes]]) -> None:
        self._read = read

    @cached_property
    def _files(self) -> Mapping[str, _File]:
        return {
            name: _File(content, content_type)
            for name, content in self._read().items()
            if (content_type := _CONTENT_TYPES.get(PurePath(name).suffix))
        }

    def index(self, request: Request) -> Response:
        """Return the page that all of the portal's addresses share."""
        return _served(self._files[_INDEX], request, {})

    def asset(self, name: str, request: Request) -> Response:
        """Return a script, a style or a picture; its name or its query tells the content's hash."""
        file = self._files.get(name)
        if file is None or name == _INDEX:
            raise PortalError(
                HTTPStatus.NOT_FOUND, "NotFound", f"there is no asset {name[:200]}", "see /"
            )
        # All but the elements' script have Vite's hash of their content in their names.
        unchanging = name != ELEMENTS_SCRIPT or request.parameter("v") == file.digest
        return _served(
            file,
            request,
            {
                "cache-control": _IMMUTABLE if unchanging else _CHECKED_EACH_TIME,
                # Tasks' frames have an opaque origin, to which everything of ours is foreign.
                "cross-origin-resource-policy": "cross-origin",
            },
        )

    def elements_address(self) -> str:
        """Return the path of the elements' script, with the hash of its content."""
        file = self._files.get(ELEMENTS_SCRIPT)
        if file is None:
            raise NotSetUpError(f"{ELEMENTS_SCRIPT} is not among the portal's files")
        return f"{ASSETS_PATH}{ELEMENTS_SCRIPT}?v={file.digest}"


def _served(file: _File, request: Request, headers: Mapping[str, str]) -> Response:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{file.digest}{"-gzip" if zipped else ""}"'
    headers = {**headers, "etag": tag, "vary": "accept-encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["content-type"] = file.content_type
    if not zipped:
        return Response(HTTPStatus.OK, file.content, headers)
    return Response(HTTPStatus.OK, file.compressed, {**headers, "content-encoding": "gzip"})

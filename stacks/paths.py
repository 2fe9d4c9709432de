"""Where the project's parts lie on the disk that synthesizes."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LAMBDAS = PROJECT / "lambdas"
BUILD = PROJECT / "build"
PORTAL_PAGES = PROJECT / "portal" / "dist"

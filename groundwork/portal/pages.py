"""The pages for people who are not signed in, or who came to an address that is none."""

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from groundwork.portal.http import Request, Response, content_policy

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans KR", sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f4f6f8, #12161b); color: light-dark(#1b242d, #e6ebf0) }
main { box-sizing: border-box; width: min(30rem, 100% - 2rem); padding: 2rem;
  border: 1px solid light-dark(#d5dce3, #2f3a45); border-radius: 12px;
  background: light-dark(#fff, #1a2027) }
h1 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3 }
p { margin: 0 0 1.25rem; overflow-wrap: anywhere }
a { display: inline-block; padding: .5rem 1.25rem; border-radius: 8px; text-decoration: none;
  font-weight: 600; background: light-dark(#0b5cad, #7db8f7); color: light-dark(#fff, #0d1b2a) }
a:focus-visible { outline: 3px solid light-dark(#0b5cad, #7db8f7); outline-offset: 3px }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = content_policy(f"style-src 'sha256-{_STYLE_HASH}'")

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Groundwork</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{message}</p>
<a href="/">{way_on}</a>
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Words:
    """A page's title, its text if it is always the same, and what its link says."""

    title: str
    way_on: str
    message: str = ""


SIGNED_OUT: Mapping[str, Words] = {
    "en": Words("You are signed out", "Sign in", "Your drafts stay in this browser."),
    "ko": Words("로그아웃했습니다", "로그인", "작성하던 내용은 이 브라우저에 남아 있습니다."),
}
SIGN_IN_FAILED: Mapping[str, Words] = {
    "en": Words("Sign-in did not work", "Start again"),
    "ko": Words("로그인하지 못했습니다", "다시 시작"),
}
NOT_READY: Mapping[str, Words] = {
    "en": Words("The portal is not ready", "Try again"),
    "ko": Words("포털이 아직 준비되지 않았습니다", "다시 시도"),
}
NOT_FOUND: Mapping[str, Words] = {
    "en": Words("There is no such page", "Go to your jobs", "The address may be mistyped."),
    "ko": Words("페이지가 없습니다", "작업 목록으로", "주소를 다시 확인하세요."),
}
FAILED: Mapping[str, Words] = {
    "en": Words("Something went wrong", "Try again", "Nothing that you drew is lost."),
    "ko": Words("문제가 발생했습니다", "다시 시도", "그린 내용은 사라지지 않습니다."),
}


def page(
    words: Mapping[str, Words], request: Request, status: HTTPStatus, message: str = ""
) -> Response:
    """Tell a person something, in the browser's language, with a way on.

    Parameters
    ----------
    words
        The page's words in each language.
    message
        What words cannot know beforehand.
    """
    language = language_of(request)
    spoken = words[language]
    text = _PAGE.format(
        language=language,
        title=html.escape(spoken.title),
        style=_STYLE,
        message=html.escape(message or spoken.message),
        way_on=html.escape(spoken.way_on),
    )
    headers = {"content-type": "text/html; charset=utf-8", **_POLICY}
    return Response(status, text.encode(), headers)


def language_of(request: Request) -> str:
    """Return the first of a browser's languages that the portal speaks, or English."""
    wanted = request.headers.get("accept-language", "").lower()
    codes = [part.partition(";")[0].strip().partition("-")[0] for part in wanted.split(",")]
    return next((code for code in codes if code in SIGNED_OUT), "en")

"""The few pages of the portal while the labeling pages are not part of it."""

import html
from http import HTTPStatus

from groundwork.portal.http import Response

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Groundwork</title>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def signed_in_page(*, email: str, team_names: list[str]) -> Response:
    """Say who is signed in, and what this version of the portal has."""
    if team_names:
        teams = f"<p>Work teams: {html.escape(', '.join(team_names))}.</p>"
    else:
        teams = "<p>You are in no work team yet. Ask your host to add you to one.</p>"
    body = f"""<p>Signed in as <strong>{html.escape(email)}</strong>.</p>
{teams}
<p>The labeling pages are not part of this version. Programs can label through the worker API:
begin at <a href="/api/me"><code>/api/me</code></a> and <a
href="/api/jobs"><code>/api/jobs</code></a>.</p>
<form method="post" action="/logout"><button>Sign out</button></form>"""
    return _page("You are signed in", body, HTTPStatus.OK)


def signed_out_page() -> Response:
    """Say that the session has ended."""
    return _page("You are signed out", '<p><a href="/">Sign in</a></p>', HTTPStatus.OK)


def problem_page(title: str, message: str, status: HTTPStatus) -> Response:
    """Tell a person what went wrong, with a way on."""
    body = f'<p>{html.escape(message)}</p>\n<p><a href="/">Start again</a></p>'
    return _page(title, body, status)


def _page(title: str, body: str, status: HTTPStatus) -> Response:
    text = _PAGE.format(title=html.escape(title), body=body)
    return Response(status, text.encode(), {"content-type": "text/html; charset=utf-8"})

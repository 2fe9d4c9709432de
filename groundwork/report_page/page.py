"""The page as a file: a template, the figures, and the pictures one after another."""

import base64
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from pathlib import Path

from groundwork.report_page import sections
from groundwork.report_page.content import ReportContent
from groundwork.report_page.gallery import PER_BLOCK, gallery_data
from groundwork.report_page.markup import said
from groundwork.results.doubts import DOUBT
from groundwork.texts import Text

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"@([a-z]+)@")
_SECTIONS = {
    "overview": Text("Overview", "개요"),
    "progress": Text("Progress", "진행"),
    "quality": Text("Quality", "품질"),
    "automation": Text("Automated labeling", "자동 라벨링"),
    "data": Text("What was labeled", "라벨 분포"),
    "workers": Text("Workers", "작업자"),
    "cost": Text("Cost", "비용"),
    "problems": Text("Problems", "문제"),
    # At the end, since it grows as one scrolls.
    "gallery": Text("Labels", "라벨"),
}


def write_page(
    path: Path, content: ReportContent, pictures: Iterable[bytes | str], moment: datetime
) -> list[str]:
    """Write the page, all of it or nothing, and return why pictures are not in it.

    Parameters
    ----------
    pictures
        A WebP file for each shown object, or why there is none.
    moment
        When the report was made.
    """
    gone: list[str] = []
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            before, after = _frame(content, moment)
            file.write(before)
            file.writelines(_blocks(pictures, gone))
            file.write(after)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return gone


def _frame(content: ReportContent, moment: datetime) -> tuple[str, str]:
    """Return what is before the pictures and what is after them."""
    report = content.report
    bodies = {
        "overview": sections.overview(content),
        "progress": sections.progress(content),
        "quality": sections.quality(content),
        "automation": sections.automation(content),
        "data": sections.data(content),
        "workers": sections.workers(content),
        "cost": sections.cost(content),
        "problems": sections.problems(content),
        "gallery": _fill(_asset("gallery.html"), {"note": _gallery_note(content)}),
    }
    jobs = ", ".join(sorted(job for job in report.summary.tally.jobs if job))
    navigation = "".join(
        f'<li><a href="#{name}">{said(title)}</a></li>'
        for name, title in _SECTIONS.items()
        if bodies[name]
    )
    values = {
        "title": escape(f"{jobs or 'Labeling job'} - Groundwork"),
        "heading": escape(jobs) or said(Text("Labeling job", "라벨링 작업")),
        "subtitle": escape(report.output.address),
        "style": _asset("page.css"),
        "script": _asset("page.js"),
        "navigation": navigation,
        "sections": "".join(
            sections.section(name, title, bodies[name])
            for name, title in _SECTIONS.items()
            if name != "gallery"
        ),
        "gallery": bodies["gallery"],
        "footer": said(
            Text(
                f"Made by groundwork report, {moment:%Y-%m-%d %H:%M %Z}. Label attribute: "
                f"{report.label_attribute or 'none yet'}.",
                f"groundwork report로 {moment:%Y-%m-%d %H:%M %Z}에 작성. 라벨 속성: "
                f"{report.label_attribute or '아직 없음'}.",
            )
        ),
        "data": gallery_data(content),
    }
    before, _, rest = _asset("page.html").partition("@thumbnails@")
    return _fill(before, values), _fill(rest, values)


def _gallery_note(content: ReportContent) -> str:
    shown = len(content.shown)
    told = sections.definition(DOUBT)
    if shown == content.labeled:
        return told
    note = Text(
        f"{shown:,} of {content.labeled:,} labeled objects are shown: the most doubted half, and a "
        "random sample of the others. The figures above count all.",
        f"라벨 객체 {content.labeled:,}개 중 {shown:,}개를 보여 줍니다. 가장 의심스러운 절반과 "
        "나머지의 무작위 표본입니다. 위의 수치는 모두를 셉니다.",
    )
    return f"<p>{said(note)}</p>{told}"


def _blocks(pictures: Iterable[bytes | str], gone: list[str]) -> Iterator[str]:
    """Yield the pictures as lines of base64 in script elements that nothing runs.

    A line that begins with ``!`` says why there is no picture.
    """
    is_open = False
    for number, picture in enumerate(pictures):
        if number % PER_BLOCK == 0:
            yield "</script>\n" if is_open else ""
            yield f'<script type="text/plain" id="pictures-{number // PER_BLOCK}">\n'
            is_open = True
        if isinstance(picture, str):
            gone.append(picture)
            yield f"!{base64.b64encode(picture.encode()).decode()}\n"
        else:
            yield f"{base64.b64encode(picture).decode()}\n"
    if is_open:
        yield "</script>\n"


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _fill(template: str, values: dict[str, str]) -> str:
    """Put values in the place of ``@names@``, once: names inside values stay as they are."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)

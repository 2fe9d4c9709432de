"""The sections of the page, from top to bottom, as HTML."""

from collections.abc import Sequence

from groundwork.costs.prices import AS_OF, GROUND_TRUTH_OBJECT
from groundwork.manifest import LabelState
from groundwork.report_page import charts
from groundwork.report_page.content import SIZE_BINS, ReportContent
from groundwork.report_page.markup import (
    Cell,
    Figure,
    figure,
    hidden_table,
    legend,
    number,
    said,
    table,
    tile,
)
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import LineProblems
from groundwork.results.quality import (
    AGREEMENT,
    LABEL_BOUND,
    MEAN_INTERVAL,
    SCORE_BINS,
    Definition,
    Interval,
    measure_of,
)
from groundwork.results.rounds import RegionTest, Round
from groundwork.texts import Text

PEOPLE = Text("by people", "사람")
MACHINE = Text("by machine", "기계")
FAILED = Text("failed", "실패")
# How the job's own intervals are found: see LABEL_BOUND.
_BETTING = Text("by betting", "베팅 구간")
_EXACT = Text("exact, hypergeometric", "초기하분포의 정확한 구간")
_CLASSES_SHOWN = 30
_ROUNDS_SHOWN = 24
_ITERATIONS_SHOWN = 60
_SOURCES = [("human", PEOPLE), ("machine", MACHINE)]
_STATES = [*_SOURCES, ("failed", FAILED)]
_OBJECTS = Text("objects", "객체")
_ITERATION = Text("iteration", "반복")


def section(name: str, title: Text, *bodies: str) -> str:
    """Return a section with its heading, or nothing if it has no body."""
    body = "".join(bodies)
    if not body:
        return ""
    return f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">' + (
        f"{said(title)}</h2>{body}</section>"
    )


def definition(*definitions: Definition) -> str:
    """Return what measures mean, beside where they are used."""
    return "".join(
        f'<details class="definition"><summary>{said(each.term)}</summary>'
        f"<p>{said(each.text)}</p></details>"
        for each in definitions
    )


def overview(content: ReportContent) -> str:
    """Return the big figures, and what a reader has to know about them."""
    report = content.report
    states, objects = report.summary.states, report.summary.objects
    names = {
        LabelState.HUMAN: Text("labeled by people", "사람이 라벨링"),
        LabelState.MACHINE: Text("labeled by machine", "기계가 라벨링"),
        LabelState.FAILED: Text("failed", "실패"),
        LabelState.UNLABELED: Text("unlabeled", "라벨 없음"),
    }
    tiles = [tile(Text("objects", "객체"), f"{objects:,}")]
    for state, name in names.items():
        share = f"{states[state] / objects:.1%}" if objects else ""
        if states[state] or state in (LabelState.HUMAN, LabelState.MACHINE):
            tiles.append(tile(name, f"{states[state]:,}", share, state.value))
    measure = measure_of(report.kind)
    for state, whose in ((LabelState.HUMAN, PEOPLE), (LabelState.MACHINE, MACHINE)):
        scores = content.scores[state]
        if measure is not None and scores.mean.value is not None:
            title = Text(f"{measure.term.en}, {whose.en}", f"{measure.term.ko}, {whose.ko}")
            tiles.append(
                tile(
                    title,
                    number(scores.mean.value),
                    _interval(scores.interval()),
                    state.value,
                )
            )
    if report.stated_bound is not None:
        bound = report.stated_bound
        note = said(
            Text(
                f"stated by the job, with {bound.confidence:.0%} confidence",
                f"작업이 {bound.confidence:.0%} 신뢰도로 보증",
            )
        )
        tiles.append(
            tile(
                Text("machine's labels, at least", "자동 라벨 품질 하한"),
                f"≥ {bound.quality:.3f}",
                note,
                "machine",
            )
        )
    measured = None if report.automation is None else report.automation.measured_quality
    if report.automation is not None and measured is not None:
        confidence = report.automation.confidence
        sure = "" if confidence is None else f"{confidence:.0%} "
        method = _EXACT if report.kind is LabelKind.CLASS else _BETTING
        tiles.append(
            tile(
                Text("machine's labels, sampled", "자동 라벨, 표본 측정"),
                number(measured.mean),
                said(
                    Text(
                        f"against people: {sure}[{measured.low:.3f}, {measured.high:.3f}], "
                        f"{method.en}",
                        f"사람 대비 {sure}[{measured.low:.3f}, {measured.high:.3f}], {method.ko}",
                    )
                ),
                "machine",
            )
        )
    notes = [*report.notes]
    if report.automation is not None and report.automation.outcome:
        notes.append(report.automation.outcome)
    told = "".join(f"<li>{said(note)}</li>" for note in notes)
    return f'<dl class="tiles">{"".join(tiles)}</dl>' + (
        f'<ul class="notes">{told}</ul>' if told else ""
    )


def progress(content: ReportContent) -> str:
    """Return how many objects each iteration brought."""
    found = content.report.iteration_rows()
    if not found:
        return ""
    shown = found[-_ITERATIONS_SHOWN:]
    series = [
        (name, [row[place] for row in shown])
        for place, (name, _) in enumerate(_STATES, 1)
        if any(row[place] for row in shown)
    ]
    keys = [entry for entry in _STATES if entry[0] in {name for name, _ in series}]
    return figure(
        Text("Objects per iteration", "반복별 객체 수"),
        charts.columns(
            series,
            [str(row[0]) for row in shown],
            stacked=True,
            is_wide=True,
            title="Objects per iteration",
        ),
        legend=legend(keys),
        table=hidden_table([_ITERATION, PEOPLE, MACHINE, FAILED], found),
    )


def quality(content: ReportContent) -> str:
    """Return how people's and the machine's labels compare with the truth, where it is known."""
    known = [
        (name, text, content.scores[state])
        for (name, text), state in zip(
            _SOURCES, (LabelState.HUMAN, LabelState.MACHINE), strict=True
        )
        if content.scores[state].mean.count
    ]
    measure = measure_of(content.report.kind)
    if not known or measure is None:
        return ""
    # Shares, so that few and many objects can be compared.
    series = [
        (name, [100 * count / scores.mean.count for count in scores.bins])
        for name, _, scores in known
    ]
    ends = [f"{place / SCORE_BINS:.2f}" for place in range(SCORE_BINS)]
    marks = [(name, scores.mean.value or 0.0) for name, _, scores in known]
    rows: list[list[Cell]] = []
    for _, text, scores in known:
        interval = scores.interval()
        ends_told = f"[{interval.low:.3f}, {interval.high:.3f}]" if interval else "-"
        rows.append([text, scores.mean.count, scores.mean.value, ends_told])
    header = [Text("labels", "라벨"), _OBJECTS, measure.term, MEAN_INTERVAL.term]
    bins: list[list[Cell]] = [
        [ends[place], *(scores.bins[place] for _, _, scores in known)]
        for place in range(SCORE_BINS)
    ]
    return figure(
        Text("Human against machine: quality per image", "사람과 기계: 이미지별 품질"),
        charts.columns(
            series, ends, stacked=False, marks=marks, is_wide=True, title=measure.term.en
        ),
        legend=legend([(name, text) for name, text, _ in known]),
        caption=Text(
            f"Across: {measure.term.en} against the truth. Up: percent of the images. "
            "Dashed lines are the means.",
            f"가로: 정답 대비 {measure.term.ko}, 세로: 이미지의 퍼센트. 점선은 평균입니다.",
        ),
        table=table(header, rows)
        + hidden_table([measure.term, *(text for _, text, _ in known)], bins)
        + definition(measure, MEAN_INTERVAL),
    )


def automation(content: ReportContent) -> str:
    """Return each iteration's threshold and risk curve, and what was accepted."""
    rounds = content.rounds
    if not rounds:
        return ""
    # A record without any object left has no curve to draw.
    with_curve = [each for each in rounds if any(region.objects > 0 for region in each.risk_curve)][
        -_ROUNDS_SHOWN:
    ]
    verdicts = {each.verdict.proposal_of: each for each in rounds if each.verdict is not None}
    panels = "".join(_curve(each, verdicts.get(each.iteration)) for each in with_curve)
    keys = legend(
        [
            (
                "expected",
                Text("expected mean quality of the best so many", "상위 라벨의 기대 평균 품질"),
            ),
            (
                "threshold",
                Text("threshold: the lowest forecast among them", "임계값: 그 가운데 최저 예측"),
            ),
            ("target", Text("target", "목표")),
            ("proposed", Text("proposed", "제안")),
            (
                "achieved",
                Text(
                    "accepted: sample mean, bar down to the bound",
                    "승인: 표본 평균, 막대는 하한까지",
                ),
            ),
            ("rejected", Text("refused", "기각")),
        ]
    )
    header = [
        _ITERATION,
        Text("labels by people", "사람 라벨"),
        Text("decision", "결정"),
        Text("proposed", "제안"),
        Text("threshold", "임계값"),
        Text("accepted", "승인"),
        Text("expected", "기대"),
        Text("achieved", "실측"),
        Text("bound of all accepted", "승인 전체의 하한"),
        Text("why", "이유"),
    ]
    rows = [_round_row(each) for each in rounds]
    quality_name = rounds[-1].quality
    intro = said(
        Text(
            f"Quality is {quality_name} against the consolidated labels of people. Across: the "
            "share of what was left to label, best forecast first.",
            f"품질은 사람들의 통합 라벨 대비 {quality_name}입니다. 가로는 남은 객체 중 예측이 좋은 "
            "순서의 비율입니다.",
        )
    )
    return (
        f"<p>{intro}</p>{keys}<div class='grid-2'>{panels}</div>{table(header, rows)}"
        + definition(LABEL_BOUND)
    )


def _curve(each: Round, judged: Round | None) -> str:
    most = max(region.objects for region in each.risk_curve)
    expected = [(region.objects / most, region.mean_forecast) for region in each.risk_curve]
    threshold = [(region.objects / most, region.threshold) for region in each.risk_curve]
    points: list[tuple[str, float, float, float | None]] = []
    told = said(Text(f"{most:,} objects were left. ", f"남은 객체 {most:,}개. "))
    if each.proposal is not None:
        share = each.proposal.objects / most
        points.append(("proposed", share, each.proposal.mean_forecast, None))
        told += said(
            Text(
                f"Proposed {each.proposal.objects:,} with forecasts from "
                f"{each.proposal.threshold:.3f} on, {each.proposal.sampled:,} of them sampled. ",
                f"예측 {each.proposal.threshold:.3f} 이상 {each.proposal.objects:,}개를 제안, "
                f"표본 {each.proposal.sampled:,}개. ",
            )
        )
    verdict = None if judged is None else judged.verdict
    if verdict is not None and verdict.achieved is not None and verdict.tests:
        test = _deciding(verdict.tests)
        kind = "achieved" if verdict.accepted else "rejected"
        points.append((kind, test.size / most, verdict.achieved, test.bound))
        told += said(
            Text(
                f"Accepted {verdict.accepted:,}: sample mean {verdict.achieved:.3f}, bound "
                f"{test.bound:.3f}, needed {test.needed:.3f}.",
                f"{verdict.accepted:,}개 승인: 표본 평균 {verdict.achieved:.3f}, 하한 "
                f"{test.bound:.3f}, 필요 {test.needed:.3f}.",
            )
        )
    chart = charts.curves(
        [("expected", expected), ("threshold", threshold)],
        level=each.target,
        points=points,
        title=f"Threshold and risk curve after iteration {each.iteration}",
    )
    title = said(Text(f"After iteration {each.iteration}", f"{each.iteration}번째 반복 후"))
    rows = [[r.objects, r.mean_forecast, r.threshold] for r in each.risk_curve]
    figures = hidden_table(
        [_OBJECTS, Text("expected mean", "기대 평균"), Text("threshold", "임계값")], rows
    )
    return (
        f'<figure class="panel"><h3>{title}</h3>{chart}<figcaption>{told}</figcaption>{figures}'
        "</figure>"
    )


def _deciding(tests: Sequence[RegionTest]) -> RegionTest:
    """Return the test that decided: the one that passed, or else the last."""
    return next((test for test in tests if test.passed), tests[-1])


def _round_row(each: Round) -> list[Cell]:
    verdict, proposal = each.verdict, each.proposal
    return [
        each.iteration,
        each.labels_by_people,
        each.decision or "-",
        proposal.objects if proposal else None,
        proposal.threshold if proposal else None,
        verdict.accepted if verdict else None,
        verdict.expected if verdict else None,
        verdict.achieved if verdict else None,
        each.bound,
        (verdict.withdrawn if verdict else None) or each.reason or "",
    ]


def data(content: ReportContent) -> str:
    """Return what the labels are of: classes, sizes, places, confidences."""
    report = content.report
    panels = []
    classes = report.class_rows()
    if classes:
        shown = classes[:_CLASSES_SHOWN]
        series = [("human", [row[1] for row in shown]), ("machine", [row[2] for row in shown])]
        more = len(classes) - len(shown)
        panels.append(
            figure(
                Text("Class balance", "클래스 균형"),
                charts.rows(series, [row[0] for row in shown], title="Labels per class"),
                legend=legend(_SOURCES),
                caption=Text(
                    "Labels (a box, or a class of an object) per class."
                    + (f" {more:,} rarer classes are not drawn." if more else ""),
                    "클래스별 라벨 수(상자 또는 객체의 클래스)."
                    + (f" 드문 클래스 {more:,}개는 생략했습니다." if more else ""),
                ),
                table=hidden_table([Text("class", "클래스"), PEOPLE, MACHINE], classes),
            )
        )
    if report.summary.tally.confidence.count:
        bins = report.confidence_rows()
        panels.append(
            figure(
                Text("Confidence of the machine's labels", "자동 라벨의 신뢰도"),
                charts.columns(
                    [("machine", [row[2] for row in bins])],
                    [f"{row[0]:.2f}" for row in bins],
                    stacked=True,
                    title="Confidence of the machine's labels",
                ),
                table=hidden_table(
                    [Text("from", "부터"), Text("to", "까지"), Text("labels", "라벨")], bins
                ),
            )
        )
    if content.shapes.count:
        panels += _shape_panels(content)
    return f'<div class="grid-2">{"".join(panels)}</div>' if panels else ""


def _shape_panels(content: ReportContent) -> list[str]:
    shapes = content.shapes
    ends = [f"{100 * place // SIZE_BINS} %" for place in range(SIZE_BINS)]
    return [
        figure(
            Text("Box size", "상자 크기"),
            charts.columns(
                [("neutral", shapes.sizes)], ends, stacked=True, title="Boxes by their size"
            ),
            caption=Text(
                "Root of the share of the image's area: 10 % is a box of a tenth of each side.",
                "이미지 넓이에서 차지하는 비율의 제곱근입니다. 10 %는 변이 10분의 1인 상자입니다.",
            ),
            table=hidden_table(
                [Text("from", "부터"), Text("boxes", "상자")],
                list(zip(ends, shapes.sizes, strict=True)),
            ),
        ),
        figure(
            Text("Where boxes are, and their shape", "상자의 위치와 모양"),
            '<div class="pair"><div>'
            + charts.heat_map(shapes.centres, title="Centres of boxes in the image")
            + f"<p>{said(Text('centres in the image', '이미지 안의 중심'))}</p></div><div>"
            + charts.heat_map(
                shapes.shapes, title="Width and height of boxes", origin_at_bottom=True
            )
            + f"<p>{said(Text('width across, height up', '가로: 너비, 세로: 높이'))}</p>"
            + "</div></div>",
            caption=Text(
                f"{shapes.count:,} boxes, in shares of their images; darker is more.",
                f"상자 {shapes.count:,}개, 이미지에 대한 비율. 진할수록 많습니다.",
            ),
        ),
    ]


def workers(content: ReportContent) -> str:
    """Return what each worker did."""
    if not content.workers:
        return ""
    found = sorted(content.workers.values(), key=lambda worker: -worker.tasks)
    header: list[Text | str] = [
        Text("worker", "작업자"),
        Text("tasks", "작업"),
        Text("median seconds", "중앙값 초"),
        Text("minutes in all", "합계 분"),
        AGREEMENT.term,
        Text("objects with others", "공동 객체"),
    ]
    rows: list[list[Cell]] = [
        [
            worker.worker_id,
            worker.tasks,
            Figure(number(worker.median_seconds, 1)),
            Figure(number(worker.minutes, 1)),
            worker.agreement.value,
            worker.agreement.count,
        ]
        for worker in found
    ]
    return f'<div class="panel">{table(header, rows)}{definition(AGREEMENT)}</div>'


def cost(content: ReportContent) -> str:
    """Return what the job cost, beside Ground Truth's price for the same labels."""
    bill = content.bill
    usage = bill.usage
    if not usage.labeled:
        return ""
    rows: list[list[Cell]] = [
        [item.name, Figure(item.amount_text), Figure(f"{item.usd:,.4f}")]
        for item in usage.engine_items()
    ]
    rows += [
        [
            Text("Open engine, in all", "오픈 엔진 합계"),
            Figure(""),
            Figure(f"{bill.engine_usd:,.4f}"),
        ],
        [
            Text("Ground Truth, the same labels", "Ground Truth, 같은 라벨"),
            Figure(f"{usage.labeled:,} x {GROUND_TRUTH_OBJECT.usd}"),
            Figure(f"{bill.ground_truth_usd:,.4f}"),
        ],
    ]
    header: list[Text | str] = [Text("what", "항목"), Text("how much", "수량"), "USD"]
    minutes = usage.answer_seconds / 60
    intro = Text(
        f"{usage.answers:,} answers took people {minutes:,.0f} minutes. Labels, answers, time and "
        "the output's storage (for a month, without the images') are counted, the other amounts "
        "reckoned from them. Prices of "
        f"{AS_OF:%Y-%m-%d} for us-east-1, without free tiers, discounts and taxes; Ground "
        "Truth's training and inference would come on top.",
        f"답 {usage.answers:,}개에 사람이 {minutes:,.0f}분을 썼습니다. 라벨, 답, 시간, 저장 "
        "용량(출력만, 한 달)은 센 값이고 나머지는 그것으로 어림한 값입니다. "
        f"{AS_OF:%Y-%m-%d} us-east-1 가격이며 프리 티어, 할인, 세금은 뺐습니다. Ground Truth의 "
        "학습과 추론 비용은 별도입니다.",
    )
    return f'<div class="panel"><p>{said(intro)}</p>{table(header, rows)}</div>'


def problems(content: ReportContent) -> str:
    """Return what could not be understood, so that nobody takes the figures for complete."""
    report = content.report
    parts = [
        _problem_list(Text("Lines that are no objects", "객체가 아닌 줄"), report.broken),
        _problem_list(
            Text("Labels that lack something", "불완전한 라벨"), report.summary.tally.problems
        ),
    ]
    reasons = report.summary.tally.reasons.most_common(_CLASSES_SHOWN)
    if reasons:
        rows = [(count, reason or "-") for reason, count in reasons]
        parts.append(
            f"<h3>{said(Text('Why objects failed', '실패한 이유'))}</h3>"
            + table([_OBJECTS, Text("because", "이유")], rows)
        )
    if content.problems:
        parts.append(_list(Text("Files", "파일"), len(content.problems), content.problems))
    body = "".join(parts)
    return f'<div class="panel">{body}</div>' if body else ""


def _problem_list(title: Text, found: LineProblems) -> str:
    return _list(title, found.count, [str(each) for each in found.first]) if found.count else ""


def _list(title: Text, count: int, items: Sequence[str]) -> str:
    shown = "".join(f"<li>{said(item)}</li>" for item in items[:20])
    more = f"<li>… {count - 20:,}</li>" if count > 20 else ""
    return f"<h3>{said(title)}: {count:,}</h3><ul>{shown}{more}</ul>"


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return ""
    ends = f"[{interval.low:.3f}, {interval.high:.3f}], n = {interval.count:,}"
    method, sure = interval.method, f"{interval.confidence:.0%}"
    return said(Text(f"{sure} {ends}, {method.en}", f"{sure} {ends}, {method.ko}"))

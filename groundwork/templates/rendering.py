"""Worker templates: Liquid with Ground Truth's filters, safe to render whatever they contain."""

import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid import Markup as SafeText
from liquid import escape as escape_text
from liquid.exceptions import FilterError, LiquidError, ResourceLimitError
from liquid.filter import with_context
from liquid.output import LimitedStringIO
from liquid.undefined import is_undefined

from groundwork.templates.delimiters import line_of, scan
from groundwork.templates.errors import TemplateError, TemplateProblem

# The limit of UiTemplate.Content in the API, which Ground Truth keeps for files, too.
MAXIMUM_TEMPLATE_CHARACTERS = 128_000
MAXIMUM_OUTPUT_BYTES = 2_000_000
MAXIMUM_VALUE_CHARACTERS = 1_000_000
MAXIMUM_LIST_ITEMS = 5_000
MAXIMUM_LOOP_ITERATIONS = 100_000
MAXIMUM_INTEGER_BITS = 1_024
MAXIMUM_CPU_SECONDS = 2.0
MAXIMUM_PROBLEMS = 20

# Filters that take more than linear time, and what they may be given.
_SHORT_INPUT_CHARACTERS = {"date": 200, "strip_html": 20_000}
# Asking the clock is a system call, so not every node does.
_NODES_BETWEEN_LOOKS_AT_THE_CLOCK = 64

# How much of the processor's time the thread has had, in seconds.
_clock = time.thread_time

_problems: ContextVar[list[TemplateProblem]] = ContextVar("problems")


class _LimitReachedError(Exception):
    """The template took more than it may."""


def _note(problem: TemplateProblem) -> None:
    problems = _problems.get()
    problems.append(problem)
    if len(problems) >= MAXIMUM_PROBLEMS:
        raise TemplateError([*problems, TemplateProblem("further problems are not listed")])


class _Environment(Environment):
    """Liquid that gathers the problems it meets instead of stopping at the first."""

    loop_iteration_limit = MAXIMUM_LOOP_ITERATIONS
    local_namespace_limit = 4 * MAXIMUM_OUTPUT_BYTES

    def error(self, exc: Any, msg: Any = None, token: Any = None) -> None:
        """Note the problem; go on unless a limit was reached."""
        if isinstance(exc, type):
            exc = exc(msg, token=token)
        if isinstance(exc, ResourceLimitError):
            raise _LimitReachedError(str(exc.message))
        position = exc.token or token
        # A negative index is the template's end.
        line = (
            line_of(position.source, position.start_index % len(position.source))
            if (position and position.source)
            else None
        )
        _note(TemplateProblem(str(exc.message), line))


class _Context(RenderContext):
    """A rendering under limits on time and on the size of every value."""

    def __init__(self, template: BoundTemplate, **arguments: Any) -> None:
        self.grant_read_access: Callable[[str], str] | None = None
        self._nodes = 0
        self._stop_at = _clock() + MAXIMUM_CPU_SECONDS
        super().__init__(template, **arguments)

    # Node.render reads `disabled_tags` first, for every node: the one place that each step of a
    # rendering passes, whatever its tag. No tag is disabled here, so it holds nothing else.
    @property
    def disabled_tags(self) -> list[str]:
        """Look at the clock from time to time; no tag is disabled."""
        self._nodes += 1
        if self._nodes % _NODES_BETWEEN_LOOKS_AT_THE_CLOCK == 0:
            self._check_clock()
        return []

    @disabled_tags.setter
    def disabled_tags(self, _: list[str]) -> None:
        pass

    def _check_clock(self) -> None:
        if _clock() > self._stop_at:
            raise _LimitReachedError(
                f"rendering took more than {MAXIMUM_CPU_SECONDS:g} seconds; shorten its loops"
            )

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Look at the clock when a loop begins, besides counting."""
        self._check_clock()
        super().raise_for_loop_limit(length)

    def get_buffer(self, buf: Any = None) -> LimitedStringIO:
        """Return a buffer for what is left of the output; it keeps line ends as they are."""
        used = buf.size if isinstance(buf, LimitedStringIO) else 0
        return LimitedStringIO(limit=MAXIMUM_OUTPUT_BYTES - used, newline="")

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """Return the filter, guarded against results that would exhaust memory."""
        filter_function = super().filter(name, token)

        def guarded(*arguments: Any, **options: Any) -> object:
            self._check_clock()
            _check_arguments(name, [*arguments, *options.values()])
            try:
                result = filter_function(*arguments, **options)
            except (LiquidError, _LimitReachedError):
                raise
            # What a filter makes of odd arguments (OverflowError, UnicodeDecodeError, ...) is the
            # template's problem, not ours.
            except Exception as error:
                raise FilterError(f"{name}: {error}", token=token) from error
            _check_value(name, result)
            return result

        return guarded


def _size_of(value: object) -> int:
    """Return about how many characters a value has, with everything inside; cut off above limit."""
    size = 0
    pending = [value]
    while pending and size <= MAXIMUM_VALUE_CHARACTERS:
        item = pending.pop()
        size += 1
        if isinstance(item, str):
            size += len(item)
        elif isinstance(item, range):
            size += 8 * (item.stop - item.start)
        elif isinstance(item, Mapping):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            size += len(item)
            # Bounded by the line above in the next turn, however long the list is.
            pending.extend(item[:MAXIMUM_VALUE_CHARACTERS])
    return size


def _check_value(name: str, value: object) -> None:
    if _size_of(value) > MAXIMUM_VALUE_CHARACTERS:
        raise _LimitReachedError(
            f"{name} with more than {MAXIMUM_VALUE_CHARACTERS:,} characters of data"
        )
    if isinstance(value, int) and value.bit_length() > MAXIMUM_INTEGER_BITS:
        raise _LimitReachedError(f"{name} gave a number of more than {MAXIMUM_INTEGER_BITS} bits")


def _check_arguments(name: str, arguments: list[Any]) -> None:
    for argument in arguments:
        _check_value(name, argument)
        if (
            name != "to_json"
            and isinstance(argument, list | tuple | range)
            and len(argument) > MAXIMUM_LIST_ITEMS
        ):
            raise _LimitReachedError(f"{name} with a list of more than {MAXIMUM_LIST_ITEMS:,}")
        if (limit := _SHORT_INPUT_CHARACTERS.get(name)) and len(str(argument)) > limit:
            raise _LimitReachedError(f"{name} with a text of more than {limit:,} characters")
    if _multiplied_size(name, arguments) > MAXIMUM_VALUE_CHARACTERS:
        raise _LimitReachedError(
            f"{name} with a result of more than {MAXIMUM_VALUE_CHARACTERS:,} characters"
        )


def _multiplied_size(name: str, arguments: list[Any]) -> int:
    """Return the size of what multiplies its arguments: other filters only add them up."""
    if name == "replace" and len(arguments) > 2:
        text, old, new = (str(argument) for argument in arguments[:3])
        return len(text) + text.count(old) * len(new)
    if name == "join" and len(arguments) > 1:
        items = arguments[0]
        count = len(items) if isinstance(items, list | tuple | range | str) else 1
        return count * len(str(arguments[1]))
    return 0


# As in Shopify's Liquid: an ampersand that begins an entity stays.
_NOT_YET_ESCAPED = re.compile(r"[<>\"']|&(?!(?:[a-zA-Z]+|#\d+|#x[0-9a-fA-F]+);)")


def _escape(value: object) -> SafeText:
    return escape_text("" if value is None else str(value))


def _escape_once(value: object) -> SafeText:
    text = "" if value is None else str(value)
    return SafeText(_NOT_YET_ESCAPED.sub(lambda match: str(escape_text(match.group())), text))


def _skip_autoescape(value: object) -> object:
    return SafeText(value) if isinstance(value, str) else value


# Letters that could end a script element, open a comment or close a quoted attribute; JSON reads
# the same without them. The double quote has to stay, hence `| escape` inside an attribute.
_JSON_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&'\u2028\u2029"}


def _to_json(value: object) -> SafeText:
    if is_undefined(value):
        value = None
    return SafeText(json.dumps(value, ensure_ascii=False, default=str).translate(_JSON_ESCAPES))


@with_context
def _grant_read_access(value: object, *, context: _Context) -> str:
    if not isinstance(value, str) or not value.startswith("s3://"):
        seen = "nothing" if value is None or is_undefined(value) else repr(value)[:200]
        raise FilterError(f"grant_read_access takes an s3:// URI, not {seen}", token=None)
    if context.grant_read_access is None:
        raise FilterError("grant_read_access is not available here", token=None)
    # Not marked safe: a URL's ampersands are escaped in HTML like any other.
    return context.grant_read_access(str(value))


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    environment = _Environment(autoescape=True)
    for name, function in {
        "escape": _escape,
        "escape_once": _escape_once,
        "skip_autoescape": _skip_autoescape,
        "to_json": _to_json,
        "grant_read_access": _grant_read_access,
    }.items():
        environment.add_filter(name, function)
    # python-liquid's own, not part of Liquid; and tags for files that there are none of.
    for name in ("safe", "escapejs"):
        del environment.filters[name]
    for name in ("include", "render"):
        del environment.tags[name]
    return environment


@lru_cache(maxsize=16)
def _parsed(template: str) -> BoundTemplate | TemplateError:
    """Return the parsed template or what is wrong with it; both are worth remembering."""
    if len(template) > MAXIMUM_TEMPLATE_CHARACTERS:
        return TemplateError(
            [
                TemplateProblem(
                    f"the template has {len(template):,} characters; "
                    f"at most {MAXIMUM_TEMPLATE_CHARACTERS:,} are accepted"
                )
            ]
        )
    _, problems = scan(template)
    if problems:
        return TemplateError(problems[:MAXIMUM_PROBLEMS])
    result: BoundTemplate | TemplateError = _gathering(lambda: _parse(template))
    return result


def _parse(template: str) -> BoundTemplate:
    environment = _environment()
    parsed = environment.from_string(template)
    for name, uses in parsed.analyze().filters.items():
        if name not in environment.filters:
            for span in uses:
                _note(TemplateProblem(f"unknown filter {name!r}", line_of(template, span.index)))
    return parsed


def _gathering(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns, or a TemplateError with every problem met on the way."""
    problems: list[TemplateProblem] = []
    token = _problems.set(problems)
    try:
        result = work()
    except TemplateError as error:
        return error
    except _LimitReachedError as error:
        problems.append(TemplateProblem(str(error)))
    except RecursionError:
        problems.append(TemplateProblem("expressions are nested too deeply"))
    except LiquidError as error:
        too_deep = isinstance(error.__cause__, RecursionError)
        problems.append(
            TemplateProblem("expressions are nested too deeply" if too_deep else str(error.message))
        )
    # Odd values meet odd tags (a range without end, text that is no Unicode): whatever the library
    # raises then is the template's problem, and must not take the portal down.
    except Exception as error:
        problems.append(TemplateProblem(f"cannot be rendered: {type(error).__name__}: {error}"))
    finally:
        _problems.reset(token)
    return TemplateError(problems) if problems else result


def syntax_problems(template: str) -> tuple[TemplateProblem, ...]:
    """Return what is wrong with a template's Liquid, without rendering it."""
    parsed = _parsed(template)
    return parsed.problems if isinstance(parsed, TemplateError) else ()


def render(
    template: str, variables: Mapping[str, Any], grant_read_access: Callable[[str], str]
) -> str:
    """Render a worker template.

    Parameters
    ----------
    template
        HTML with Liquid. Every output is escaped unless it says ``skip_autoescape``.
    variables
        What the template sees, normally ``{"task": {"input": ...}}``.
    grant_read_access
        Gives an https URL for an ``s3://`` URI. What it raises comes back as a problem of the line.

    Raises
    ------
    TemplateError
        With every problem found: broken Liquid, unknown filters and tags, failing filters, or a
        limit on time or size reached.
    """
    parsed = _parsed(template)
    if isinstance(parsed, TemplateError):
        raise TemplateError(parsed.problems)

    def work() -> str:
        context = _Context(parsed, globals=parsed.make_globals(variables))
        context.grant_read_access = grant_read_access
        buffer = context.get_buffer()
        parsed.render_with_context(context, buffer)
        return buffer.getvalue()

    result = _gathering(work)
    if isinstance(result, TemplateError):
        raise result
    return str(result)

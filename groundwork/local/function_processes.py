"""How many processes of one function run at the same time on this machine.

On AWS each call that comes while others run has a machine of its own. The emulator starts a process
for it: fifty people at once make fifty processes, which take two cores a minute to start, six
gigabytes, and each other's time. Here further calls wait until one of a few processes is free.
"""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from groundwork.local.hooks import wrap

# One works while another waits for the services that it calls. More take each other's time, and
# each finds less of what it remembers of the calls before.
_PROCESSES_PER_CORE = 2


def install() -> None:
    """Let calls of a function wait while as many run as may."""
    wrap(lambda_svc, "_execute_function_warm", _in_turn, ("func", "event", "request_id"))


def most_processes() -> int:
    """Return how many processes of one function there may be."""
    return _PROCESSES_PER_CORE * (os.cpu_count() or 1)


def _in_turn(original: Callable[..., Any], function: dict[str, Any], *rest: Any) -> Any:
    # Whoever calls waits in a thread of its own, so that nothing else does.
    with _places((function.get("config") or function)["FunctionArn"]):
        return original(function, *rest)


@functools.cache
def _places(function_arn: str) -> threading.Semaphore:
    del function_arn
    return threading.Semaphore(most_processes())

"""The emulator's process: MiniStack, the corrections and SageMaker, until it is told to stop.

Started by groundwork.local.emulator with everything that MiniStack reads from the environment.
"""

import fcntl
import json
import os
import resource
import sys
from pathlib import Path

import uvicorn
from ministack import app

from groundwork.local import corrections, function_processes, rights_record, sagemaker
from groundwork.local.emulator import RIGHTS_RECORD
from groundwork.local.hooks import EmulatorChangedError

# Between two requests on a connection: longer than people who label pause.
_KEEP_ALIVE_SECONDS = 75
# For requests under way when it is told to stop.
_GRACE_SECONDS = 3


def main() -> None:
    """Hold the folder's lock, correct the emulator, and run it."""
    # A session of its own: Ctrl-C in the terminal that started it is not for the emulator.
    os.setsid()
    lock_path = Path(sys.argv[1])
    port = int(os.environ["GATEWAY_PORT"])
    with lock_path.open("r+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another local cloud runs from {lock_path.parent}.")
        lock.truncate()
        json.dump({"pid": os.getpid(), "port": port}, lock)
        lock.flush()
        _run(port)


def _run(port: int) -> None:
    try:
        corrections.install_all()
        function_processes.install()
        sagemaker.install(port)
        # The last one: it writes down what the corrections have come to.
        if record := os.environ.get(RIGHTS_RECORD):
            rights_record.install(Path(record))
    except EmulatorChangedError as error:
        sys.exit(str(error))
    # Every connection and every function's pipes take one; the usual limit is 1,024.
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    _serve(port)


def _serve(port: int) -> None:
    """Serve until SIGTERM, which ends the process once the emulator has saved its state.

    It ends by the signal and not by returning: a thread that waits for a custom resource's answer
    would keep it for up to an hour. Uvicorn, as Hypercorn takes a quarter of the emulator's time,
    and all calls of all functions go through its one thread (benchmarks/portal_load.py).
    """
    uvicorn.run(
        app.app,
        host=os.environ["BIND_HOST"],
        port=port,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        # AWS sends no such header, and the emulator adds a date itself.
        server_header=False,
        date_header=False,
        # Whoever calls is whom the connection is from.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()

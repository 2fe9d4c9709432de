"""The emulator's process: MiniStack, the corrections and SageMaker, until it is told to stop.

Started by groundwork.local.emulator with everything that MiniStack reads from the environment.
"""

import asyncio
import fcntl
import json
import logging
import os
import resource
import sys
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app

from groundwork.local import corrections, function_processes, rights_record, sagemaker
from groundwork.local.emulator import RIGHTS_RECORD
from groundwork.local.hooks import EmulatorChangedError


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
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{port}"]
    config.keep_alive_timeout = 75
    asyncio.run(_serve_until_told(config))


async def _serve_until_told(config: Config) -> None:
    """Serve until SIGTERM; the emulator saves its state before this returns."""
    await serve(app.app, config)
    # A thread that waits for a custom resource's answer would keep the process for up to an hour.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()

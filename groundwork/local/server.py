"""The emulator's process: MiniStack, the corrections and SageMaker, until it is told to stop.

Started by groundwork.local.emulator with everything that MiniStack reads from the environment.
"""

import fcntl
import json
import os
import sys
from pathlib import Path

from ministack import app

from groundwork.local import corrections, sagemaker
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
        sagemaker.install(port)
    except EmulatorChangedError as error:
        sys.exit(str(error))
    # MiniStack parses the command line itself.
    sys.argv = sys.argv[:1]
    app.main()


if __name__ == "__main__":
    main()

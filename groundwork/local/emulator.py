"""The emulator's process seen from outside: start, find, stop, and its data on disk."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundwork.errors import UserError

DEFAULT_PORT = 4566
ACCOUNT = "000000000000"
REGION = "us-east-1"
# Names the file in the environment of the emulator's process.
RIGHTS_RECORD = "GROUNDWORK_RIGHTS_RECORD"

_HOST = "127.0.0.1"
_START_TIMEOUT_SECONDS = 60
_STOP_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.1


class LocalCloudError(UserError):
    """The local cloud cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class RunningEmulator:
    """The process that holds a folder's lock."""

    pid: int
    port: int


@dataclass(frozen=True)
class Emulator:
    """One emulator: a folder with its data, and a process on a loopback port while it runs.

    Parameters
    ----------
    folder
        Keeps the emulator's data between runs, its log and its temporary files.
    node_modules
        Where Node functions find the AWS SDK, which AWS's own runtime carries.
    enforce_iam
        Check every call against IAM policies, as AWS does.
    rights_record
        File that the decisions are added to; see groundwork.local.rights_record.
    """

    folder: Path
    node_modules: Path
    port: int = DEFAULT_PORT
    enforce_iam: bool = False
    rights_record: Path | None = None

    @property
    def endpoint(self) -> str:
        """Address for AWS clients."""
        return f"http://{_HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        """What the emulator and its functions print."""
        return self.folder / "emulator.log"

    def running(self) -> RunningEmulator | None:
        """Return the process that runs from this folder, if there is one.

        A lock that the process holds tells, not a process id: ids outlive their process and are
        given out again.
        """
        try:
            with self._lock_path.open("r", encoding="utf-8") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return self._read_lock(lock.read())
        except FileNotFoundError:
            pass
        return None

    def start(self) -> None:
        """Start the emulator in a process of its own, and return when it answers.

        Raises
        ------
        LocalCloudError
            When the port belongs to another program, or the process ends at once.
        """
        running = self.running()
        if running is not None:
            if running.port != self.port:
                raise LocalCloudError(
                    f"The local cloud in {self.folder} already runs on port {running.port} "
                    f"(process {running.pid}), not on {self.port}. Use that port, or stop it: "
                    "groundwork down"
                )
            return
        if not port_is_free(self.port):
            raise LocalCloudError(
                f"Port {self.port} is taken by {port_owner(self.port)}. Stop that program, or "
                f"choose another port, for example: --port {free_port(self.port + 1)}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock_path.touch()
        # A killed emulator leaves its functions' unpacked code behind.
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir()
        # Not subprocess: the emulator outlives this process, which never waits for it.
        log = (os.POSIX_SPAWN_OPEN, 1, self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "groundwork.local.server", str(self._lock_path)],
            self.environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                log,
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
        )
        self._wait_until_ready(pid)

    def stop(self) -> None:
        """Stop the process, which saves its data, and remove its temporary files."""
        pid = self._signal(signal.SIGTERM)
        if pid is not None and self._signal(signal.SIGKILL) is not None:
            raise LocalCloudError(
                f"The emulator (process {pid}) did not stop within {_STOP_TIMEOUT_SECONDS} seconds "
                "and was killed: what changed since its start may be lost. Its log: "
                f"{self.log_path}"
            )
        shutil.rmtree(self._temporary, ignore_errors=True)

    def discard(self) -> None:
        """End the process and forget all data."""
        self._signal(signal.SIGKILL)
        for part in (self._state, self._objects, self._temporary):
            shutil.rmtree(part, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> int | None:
        """Signal the process, if it runs, and wait for its end; return its id."""
        running = self.running()
        if running is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
        while self.running() is not None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(running.pid, os.WNOHANG)
        return running.pid

    @property
    def _lock_path(self) -> Path:
        return self.folder / "emulator.lock"

    @property
    def _temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def _state(self) -> Path:
        return self.folder / "state"

    @property
    def _objects(self) -> Path:
        return self.folder / "s3"

    def _read_lock(self, content: str) -> RunningEmulator:
        deadline = time.monotonic() + 5
        while not content.endswith("}"):
            # The process has the lock and is about to write who it is.
            if time.monotonic() > deadline:
                raise LocalCloudError(f"{self._lock_path} is held by an unknown process.")
            time.sleep(_POLL_SECONDS)
            content = self._lock_path.read_text(encoding="utf-8")
        held = json.loads(content)
        return RunningEmulator(pid=held["pid"], port=held["port"])

    def environment(self) -> dict[str, str]:
        """Settings of the process, with nothing of the user's own AWS set-up in them."""
        record = {RIGHTS_RECORD: str(self.rights_record)} if self.rights_record else {}
        return (
            clean_environment()
            | record
            | {
                "GATEWAY_PORT": str(self.port),
                "BIND_HOST": _HOST,
                "MINISTACK_HOST": "localhost",
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "MINISTACK_REGION": REGION,
                "AUTH": "true" if self.enforce_iam else "false",
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self._state.resolve()),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(self._objects.resolve()),
                "TMPDIR": str(self._temporary.resolve()),
                "NODE_PATH": str(self.node_modules.resolve()),
                # Listeners that nothing here uses, and that would not keep to the loopback address.
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                # Functions run as plain processes; a Docker daemon that may be there is not asked.
                "DOCKER_HOST": "unix:///nonexistent",
                "PYTHONUNBUFFERED": "1",
                # The AWS CLI of a bucket's deployment is compiled once, not in each of its calls.
                "PYTHONDONTWRITEBYTECODE": "",
            }
        )

    def _wait_until_ready(self, pid: int) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not answers(self.endpoint):
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                raise LocalCloudError(f"The emulator ended at once:\n{self._log_end()}")
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGTERM)
                raise LocalCloudError(
                    f"The emulator did not answer within {_START_TIMEOUT_SECONDS} seconds:\n"
                    + self._log_end()
                )
            time.sleep(_POLL_SECONDS)

    def _log_end(self) -> str:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-15:])


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that leads to a real AWS account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AWS_", "CDK_"))
    }
    local = ["localhost", _HOST, ".localhost"]
    existing = os.environ.get("NO_PROXY", os.environ.get("no_proxy", ""))
    no_proxy = ",".join([*filter(None, existing.split(",")), *local])
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def answers(endpoint: str) -> bool:
    """Tell whether an emulator answers at an address."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def port_is_free(port: int) -> bool:
    """Tell whether a loopback port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port(first: int) -> int:
    """Return the first free loopback port from a number on."""
    return next(port for port in range(first, 65536) if port_is_free(port))


def port_owner(port: int) -> str:
    """Name the program that listens on a port, as far as this user may know it."""
    for pid in _listeners(port):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            return f"process {pid} ({command.strip()[:120]})"
    lsof = shutil.which("lsof")
    if lsof:
        found = subprocess.run(  # noqa: S603 - a fixed command
            [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"],
            capture_output=True,
            text=True,
            check=False,
        )
        fields = {line[0]: line[1:] for line in found.stdout.splitlines() if line}
        if "p" in fields:
            return f"process {fields['p']} ({fields.get('c', '?')})"
    return "another program"


def _listeners(port: int) -> Iterator[str]:
    """Process ids that have the port's listening socket open (Linux)."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                # Field 3 is the state; 0A is LISTEN.
                if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
                    sockets.add(f"socket:[{fields[9]}]")
    if not sockets:
        return
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                yield process.name

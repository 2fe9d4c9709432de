"""The local cloud: an emulator, and the real CDK CLI deploying the real stacks to it."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import WaiterError

from groundwork.local.emulator import (
    ACCOUNT,
    DEFAULT_PORT,
    REGION,
    Emulator,
    LocalCloudError,
    clean_environment,
)

Report = Callable[[str], None]

BOOTSTRAP_STACK = "CDKToolkit"

_BROKEN_STATES = frozenset(
    {
        "CREATE_FAILED",
        "CREATE_IN_PROGRESS",
        "DELETE_FAILED",
        "DELETE_IN_PROGRESS",
        "REVIEW_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "ROLLBACK_IN_PROGRESS",
    }
)
_EVENT = re.compile(
    r"^(?P<stack>\S+) \| +(?P<done>\d+)(?:/(?P<total>\d+))? \| [^|]+ \| (?P<status>\w+) +\|"
    r" (?P<type>\S+) +\| (?P<rest>.*)$"
)
_DONE = {
    "CREATE_COMPLETE": "created",
    "UPDATE_COMPLETE": "updated",
    "DELETE_COMPLETE": "deleted",
}
_CDK_QUIET = {
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "20",
    "NODE_NO_WARNINGS": "1",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}


class DeployError(LocalCloudError):
    """The CDK CLI failed; the text has what it said."""


@dataclass(frozen=True)
class Mail:
    """A mail that the local cloud would have sent."""

    recipient: str
    subject: str
    text: str
    kind: str


@dataclass(frozen=True)
class Stack:
    """A deployed stack as CloudFormation describes it."""

    name: str
    status: str
    outputs: Mapping[str, str]


class LocalCloud:
    """An emulator and the project that is deployed to it.

    Parameters
    ----------
    project
        Folder with cdk.json and node_modules.
    folder
        Where the emulator keeps its data; by default build/local in the project.
    enforce_iam
        Check every call against IAM policies, as AWS does.
    rights_record
        File that the decisions are added to; see groundwork.local.rights_record.
    report
        Is told, a line at a time, what is being done.
    """

    def __init__(
        self,
        project: Path,
        folder: Path | None = None,
        port: int = DEFAULT_PORT,
        *,
        enforce_iam: bool = False,
        rights_record: Path | None = None,
        report: Report = lambda line: None,
    ) -> None:
        self.project = project
        self.folder = folder or project / "build" / "local"
        self.emulator = Emulator(
            self.folder,
            project / "node_modules",
            port=port,
            enforce_iam=enforce_iam,
            rights_record=rights_record,
        )
        self._report = report
        self._session = _isolated_session()
        self._clients: dict[tuple[str, str], Any] = {}
        self._clients_lock = threading.Lock()

    @property
    def port(self) -> int:
        """The emulator's port."""
        return self.emulator.port

    def attach(self) -> bool:
        """Use the port of the emulator that runs from the folder; tell whether there is one."""
        running = self.emulator.running()
        if running is None:
            return False
        self.emulator = replace(self.emulator, port=running.port)
        return True

    def start(self) -> None:
        """Start the emulator unless it runs."""
        self.emulator.start()

    def stop(self) -> None:
        """Stop the emulator; its data stay."""
        self.emulator.stop()

    def discard(self) -> None:
        """Stop the emulator, if it runs, and forget its data."""
        self.emulator.discard()

    def client(self, service: str) -> Any:
        """Return a boto3 client for the emulator that sees nothing of the user's own AWS set-up."""
        key = (service, self.emulator.endpoint)
        # Clients may be shared by threads; making them may not.
        with self._clients_lock:
            if key not in self._clients:
                config = Config(
                    s3={"addressing_style": "path"},
                    signature_version="s3v4" if service == "s3" else None,
                    proxies={},
                    max_pool_connections=32,
                )
                self._clients[key] = self._session.client(
                    service, endpoint_url=self.emulator.endpoint, config=config
                )
            return self._clients[key]

    def environment(self) -> dict[str, str]:
        """Environment for the CDK CLI and other AWS tools: the emulator and nothing else."""
        tools = Path(sys.executable).parent
        return (
            clean_environment()
            | _CDK_QUIET
            | {
                "AWS_ENDPOINT_URL": self.emulator.endpoint,
                "AWS_ENDPOINT_URL_S3": self.emulator.endpoint,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "CDK_DEFAULT_ACCOUNT": ACCOUNT,
                "CDK_DEFAULT_REGION": REGION,
                "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
            }
        )

    def bootstrap(self) -> None:
        """Make the bucket and roles that the CDK CLI needs, unless they are there."""
        if any(stack.name == BOOTSTRAP_STACK for stack in self.stacks()):
            return
        self._report("Bootstrapping the CDK's own stack")
        # Deployed by the CLI it takes twelve seconds instead of two: the CLI looks once in five
        # whether the stack is there.
        shown = subprocess.run(  # noqa: S603 - the pinned CLI
            [self._cli(), "bootstrap", "--show-template"],
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if shown.returncode != 0:
            raise DeployError(f"cdk bootstrap --show-template failed:\n{shown.stderr}")
        begun = _just_now()
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=BOOTSTRAP_STACK,
            TemplateBody=shown.stdout,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            # As `cdk bootstrap` sets it.
            Parameters=[
                {"ParameterKey": "FileAssetsBucketKmsKeyId", "ParameterValue": "AWS_MANAGED_KEY"}
            ],
        )
        try:
            cloudformation.get_waiter("stack_create_complete").wait(
                StackName=BOOTSTRAP_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
        except WaiterError as error:
            told = "\n".join(self._failed_resources(begun)) or str(error)
            raise DeployError(
                f"The CDK's own stack cannot be made:\n{told}\nStart afresh: groundwork down"
            ) from error

    def deploy(
        self, what: Sequence[str], context: Mapping[str, str], *, assembly: str = "app"
    ) -> None:
        """Synthesize the app and deploy stacks of it.

        Parameters
        ----------
        what
            Stacks and options as `cdk deploy` takes them; nothing for an app of one stack.
        context
            Settings of the app, as with the CLI's `-c key=value`.
        assembly
            A name for what was synthesized, by which it can be destroyed later.

        Raises
        ------
        DeployError
            With what the CLI and the failed resources said.
        """
        self._remove_broken_stacks()
        self.bootstrap()
        self._cdk(
            [
                "deploy",
                *what,
                "--require-approval=never",
                "--progress=events",
                *(f"--context={name}={value}" for name, value in context.items()),
                f"--output={self._assembly(assembly)}",
            ]
        )

    def destroy(self, what: Sequence[str], *, assembly: str = "app") -> None:
        """Destroy stacks as they were deployed under that name; what is not there is left alone."""
        folder = self._assembly(assembly)
        if folder.exists():
            self._cdk(["destroy", *what, "--force", f"--app={folder}"])

    def stacks(self) -> list[Stack]:
        """Describe the stacks that exist."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return [
            Stack(
                name=stack["StackName"],
                status=stack["StackStatus"],
                outputs={
                    output["OutputKey"]: output["OutputValue"]
                    for output in stack.get("Outputs", [])
                },
            )
            for page in pages
            for stack in page["Stacks"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        ]

    def mails(self) -> list[Mail]:
        """Return the mails that were sent: invitations and notices, oldest first."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        address = f"{self.emulator.endpoint}/_ministack/ses/messages?account={ACCOUNT}"
        with opener.open(address, timeout=10) as response:
            messages = json.load(response)["messages"].get(ACCOUNT, [])
        return [
            Mail(recipient, mail["Subject"], mail["BodyText"], mail.get("Type", ""))
            for mail in messages
            for recipient in mail["To"]
        ]

    def output(self, name: str) -> str | None:
        """Return the value of an output that any stack but the CDK's own has under this name."""
        for stack in self.stacks():
            if stack.name != BOOTSTRAP_STACK and name in stack.outputs:
                return stack.outputs[name]
        return None

    def _assembly(self, name: str) -> Path:
        return self.folder / "assemblies" / name

    def _remove_broken_stacks(self) -> None:
        """Delete what an earlier, interrupted run left, which the CLI would ask questions about."""
        cloudformation = self.client("cloudformation")
        for stack in self.stacks():
            if stack.status in _BROKEN_STATES:
                self._report(f"Removing {stack.name}, which an earlier run left {stack.status}")
                cloudformation.delete_stack(StackName=stack.name)
                try:
                    cloudformation.get_waiter("stack_delete_complete").wait(
                        StackName=stack.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
                    )
                except WaiterError as error:
                    raise DeployError(
                        f"{stack.name} is {stack.status} and cannot be deleted: {error}. Start "
                        "afresh: groundwork down"
                    ) from error

    def _cli(self) -> str:
        cli = self.project / "node_modules" / ".bin" / "cdk"
        if not cli.exists():
            raise LocalCloudError(
                f"The CDK CLI is not installed in {self.project}. Run: make setup"
            )
        if shutil.which("node") is None:
            raise LocalCloudError("Node is not installed; the CDK CLI needs version 20 or newer.")
        return str(cli)

    def _cdk(self, arguments: Sequence[str]) -> None:
        cli = self._cli()
        begun = _just_now()
        log_path = self.folder / "cdk.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        with (
            log_path.open("a", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603 - the pinned CLI
                [cli, *arguments],
                cwd=self.project,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            log.write(f"$ cdk {' '.join(arguments)}\n")
            lines = []
            progress = _Progress()
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                lines.append(line.rstrip())
                shown = progress.of(line, time.monotonic())
                if shown:
                    self._report(shown)
        if process.returncode != 0:
            told = "\n".join(self._failed_resources(begun)) or _failure(lines)
            raise DeployError(
                f"cdk {arguments[0]} failed:\n{told}\nAll of its output: {log_path}\n"
                f"The emulator's and the functions' log: {self.emulator.log_path}"
            )

    def _failed_resources(self, begun: datetime) -> Iterator[str]:
        """What resources failed with since a moment: the CLI shows a reason's first line only."""
        cloudformation = self.client("cloudformation")
        for stack in self.stacks():
            pages = cloudformation.get_paginator("describe_stack_events").paginate(
                StackName=stack.name
            )
            for event in reversed([event for page in pages for event in page["StackEvents"]]):
                failed = event["ResourceStatus"].endswith("_FAILED")
                reason = event.get("ResourceStatusReason", "")
                if failed and event["Timestamp"] >= begun and "cancelled" not in reason:
                    yield f"{stack.name}: {event['LogicalResourceId']}: {reason}"
            # What a stack's validation found stands only here: its own reason points to it.
            pages = cloudformation.get_paginator("describe_events").paginate(StackName=stack.name)
            for event in [event for page in pages for event in page["OperationEvents"]]:
                if event["EventType"] == "VALIDATION_ERROR" and event["Timestamp"] >= begun:
                    reason = event["ValidationStatusReason"]
                    yield f"{stack.name}: {event['LogicalResourceId']}: {reason}"


def project_root(start: Path | None = None) -> Path:
    """Find the project (the folder with cdk.json) at or above a folder.

    Raises
    ------
    LocalCloudError
        When there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[2]):
        if (folder / "cdk.json").is_file():
            return folder
    raise LocalCloudError(
        f"No cdk.json in {start} or above it. Run this in the Groundwork project's folder."
    )


def _isolated_session() -> Any:
    isolated = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    isolated.set_credentials("test", "test")
    return boto3.Session(botocore_session=isolated, region_name=REGION)


class _Progress:
    """Picks from the CLI's event lines what is worth showing: a hundred come in one burst."""

    _QUIET_SECONDS = 1.0

    def __init__(self) -> None:
        self._shown_at = float("-inf")

    def of(self, line: str, now: float) -> str | None:
        """Return what to show of a line that was read at a moment."""
        event = _EVENT.match(line)
        if event is None:
            return None
        status, kind, stack = event["status"], event["type"], event["stack"]
        if "FAILED" in status or "ROLLBACK" in status:
            return f"  {stack}: {kind} {status}: {event['rest'].strip()}"
        done = _DONE.get(status)
        special = kind.startswith("Custom::") or kind == "AWS::CloudFormation::Stack"
        if done is None or not (special or now - self._shown_at > self._QUIET_SECONDS):
            return None
        self._shown_at = now
        # An update's events outnumber the changes that the CLI counted.
        counted = event["total"] and int(event["done"]) <= int(event["total"])
        count = f" {event['done']}/{event['total']}" if counted else ""
        return f"  {stack}{count}: {kind} {done}"


def _just_now() -> datetime:
    """The time that events from now on are not older than: theirs have whole seconds."""
    return datetime.now(UTC) - timedelta(seconds=1)


def _failure(lines: Iterable[str]) -> str:
    """What the CLI said last, without its progress."""
    said = [line for line in lines if line.strip() and not _EVENT.match(line)]
    return "\n".join(said[-20:])

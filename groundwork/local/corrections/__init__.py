"""Corrections of MiniStack, one module each.

Every module's docstring says what AWS does and what the emulator does instead. Whether a correction
is still needed is told by tests/contract/test_local_cloud_corrections.py, which runs the emulator
with and without them: when a newer MiniStack behaves, that test asks for the module's removal.
"""

import importlib
import importlib.metadata

from groundwork.local.hooks import EmulatorChangedError

NAMES: tuple[str, ...] = (
    "bucket_deployment",
    "bucket_tags",
    "embedded_metrics",
    "error_names",
    "foreign_layers",
    "function_urls",
    "gateway_logout",
    "kept_mails",
    "key_conditions",
    "late_logs",
    "log_wait",
    "pool_tags",
    "principal_arn",
    "repeated_starts",
    "request_cookies",
    "resumed_executions",
    "secure_transport",
    "simulated_context",
    "table_ttl",
    "task_token_rights",
    "topic_mails",
    "url_callers",
)


def install_all(names: tuple[str, ...] = NAMES) -> None:
    """Install every correction in this process.

    Raises
    ------
    EmulatorChangedError
        Naming every correction that does not fit this version of the emulator.
    """
    problems = []
    for name in names:
        try:
            importlib.import_module(f"{__name__}.{name}").install()
        except (EmulatorChangedError, AttributeError, ImportError) as error:
            problems.append(f"  {name}: {error}")
    if problems:
        version = importlib.metadata.version("ministack")
        raise EmulatorChangedError(
            f"MiniStack {version} has changed where these corrections hook in:\n"
            + "\n".join(problems)
            + "\nInstall the version that requirements.txt pins, or mend the named modules in"
            " groundwork/local/corrections."
        )

"""Log lines in the embedded metric format become metrics, and alarms on them look at once.

On AWS, CloudWatch reads the metrics out of such lines:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
The emulator keeps the lines and no metrics.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from groundwork.local.hooks import EmulatorChangedError, wrap

_MARK = '"CloudWatchMetrics"'


def install() -> None:
    """Read metrics out of all lines that are logged."""
    for name in ("_store_datum", "_evaluate_alarm"):
        if not callable(getattr(cloudwatch, name, None)):
            raise EmulatorChangedError(f"{cloudwatch.__name__}.{name} does not exist")
    wrap(cloudwatch_logs, "_append_log_events", _with_metrics, ("stream", "events"))


def _with_metrics(
    original: Callable[..., None], stream: dict[str, Any], events: Sequence[Mapping[str, Any]]
) -> None:
    original(stream, events)
    stored = set()
    for event in events:
        message = event["message"]
        if _MARK in message and message.startswith("{"):
            stored |= _store(message, event["timestamp"])
    # Only these: a look at all alarms reads all metrics of the last minutes.
    for alarm in list(cloudwatch._alarms.values()) if stored else ():
        if (alarm.get("Namespace"), alarm.get("MetricName")) in stored:
            cloudwatch._evaluate_alarm(alarm)


def _store(message: str, timestamp: int) -> set[tuple[str, str]]:
    try:
        line = json.loads(message)
        metadata = line["_aws"]
        directives = metadata["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return set()
    seconds = metadata.get("Timestamp", timestamp) / 1000
    stored = set()
    for directive in directives:
        namespace = directive["Namespace"]
        for dimensions in directive["Dimensions"]:
            values = {name: line[name] for name in dimensions}
            for metric in directive["Metrics"]:
                name, unit = metric["Name"], metric.get("Unit", "None")
                cloudwatch._store_datum(
                    namespace, name, values, seconds, unit, line[name], None, None, None
                )
                stored.add((namespace, name))
    return stored

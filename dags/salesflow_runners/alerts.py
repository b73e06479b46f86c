"""Failure callbacks: log and send an alert when a stage, or a run, has failed and will not be retried."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

from salesflow_runners.outcomes import NO_EXPORT

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10

# Airflow's reason for a run with a failed task, which report_task_failure has reported already.
TASK_FAILURE = "task_failure"
REMEDY = (
    "Fix the cause, then clear the task: every stage can be repeated, "
    "and the tables keep their previous content."
)
# Of a stage that waited for an export until its deadline.
NO_EXPORT_REMEDY = (
    "Put the export where the source file says, then clear the task. The tables keep their previous content."
)
RUN_FAILURE_REASONS = {
    "timed_out": "it exceeded the time limit of a run, so Airflow marked the unfinished stages as skipped",
    "all_tasks_deadlocked": "no remaining stage can start",
}


def report_task_failure(context: Mapping[str, Any]) -> None:
    """Reports a failed stage, with the error and the URL of the log. Callback of the tasks."""
    ti = context.get("ti")
    stage = "A stage failed"
    if ti:
        stage = f"Stage {ti.task_id} of {ti.dag_id} failed in {ti.run_id} (try {ti.try_number})"
    error = str(context.get("exception") or "no exception was recorded")
    _send_alert(f"{stage}: {error}", NO_EXPORT_REMEDY if NO_EXPORT in error else REMEDY, ti)


def report_run_failure(context: Mapping[str, Any]) -> None:
    """Reports a run that failed without a failed stage, such as by a timeout. Callback of the DAG.

    Airflow calls this in the DAG processor after every failed run. When a task failed, its own callback has
    reported that, so the run is not reported again.
    """
    reason = context.get("reason") or "no reason was recorded"
    if reason == TASK_FAILURE:
        return
    ti, dag = context.get("ti"), context.get("dag")
    name = getattr(dag, "dag_id", None) or getattr(ti, "dag_id", "a DAG")
    last = f"; the last stage was {ti.task_id}" if ti else ""
    _send_alert(
        f"Run {context.get('run_id') or getattr(ti, 'run_id', 'unknown')} of {name} failed: "
        f"{RUN_FAILURE_REASONS.get(reason, reason)}{last}",
        "Clear the unfinished tasks to continue the run. The tables keep their previous content.",
        ti,
    )


def _send_alert(summary: str, remedy: str, ti: Any) -> None:
    """Logs one line, and posts it to the webhook SALESFLOW_ALERT_URL if set.

    The webhook URL may contain a token, so it is never logged. A failed delivery is only logged.
    """
    log_url = getattr(ti, "log_url", None)
    text = f"{summary.rstrip('.')}. {remedy}" + (f" Log: {log_url}" if log_url else "")
    log.error("%s", text)
    webhook_url = os.environ.get("SALESFLOW_ALERT_URL", "").strip()
    if not webhook_url:
        return
    try:
        request = urllib.request.Request(
            webhook_url,
            data=json.dumps({"text": text}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            log.info("Delivered the alert (HTTP %s)", response.status)
    except (OSError, ValueError) as error:
        log.warning("Cannot deliver the alert: %s", type(error).__name__)

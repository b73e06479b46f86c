"""What happens when a stage, or a whole run, has failed and will not be tried again."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10

# The reason that Airflow gives for a run when a task failed: report_failure has told of it already.
TASK_FAILURE = "task_failure"
REASONS = {
    "timed_out": "it took longer than a run may, so Airflow marked the unfinished stages as skipped",
    "all_tasks_deadlocked": "no stage can be started any more",
}


def report_failure(context: Mapping[str, Any]) -> None:
    """Of a task: tells that its stage has failed, why, and where the log is."""
    ti = context.get("ti")
    stage = "A stage failed"
    if ti:
        stage = f"Stage {ti.task_id} of {ti.dag_id} failed in {ti.run_id} (try {ti.try_number})"
    _tell(
        f"{stage}: {context.get('exception') or 'no exception was recorded'}",
        "Correct the cause, then clear the task: every stage can be repeated, "
        "and the tables keep their last good content.",
        ti,
    )


def report_run_failure(context: Mapping[str, Any]) -> None:
    """Of the DAG: tells of a run that failed without a failed stage, such as one that took too long.

    Airflow calls this in the DAG processor, after every failed run. A run that failed because a task did has
    been told of by that task, so nothing is said again.
    """
    reason = context.get("reason") or "no reason was recorded"
    if reason == TASK_FAILURE:
        return
    ti, dag = context.get("ti"), context.get("dag")
    name = getattr(dag, "dag_id", None) or getattr(ti, "dag_id", "a DAG")
    last = f"; the last stage was {ti.task_id}" if ti else ""
    _tell(
        f"Run {context.get('run_id') or getattr(ti, 'run_id', 'unknown')} of {name} failed: "
        f"{REASONS.get(reason, reason)}{last}",
        "Clear the unfinished tasks to go on where it stopped; the tables keep their last good content.",
        ti,
    )


def _tell(what: str, remedy: str, ti: Any) -> None:
    """Logs one line, and posts it to the webhook SALESFLOW_ALERT_URL, if that is set.

    The address often holds a token, so it is read here, used, and never logged. A failing alert is logged and
    changes nothing: the work has failed already.
    """
    address_of_log = getattr(ti, "log_url", None)
    text = f"{what.rstrip('.')}. {remedy}" + (f" Log: {address_of_log}" if address_of_log else "")
    log.error("%s", text)
    address = os.environ.get("SALESFLOW_ALERT_URL", "").strip()
    if not address:
        return
    try:
        request = urllib.request.Request(
            address, data=json.dumps({"text": text}).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            log.info("The alert was delivered (HTTP %s)", response.status)
    except (OSError, ValueError) as error:
        log.warning("The alert could not be delivered: %s", type(error).__name__)

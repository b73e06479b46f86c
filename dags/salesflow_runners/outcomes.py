"""What the end of a stage means to Airflow, and how its log lines reach the task's log."""

from __future__ import annotations

import json
import logging

from airflow.sdk.exceptions import AirflowException, AirflowFailException

# Exit codes of the binary and of the Spark job; any other end (a kill, a lost node) is worth another try.
FAILED_FOR_GOOD = {1: "failed for good", 2: "was called or configured wrongly"}
FAILED_FOR_NOW = 75

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "fatal": 50}


def failure(stage: str, exit_code: int | None) -> AirflowException:
    """The exception for a stage that did not end with 0: retried, or (exit codes 1 and 2) not."""
    if exit_code in FAILED_FOR_GOOD:
        return AirflowFailException(
            f"{stage} {FAILED_FOR_GOOD[exit_code]} (exit code {exit_code}); its last log lines say why"
        )
    if exit_code == FAILED_FOR_NOW:
        return AirflowException(f"{stage} failed for now (exit code {exit_code}); it can be tried again")
    if exit_code is not None and exit_code < 0:
        return AirflowException(f"{stage} was ended by signal {-exit_code}; it can be tried again")
    ending = "without an exit code" if exit_code is None else f"with exit code {exit_code}"
    return AirflowException(f"{stage} ended {ending}; it can be tried again")


def relay(log: logging.Logger, line: str) -> None:
    """Writes one output line of a stage to the task's log, keeping the level of the tool's JSON log lines."""
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if isinstance(record, dict) and isinstance(record.get("message"), str):
        level = _LEVELS.get(str(record.get("level", "info")).lower(), logging.INFO)
        log.log(level, "%s", record["message"])
    elif line.strip():
        log.info("%s", line)

"""Maps exit codes to Airflow exceptions, and parses the output of stages."""

from __future__ import annotations

import json
import logging
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

# Exit codes of the binary and of the Spark job. Any other end (a signal, a lost node) is retried.
PERMANENT_FAILURES = {1: "failed permanently", 2: "has a usage or configuration error"}
EXIT_TEMPFAIL = 75
# What the last failure of `ingest` says when its deadline has passed.
NO_EXPORT = "has no new export that it can read yet"

# Errors become part of alerts, and chats truncate long messages.
MAX_ERROR_CHARACTERS = 1000

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "fatal": 50}


def to_exception(stage: str, exit_code: int | None, error: str = "") -> AirflowException:
    """Returns the exception for a failed stage, which Airflow retries unless the exit code is 1 or 2.

    Args:
        error: last error that the stage reported, such as `OutputParser.error`
    """
    details = f". Last error: {error}" if error else ""
    if exit_code in PERMANENT_FAILURES:
        details = details or "; see the end of its log"
        return AirflowFailException(
            f"{stage} {PERMANENT_FAILURES[exit_code]} (exit code {exit_code}){details}"
        )
    if exit_code == EXIT_TEMPFAIL:
        reason = NO_EXPORT if stage == "ingest" else "failed temporarily"
        ending = f"{reason} (exit code {exit_code})"
    elif exit_code is None:
        ending = "ended without an exit code"
    elif exit_code < 0:
        ending = f"was terminated by signal {-exit_code}"
    else:
        ending = f"ended with exit code {exit_code}"
    return AirflowException(f"{stage} {ending}; it can be retried{details}")


class OutputParser:
    """Parses the output of a stage line by line, and keeps the last error.

    The Spark job, Spark and the binary write JSON lines, except for the binary's final error, which is text:
    `error: …`, followed by indented lines with the causes and the remedy.
    """

    def __init__(self) -> None:
        self._error = ""
        self._is_from_salesflow = False
        self._is_inside_error = False

    @property
    def error(self) -> str:
        """The last error with its remedy; empty if there was none.

        Errors of salesflow take precedence over those of Spark, which logs every failed attempt of a task.
        """
        is_too_long = len(self._error) > MAX_ERROR_CHARACTERS
        return self._error[:MAX_ERROR_CHARACTERS] + "…" if is_too_long else self._error

    def parse(self, line: str) -> tuple[int, str]:
        """Returns log level and text of a line; the text of a blank line is empty."""
        record = _parse_record(line)
        if record is None:
            return self._parse_text(line)
        self._is_inside_error = False
        level = _LEVELS.get(str(record.get("level", "info")).lower(), logging.INFO)
        text = _format(record)
        if level >= logging.ERROR:
            self._remember(text, is_from_salesflow=str(record.get("logger")).startswith("salesflow"))
        return level, text

    def _parse_text(self, line: str) -> tuple[int, str]:
        text = line.strip()
        if line.startswith("error: "):
            text = text.removeprefix("error:").lstrip()
            self._remember(
                f"{self._error}; {text}" if self._is_inside_error else text, is_from_salesflow=True
            )
            self._is_inside_error = True
        elif self._is_inside_error and line.startswith("  ") and text:
            self._remember(f"{self._error}; {text}", is_from_salesflow=True)
        else:
            self._is_inside_error = False
        return logging.ERROR if self._is_inside_error else logging.INFO, line if text else ""

    def _remember(self, error: str, *, is_from_salesflow: bool) -> None:
        if is_from_salesflow or not self._is_from_salesflow:
            self._error, self._is_from_salesflow = error, is_from_salesflow


def log_line(log: logging.Logger, output: OutputParser, line: str) -> None:
    """Writes one output line of a stage to the task's log."""
    level, text = output.parse(line)
    if text:
        log.log(level, "%s", text)


def last_error(text: str) -> str:
    """Returns the last error in an output, or in the end of one; empty if there is none."""
    output = OutputParser()
    for line in text.splitlines():
        output.parse(line)
    return output.error


def _parse_record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("message"), str) else None


def _format(record: dict[str, Any]) -> str:
    """Returns the message of a record with its `error` (the cause) and `remedy`."""
    text, error, remedy = record["message"], record.get("error"), record.get("remedy")
    if isinstance(error, str) and error and error not in text:
        text = f"{text}: {error}"
    if isinstance(remedy, str) and remedy:
        text = f"{text.rstrip('.')}. {remedy}"
    return text

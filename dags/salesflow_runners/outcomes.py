"""What the end of a stage means to Airflow, and what its output says: to the log, and of the failure."""

from __future__ import annotations

import json
import logging
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

# Exit codes of the binary and of the Spark job; any other end (a kill, a lost node) is worth another try.
FAILED_FOR_GOOD = {1: "failed for good", 2: "was called or configured wrongly"}
FAILED_FOR_NOW = 75

# An error goes into the exception, and from there into alerts: chats cut long messages anyway.
MOST_ERROR_CHARACTERS = 1000

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "fatal": 50}


def failure(stage: str, exit_code: int | None, error: str = "") -> AirflowException:
    """The exception for a stage that did not end with 0: retried, or (exit codes 1 and 2) not.

    Args:
        error: what the stage said last about it, such as `Output.error`
    """
    said = f". It said: {error}" if error else ""
    if exit_code in FAILED_FOR_GOOD:
        why = said or "; its last log lines say why"
        return AirflowFailException(f"{stage} {FAILED_FOR_GOOD[exit_code]} (exit code {exit_code}){why}")
    if exit_code == FAILED_FOR_NOW:
        ending = f"failed for now (exit code {exit_code})"
    elif exit_code is None:
        ending = "ended without an exit code"
    elif exit_code < 0:
        ending = f"was ended by signal {-exit_code}"
    else:
        ending = f"ended with exit code {exit_code}"
    return AirflowException(f"{stage} {ending}; it can be tried again{said}")


class Output:
    """Reads the output of a stage line by line, and remembers the last error that it told of.

    The Spark job and Spark write JSON lines; the binary does so too, but for the error that ends it, which is
    text: `error: …`, and indented below it the causes and the remedy.
    """

    def __init__(self) -> None:
        self._error = ""
        self._is_of_tool = False
        self._is_inside_error = False

    @property
    def error(self) -> str:
        """The last error with its remedy; empty if there was none.

        One of the tool's own outranks those of Spark, which tell of every lost attempt.
        """
        cut = len(self._error) > MOST_ERROR_CHARACTERS
        return self._error[:MOST_ERROR_CHARACTERS] + "…" if cut else self._error

    def read(self, line: str) -> tuple[int, str]:
        """The level and the text of a line, for the task's log; the text of an empty line is empty."""
        record = _record(line)
        if record is None:
            return self._read_text(line)
        self._is_inside_error = False
        level = _LEVELS.get(str(record.get("level", "info")).lower(), logging.INFO)
        text = _sentence(record)
        if level >= logging.ERROR:
            self._remember(text, is_of_tool=str(record.get("logger")).startswith("salesflow"))
        return level, text

    def _read_text(self, line: str) -> tuple[int, str]:
        text = line.strip()
        if line.startswith("error: "):
            text = text.removeprefix("error:").lstrip()
            self._remember(f"{self._error}; {text}" if self._is_inside_error else text, is_of_tool=True)
            self._is_inside_error = True
        elif self._is_inside_error and line.startswith("  ") and text:
            self._remember(f"{self._error}; {text}", is_of_tool=True)
        else:
            self._is_inside_error = False
        return logging.ERROR if self._is_inside_error else logging.INFO, line if text else ""

    def _remember(self, error: str, *, is_of_tool: bool) -> None:
        if is_of_tool or not self._is_of_tool:
            self._error, self._is_of_tool = error, is_of_tool


def relay(log: logging.Logger, output: Output, line: str) -> None:
    """Writes one output line of a stage to the task's log."""
    level, text = output.read(line)
    if text:
        log.log(level, "%s", text)


def last_error(text: str) -> str:
    """The last error that a whole output, or the end of one, tells of; empty if there is none."""
    output = Output()
    for line in text.splitlines():
        output.read(line)
    return output.error


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("message"), str) else None


def _sentence(record: dict[str, Any]) -> str:
    """The message with what explains it: `error` is the cause, `remedy` what to do."""
    text, error, remedy = record["message"], record.get("error"), record.get("remedy")
    if isinstance(error, str) and error and error not in text:
        text = f"{text}: {error}"
    if isinstance(remedy, str) and remedy:
        text = f"{text.rstrip('.')}. {remedy}"
    return text

"""Exit codes, and the output of stages."""

from __future__ import annotations

import logging

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from salesflow_runners.outcomes import (
    MAX_ERROR_CHARACTERS,
    OutputParser,
    last_error,
    log_line,
    to_exception,
)

EXCEPTIONS = [
    (1, AirflowFailException, "load failed permanently (exit code 1); see the end of its log"),
    (
        2,
        AirflowFailException,
        "load has a usage or configuration error (exit code 2); see the end of its log",
    ),
    (75, AirflowException, "load failed temporarily (exit code 75); it can be retried"),
    (137, AirflowException, "load ended with exit code 137; it can be retried"),
    (-9, AirflowException, "load was terminated by signal 9; it can be retried"),
    (None, AirflowException, "load ended without an exit code; it can be retried"),
]


@pytest.mark.parametrize(("exit_code", "kind", "message"), EXCEPTIONS)
def test_to_exception_is_permanent_for_exit_codes_1_and_2(
    exit_code: int | None, kind: type[Exception], message: str
) -> None:
    error = to_exception("load", exit_code)
    assert (type(error), str(error)) == (kind, message)
    assert str(to_exception("load", exit_code, "disk full")).endswith(". Last error: disk full")


def test_ingest_without_an_export_says_so() -> None:
    error = to_exception("ingest", 75, "The newest export is of 2026-11-16")
    assert type(error) is AirflowException
    assert str(error) == (
        "ingest has no new export that it can read yet (exit code 75); it can be retried. "
        "Last error: The newest export is of 2026-11-16"
    )


def test_log_line_keeps_the_level(caplog) -> None:
    lines = [
        '{"@timestamp": "2026-11-24T09:45:00Z", "level": "WARN", "message": "slow disk", "logger": "x"}',
        '{"level": "info", "message": "1000000 rows in"}',
        '{"stage": "load", "rows": 3}',
        "plain words",
        "",
        '{"level": "ERROR", "message": "No raw data", "remedy": "Generate it again.", "exit_code": 1}',
        '{"level": "WARN", "message": "Lost task 3", "error": "Connection reset", "remedy": null}',
        '{"level": "WARN", "message": "Lost task 4", "error": null}',
        "error: load: Cannot reach db",
        "  because: refused",
        "Picked up JAVA_TOOL_OPTIONS",
    ]
    caplog.set_level(logging.DEBUG, logger="stage")
    output = OutputParser()
    for line in lines:
        log_line(logging.getLogger("stage"), output, line)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "slow disk"),
        ("INFO", "1000000 rows in"),
        ("INFO", lines[2]),
        ("INFO", "plain words"),
        ("ERROR", "No raw data. Generate it again."),
        ("WARNING", "Lost task 3: Connection reset"),
        ("WARNING", "Lost task 4"),
        ("ERROR", "error: load: Cannot reach db"),
        ("ERROR", "  because: refused"),
        ("INFO", "Picked up JAVA_TOOL_OPTIONS"),
    ]


TOOL = '{"level": "ERROR", "logger": "salesflow.clean", "message": "No raw data", "remedy": "Generate it."}'
SPARK = '{"level": "ERROR", "logger": "org.apache.spark.X", "message": "Task lost", "error": "reset"}'
ERRORS = [
    ("none", ["plain words", '{"level": "WARN", "message": "slow"}'], ""),
    ("of the job", [TOOL], "No raw data. Generate it."),
    ("of Spark", [SPARK, "plain words"], "Task lost: reset"),
    ("of both, the job's first", [TOOL, SPARK], "No raw data. Generate it."),
    ("of both, Spark's first", [SPARK, TOOL], "No raw data. Generate it."),
    (
        "of the binary",
        ["error: load: Cannot reach db", "  because: refused", "  Start it.", "", "  no more"],
        "load: Cannot reach db; because: refused; Start it.",
    ),
    ("of the binary, several", ["error: --rows: 0", "error: --seed: x"], "--rows: 0; --seed: x"),
    ("of the binary, the last", ["error: first", "words", "error: second"], "second"),
]


@pytest.mark.parametrize(("lines", "error"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_last_error_prefers_errors_of_salesflow(lines: list[str], error: str) -> None:
    assert last_error("\n".join(lines)) == error


def test_last_error_is_truncated() -> None:
    assert len(last_error(f"error: {'x' * 5000}")) == MAX_ERROR_CHARACTERS + 1

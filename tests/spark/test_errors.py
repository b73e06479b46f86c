"""Conversion of exceptions to errors with a remedy and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from errors import (
    EXIT_FAILURE,
    EXIT_TEMPFAIL,
    SEE_LOG_REMEDY,
    TRANSIENT_SQLSTATES,
    StageError,
    first_line,
    is_missing_file,
    to_stage_error,
)


def test_to_stage_error_keeps_stage_errors_and_makes_unknown_errors_permanent() -> None:
    known = StageError("it is so", "do this", 75)
    assert to_stage_error(known) is known
    unknown = to_stage_error(ZeroDivisionError("division by zero"))
    assert (unknown.message, unknown.remedy) == ("division by zero", SEE_LOG_REMEDY)
    assert unknown.exit_code == EXIT_FAILURE


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("Cannot call methods on a stopped SparkContext.")]
)
def test_to_stage_error_recognises_temporary_failures(error: BaseException) -> None:
    assert to_stage_error(error).exit_code == EXIT_TEMPFAIL


def test_to_stage_error_reads_java_exceptions(spark: SparkSession, tmp_path: Path) -> None:
    jvm = spark.sparkContext._jvm
    with pytest.raises(Exception, match="nowhere") as missing:
        jvm.java.io.FileInputStream(str(tmp_path / "nowhere"))
    assert is_missing_file(missing.value)
    assert to_stage_error(missing.value).message == f"{tmp_path}/nowhere (No such file or directory)"
    assert to_stage_error(missing.value).exit_code == EXIT_FAILURE
    with pytest.raises(Exception, match="Connection refused") as refused:
        jvm.java.net.Socket("127.0.0.1", 1)
    assert not is_missing_file(refused.value)
    assert to_stage_error(refused.value).exit_code == EXIT_TEMPFAIL


def test_first_line_removes_java_class_names() -> None:
    assert first_line("\njava.io.IOException: disk full\n\tat x.y.Z") == "disk full"
    assert first_line("plain: text") == "plain: text"


@pytest.mark.parametrize(
    ("state", "is_transient"),
    [
        *[("08006", True), ("25P03", True), ("25P04", True), ("53300", True), ("57P01", True)],
        *[("22003", False), ("22023", False), ("42704", False), ("42P01", False)],
    ],
)
def test_transient_sqlstates_are_those_that_a_retry_may_resolve(state: str, is_transient: bool) -> None:
    assert bool(TRANSIENT_SQLSTATES.match(state)) == is_transient

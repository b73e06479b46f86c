"""Command line of salesflow's Spark engine: the stages clean and aggregate.

    spark-submit job.py clean --store file:///data --run-id 2026-11-24
    spark-submit --jars postgresql.jar job.py aggregate --store s3://bucket --run-id 2026-11-24

Its modules are imported from the same folder. Only the driver runs Python, so executors need neither the
modules nor --py-files. PostgreSQL is set by SALESFLOW_POSTGRES_URL or SALESFLOW_POSTGRES_URL_FILE, the store
by --store or SALESFLOW_STORE. Without spark-submit (python job.py …) it runs on local[*], with the JDBC
driver of SALESFLOW_POSTGRES_JAR.

Exit codes: 0 success, 1 permanent failure, 2 usage error, 75 temporary failure (retry).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from pyspark import SparkContext
from pyspark.sql import SparkSession

from aggregate_stage import aggregate
from clean_stage import CleanOptions, clean
from errors import EXIT_OK, EXIT_TEMPFAIL, EXIT_USAGE, StageError, to_stage_error
from log import log
from postgres import cancel_statements, target_from_environment
from record import StageRecord
from result import StageResult
from session import start_session
from store import Store, hadoop_root

RUN_ID = re.compile(r"\A(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}\Z")
# Interval at which the main thread checks for signals.
SIGNAL_POLL_S = 0.2
Work = Callable[[SparkSession, Store], StageResult]


def parse_run_id(text: str) -> str:
    """Parses --run-id."""
    if not RUN_ID.match(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} must match [a-z0-9][a-z0-9._-]{{0,62}} and not contain .."
        )
    return text


def parse_share(text: str) -> float:
    """Parses a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 0 to 1")
    return number


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parses the command line; on errors argparse exits with code 2.

    Options default to the environment variables of the salesflow binary.
    """
    variables = os.environ
    parser = argparse.ArgumentParser(prog="job.py", description="The Spark engine of salesflow.")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    clean_parser = stages.add_parser("clean", help="validate and deduplicate raw/ into clean/ and rejected/")
    aggregate_parser = stages.add_parser("aggregate", help="aggregate shop.sales into shop.sales_aggregates")
    for stage in (clean_parser, aggregate_parser):
        stage.add_argument("--store", metavar="URL", default=variables.get("SALESFLOW_STORE"))
        stage.add_argument(
            "--run-id", metavar="ID", type=parse_run_id, default=variables.get("SALESFLOW_RUN_ID") or None
        )
    max_rejected = variables.get("SALESFLOW_MAX_REJECTED") or CleanOptions.max_rejected
    clean_parser.add_argument("--max-rejected", metavar="SHARE", type=parse_share, default=max_rejected)
    no_date_range = variables.get("SALESFLOW_NO_DATE_RANGE", "").lower() not in ("", "0", "false", "no")
    clean_parser.add_argument("--no-date-range", action="store_true", default=no_date_range)
    options = parser.parse_args(arguments)
    missing = [
        name for name, value in {"--store": options.store, "--run-id": options.run_id}.items() if not value
    ]
    if missing:
        parser.error(f"pass {' and '.join(missing)}")
    return options


def prepare(options: argparse.Namespace) -> Work:
    """Validates the configuration, before Spark starts, and returns the stage to run."""
    hadoop_root(options.store)
    if options.stage == "clean":
        clean_options = CleanOptions(options.max_rejected, not options.no_date_range)
        return lambda spark, store: clean(spark, store, options.run_id, clean_options)
    target = target_from_environment()
    return lambda spark, store: aggregate(spark, target, options.run_id)


def run(options: argparse.Namespace, signals: SignalHandler) -> StageResult:
    """Runs the stage under the run's lock and records it in the store."""
    work = prepare(options)
    spark = start_session(options.stage, options.run_id)
    try:
        store = Store(spark, options.store)
        if not store.exists(f"runs/{options.run_id}/run.json"):
            raise StageError(
                f"There is no run {options.run_id} in {store.url}",
                "Run generate or ingest first, or list the runs with: salesflow status",
                EXIT_USAGE,
            )
        with store.locked(f"runs/{options.run_id}/.lock-run"):
            record = StageRecord(store, options.run_id, options.stage)
            try:
                result = work(spark, store)
            except BaseException as error:
                record_failure(record, options, signals.to_stage_error(error))
                raise
            record.mark_done(result.rows_in, result.rows_out, result.facts)
            return result
    finally:
        spark.stop()


def record_failure(record: StageRecord, options: argparse.Namespace, failure: StageError) -> None:
    """Records the failure. If that fails too, it is only logged: the first error is the one to report."""
    try:
        record.mark_failed(failure)
    except Exception as error:
        message = f"cannot record the failure: {to_stage_error(error).message}"
        log("WARN", options.stage, message, run_id=options.run_id)


class SignalHandler:
    """Cancels Spark's jobs and PostgreSQL's statements on SIGTERM and SIGINT.

    The stage runs in its own thread, so that the main thread can call the JVM. It cleans up as after any
    error. A second signal exits immediately.
    """

    def __init__(self) -> None:
        self.signal: str | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.signal:
            os._exit(EXIT_TEMPFAIL)
        self.signal = signal.Signals(number).name

    def to_stage_error(self, error: BaseException) -> StageError:
        """Converts an exception; after a signal, any exception is the result of the cancellation."""
        if self.signal is None:
            return to_stage_error(error)
        return StageError(f"Stopped by {self.signal}", "Run the same command again.", EXIT_TEMPFAIL)

    def wait_for(self, work: Future[StageResult]) -> StageResult:
        """Waits for the stage and returns its result; cancels it on a signal."""
        statements_cancelled = False
        while not wait([work], SIGNAL_POLL_S).done:
            if self.signal is None:
                continue
            # Jobs are cancelled repeatedly, because the stage may be between two of them; statements only
            # once, because later ones belong to the cleanup.
            if context := SparkContext._active_spark_context:
                context.cancelAllJobs()
            if not statements_cancelled:
                cancel_statements()
                statements_cancelled = True
        return work.result()


def main(arguments: Sequence[str]) -> int:
    """Runs the stage and returns the exit code."""
    options = parse_arguments(arguments)
    signals = SignalHandler()
    with ThreadPoolExecutor(1) as thread:
        try:
            result = signals.wait_for(thread.submit(run, options, signals))
        except BaseException as error:
            failure = signals.to_stage_error(error)
            details = {"run_id": options.run_id, "remedy": failure.remedy, "exit_code": failure.exit_code}
            log("ERROR", options.stage, failure.message, **details)
            return failure.exit_code
    counts = {"rows_in": result.rows_in, "rows_out": result.rows_out}
    log("INFO", options.stage, "done", run_id=options.run_id, **counts)
    print(json.dumps({"stage": options.stage, "run_id": options.run_id, **counts, "facts": result.facts}))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

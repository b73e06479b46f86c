"""The Spark engine of salesflow: the stages clean and aggregate.

    spark-submit job.py clean --store file:///data --run-id 2026-11-24
    spark-submit --jars postgresql.jar job.py aggregate --store s3://bucket --run-id 2026-11-24

A plain main file: its modules lie beside it, where Python finds them, and only the driver runs Python, so
executors need neither them nor --py-files. PostgreSQL is named by SALESFLOW_POSTGRES_URL or
SALESFLOW_POSTGRES_URL_FILE, the store by --store or SALESFLOW_STORE. Without spark-submit (python job.py …)
it runs on local[*], with the JDBC driver that SALESFLOW_POSTGRES_JAR names.
Exit codes: 0 done, 1 failed for good, 2 wrong usage, 75 failed for now (try again).
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
from errors import DONE, TRY_AGAIN, StageError, explain
from log import log
from postgres import cancel_statements, target_from_environment
from record import StageRecord
from result import StageResult
from session import start_session
from store import Store, hadoop_root

RUN_ID = re.compile(r"\A(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}\Z")
# How often the main thread looks for a signal.
SIGNAL_SECONDS = 0.2
Work = Callable[[SparkSession, Store], StageResult]


def run_id(text: str) -> str:
    """Reads --run-id."""
    if not RUN_ID.match(text):
        raise argparse.ArgumentTypeError(f"{text!r} must match [a-z0-9][a-z0-9._-]{{0,62}} and hold no ..")
    return text


def share(text: str) -> float:
    """Reads a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 0 to 1")
    return number


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the command line; argparse ends the process with exit code 2 when it is wrong.

    What is not given comes from the same variables as with the salesflow binary.
    """
    variables = os.environ
    parser = argparse.ArgumentParser(prog="job.py", description="The Spark engine of salesflow.")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    clean_parser = stages.add_parser("clean", help="raw/ to clean/ and rejected/")
    aggregate_parser = stages.add_parser("aggregate", help="shop.sales to shop.sales_aggregates")
    for stage in (clean_parser, aggregate_parser):
        stage.add_argument("--store", metavar="URL", default=variables.get("SALESFLOW_STORE"))
        stage.add_argument(
            "--run-id", metavar="ID", type=run_id, default=variables.get("SALESFLOW_RUN_ID") or None
        )
    allowed = variables.get("SALESFLOW_MAX_REJECTED") or CleanOptions.max_rejected
    clean_parser.add_argument("--max-rejected", metavar="SHARE", type=share, default=allowed)
    every_date = variables.get("SALESFLOW_NO_DATE_RANGE", "").lower() not in ("", "0", "false", "no")
    clean_parser.add_argument("--no-date-range", action="store_true", default=every_date)
    options = parser.parse_args(arguments)
    missing = [
        name for name, value in {"--store": options.store, "--run-id": options.run_id}.items() if not value
    ]
    if missing:
        parser.error(f"pass {' and '.join(missing)}")
    return options


def work_of(options: argparse.Namespace) -> Work:
    """What to do, with everything that can be wrong in the configuration looked at before Spark starts."""
    hadoop_root(options.store)
    if options.stage == "clean":
        chosen = CleanOptions(options.max_rejected, not options.no_date_range)
        return lambda spark, store: clean(spark, store, options.run_id, chosen)
    target = target_from_environment()
    return lambda spark, store: aggregate(spark, target, options.run_id)


def run(options: argparse.Namespace, stop: Stop) -> StageResult:
    """Runs the stage and keeps its record in the store."""
    work = work_of(options)
    spark = start_session(options.stage, options.run_id)
    try:
        store = Store(spark, options.store)
        if not store.exists(f"runs/{options.run_id}/run.json"):
            raise StageError(
                f"There is no run {options.run_id} in {store.url}", "Run generate or ingest first."
            )
        with store.locked(f"runs/{options.run_id}/.lock-run"):
            record = StageRecord(store, options.run_id, options.stage)
            try:
                result = work(spark, store)
            except BaseException as error:
                keep_failure(record, options, stop.explain(error))
                raise
            record.done(result.rows_in, result.rows_out, result.facts)
            return result
    finally:
        spark.stop()


def keep_failure(record: StageRecord, options: argparse.Namespace, failure: StageError) -> None:
    """Writes the failure into the record; when the store is what failed, the first error is reported."""
    try:
        record.failed(failure)
    except Exception as second:
        message = f"cannot keep a record of the failure: {explain(second).message}"
        log("WARN", options.stage, message, run_id=options.run_id)


class Stop:
    """Ends the work on SIGTERM and SIGINT: Spark's jobs and PostgreSQL's statements are cancelled.

    The stage runs in a thread of its own, so that the one which is told to stop is free to talk to the JVM;
    what the stage leaves is cleared as after any error. A second signal ends the process at once.
    """

    def __init__(self) -> None:
        self.signal: str | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.signal:
            os._exit(TRY_AGAIN)
        self.signal = signal.Signals(number).name

    def explain(self, error: BaseException) -> StageError:
        """The error as people should see it: what was cancelled on request did not fail by itself."""
        if self.signal is None:
            return explain(error)
        return StageError(f"Stopped by {self.signal}", "Run the same command again.", TRY_AGAIN)

    def wait_for(self, work: Future[StageResult]) -> StageResult:
        """The result of the stage, which is cancelled when a signal comes."""
        statements_cancelled = False
        while not wait([work], SIGNAL_SECONDS).done:
            if self.signal is None:
                continue
            # Jobs once more each time, because the stage may be between two of them; statements only once,
            # because the next ones clear away what is left.
            if context := SparkContext._active_spark_context:
                context.cancelAllJobs()
            if not statements_cancelled:
                cancel_statements()
                statements_cancelled = True
        return work.result()


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    options = parse(arguments)
    stop = Stop()
    with ThreadPoolExecutor(1) as thread:
        try:
            result = stop.wait_for(thread.submit(run, options, stop))
        except BaseException as error:
            failure = stop.explain(error)
            details = {"run_id": options.run_id, "remedy": failure.remedy, "exit_code": failure.exit_code}
            log("ERROR", options.stage, failure.message, **details)
            return failure.exit_code
    counts = {"rows_in": result.rows_in, "rows_out": result.rows_out}
    log("INFO", options.stage, "done", run_id=options.run_id, **counts)
    print(json.dumps({"stage": options.stage, "run_id": options.run_id, **counts, "facts": result.facts}))
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

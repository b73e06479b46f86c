"""The Spark engine of salesflow: the stages clean and aggregate.

    spark-submit job.py clean --store file:///data --run-id 2026-11-24
    spark-submit --jars postgresql.jar job.py aggregate --store s3://bucket --run-id 2026-11-24

A plain main file: its modules lie beside it, where Python finds them, and only the driver runs Python, so executors need
neither them nor --py-files. PostgreSQL is named by SALESFLOW_POSTGRES_URL or SALESFLOW_POSTGRES_URL_FILE, the store by
--store or SALESFLOW_STORE. Without spark-submit (python job.py …) it runs on local[*], with the JDBC driver that
SALESFLOW_POSTGRES_JAR names. Exit codes: 0 done, 1 failed for good, 2 wrong usage, 75 failed for now (try again).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence

from aggregate_stage import aggregate
from clean_stage import CleanOptions, clean
from errors import DONE, TRY_AGAIN, StageError, explain
from log import log
from postgres import target_from_environment
from pyspark.sql import SparkSession
from record import StageRecord
from result import StageResult
from session import start_session
from store import Store, hadoop_root

RUN_ID = re.compile(r"\A(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}\Z")
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
    """Reads the command line; argparse ends the process with exit code 2 when it is wrong."""
    parser = argparse.ArgumentParser(prog="job.py", description="The Spark engine of salesflow.")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    clean_parser = stages.add_parser("clean", help="raw/ to clean/ and rejected/")
    aggregate_parser = stages.add_parser("aggregate", help="shop.sales to shop.sales_aggregates")
    for stage in (clean_parser, aggregate_parser):
        stage.add_argument("--store", default=os.environ.get("SALESFLOW_STORE"), help="file:///folder or s3://bucket")
        stage.add_argument("--run-id", required=True, type=run_id)
    clean_parser.add_argument("--max-rejected", type=share, default=CleanOptions.max_rejected, metavar="SHARE")
    clean_parser.add_argument("--no-date-range", action="store_true", help="accept sales outside the year up to as-of")
    options = parser.parse_args(arguments)
    if not options.store:
        parser.error("pass --store or set SALESFLOW_STORE")
    return options


def work_of(options: argparse.Namespace) -> Work:
    """What to do, with everything that can be wrong in the configuration looked at before Spark starts."""
    hadoop_root(options.store)
    if options.stage == "clean":
        chosen = CleanOptions(options.max_rejected, not options.no_date_range)
        return lambda spark, store: clean(spark, store, options.run_id, chosen)
    target = target_from_environment()
    return lambda spark, store: aggregate(spark, target, options.run_id)


def run(options: argparse.Namespace) -> StageResult:
    """Runs the stage and keeps its record in the store."""
    work = work_of(options)
    spark = start_session(options.stage, options.run_id)
    try:
        store = Store(spark, options.store)
        record = StageRecord(store, options.run_id, options.stage)
        try:
            result = work(spark, store)
        except BaseException as error:
            keep_failure(record, options, explain(error))
            raise
        record.done(result.rows_in, result.rows_out, result.facts)
        return result
    finally:
        spark.stop()


def keep_failure(record: StageRecord, options: argparse.Namespace, failure: StageError) -> None:
    """Writes the failure into the record; the store may be what failed, and the first error is the one to report."""
    try:
        record.failed(failure)
    except Exception as second:
        message = f"cannot keep a record of the failure: {explain(second).message}"
        log("WARN", options.stage, message, run_id=options.run_id)


def stop(number: int, _frame: object) -> None:
    """Turns a signal into an error, so that temporary files and tables are cleared away."""
    name = signal.Signals(number).name
    raise StageError(f"Stopped by {name}", "Run the same command again.", TRY_AGAIN)


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, stop)
    try:
        result = run(options)
    except (Exception, KeyboardInterrupt) as error:
        failure = explain(error)
        details = {"run_id": options.run_id, "remedy": failure.remedy, "exit_code": failure.exit_code}
        log("ERROR", options.stage, failure.message, **details)
        return failure.exit_code
    counts = {"rows_in": result.rows_in, "rows_out": result.rows_out}
    log("INFO", options.stage, "done", run_id=options.run_id, **counts)
    print(json.dumps({"stage": options.stage, "run_id": options.run_id, **counts, "facts": result.facts}))
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

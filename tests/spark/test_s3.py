"""clean on a bucket: versitygw speaks S3, and the job has the jars of the images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cases import AS_OF, HEADER
from cluster import answers, wait_until
from jars import class_path
from server import PATIENCE_S, free_port
from stores import REJECTED_HEADER, RUN_ID, put_raw, read_manifest, read_rows
from test_job import JOB, environment

PROGRAM = os.environ.get("SALESFLOW_TEST_S3_SERVER")
BUCKET, PREFIX = "shop", "weekly"
KEYS = {"AWS_ACCESS_KEY_ID": "keeper", "AWS_SECRET_ACCESS_KEY": "marked-s3-5c1d", "AWS_REGION": "us-east-1"}
ROWS = "".join(f"{number},11,22,3,{AS_OF},10.00,North\n" for number in range(1, 101))
RAW = [f"{HEADER}\n{ROWS}".encode(), f"{HEADER}\n1,11,22,3,{AS_OF},11.00,North\nx\n".encode()]

pytestmark = pytest.mark.skipif(not PROGRAM, reason="without Go there is no S3 service to test against")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """A service whose bucket is the folder objects/shop, so that tests can look into it."""
    attributes, objects = tmp_path / "attributes", tmp_path / "objects"
    attributes.mkdir()
    (objects / BUCKET).mkdir(parents=True)
    port = free_port()
    keys = {"ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    process = subprocess.Popen(
        [str(PROGRAM), "--port", f"127.0.0.1:{port}", "posix", "--sidecar", attributes, objects],
        env={**os.environ, **keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def upload(spark: SparkSession, endpoint: str, run: Path) -> None:
    """Copies a run into the bucket, by Hadoop's own client."""
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    values = {
        "endpoint": endpoint,
        "endpoint.region": KEYS["AWS_REGION"],
        "path.style.access": "true",
        "access.key": KEYS["AWS_ACCESS_KEY_ID"],
        "secret.key": KEYS["AWS_SECRET_ACCESS_KEY"],
    }
    for name, value in values.items():
        configuration.set(f"fs.s3a.{name}", value)
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path
    target = path(f"s3a://{BUCKET}/{PREFIX}/runs/{RUN_ID}")
    files = target.getFileSystem(configuration)
    try:
        files.copyFromLocalFile(path(run.as_uri()), target)
    finally:
        # The next test's service has another port.
        files.close()


def run_job(endpoint: str, *settings: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs clean with the images' jars on Spark's class path, as in the images."""
    configured = " ".join(f"--conf {setting}" for setting in ("spark.ui.enabled=false", *settings))
    return subprocess.run(
        [sys.executable, JOB, "clean", "--store", f"s3://{BUCKET}/{PREFIX}", "--run-id", RUN_ID],
        env=environment(
            PYSPARK_SUBMIT_ARGS=f"{configured} --driver-class-path {class_path()} pyspark-shell",
            SALESFLOW_S3_ENDPOINT=endpoint,
            **{**KEYS, **variables},
        ),
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE_S,
    )


def test_job_cleans_in_a_bucket(spark: SparkSession, endpoint: str, tmp_path: Path) -> None:
    upload(spark, endpoint, put_raw(tmp_path / "local", RAW, AS_OF))
    run = tmp_path / "objects" / BUCKET / PREFIX / "runs" / RUN_ID
    for _ in range(2):
        done = run_job(endpoint)
        assert done.returncode == 0, done.stderr
    assert sorted(read_rows(run, "clean", f"{HEADER}\n".encode())) == sorted(ROWS.encode().splitlines())
    raw = f"1,11,22,3,{AS_OF},11.00,North"
    assert read_rows(run, "rejected", REJECTED_HEADER) == [
        f'part-00001.csv,2,conflicting_duplicate,"{raw}"'.encode(),
        b'part-00001.csv,3,malformed_row,"x"',
    ]
    assert read_manifest(run, "clean")["facts"]["rows_in"] == 102
    assert json.loads((run / "stages" / "clean.json").read_text())["attempt"] == 2
    names = {path.name for path in run.iterdir()}
    assert names == {"run.json", "raw", "clean", "rejected", "stages"}


def test_job_says_what_is_wrong_with_a_bucket(endpoint: str) -> None:
    secret = "not-the-secret-77"
    failed = run_job(endpoint, AWS_SECRET_ACCESS_KEY=secret)
    assert failed.returncode == 1, failed.stderr
    last = json.loads(failed.stderr.splitlines()[-1])
    assert "AWS_SECRET_ACCESS_KEY" in last["remedy"]
    assert secret not in failed.stderr
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in failed.stderr


def test_job_tries_again_later_when_the_service_is_down() -> None:
    patience = ("spark.hadoop.fs.s3a.attempts.maximum=1", "spark.hadoop.fs.s3a.retry.limit=1")
    failed = run_job(f"http://127.0.0.1:{free_port()}", *patience)
    assert failed.returncode == 75, failed.stderr

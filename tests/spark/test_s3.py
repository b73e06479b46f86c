"""clean on a bucket: versitygw speaks S3, and the job has the jars of the images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import s3_lease
from cases import AS_OF, HEADER
from cluster import SPARK_HOME, answers, running_cluster, wait_until
from errors import TRY_AGAIN, StageError
from jars import class_path
from server import PATIENCE_S, free_port
from store import Store
from stores import REJECTED_HEADER, RUN_ID, put_raw, read_manifest, read_rows
from test_job import JOB, environment

PROGRAM = os.environ.get("SALESFLOW_TEST_S3_SERVER")
BUCKET, PREFIX = "shop", "weekly"
KEYS = {"AWS_ACCESS_KEY_ID": "keeper", "AWS_SECRET_ACCESS_KEY": "marked-s3-5c1d", "AWS_REGION": "us-east-1"}
ROWS = "".join(f"{number},11,22,3,{AS_OF},10.00,North\n" for number in range(1, 101))
LOCK = f"runs/{RUN_ID}/.lock-run"
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


@pytest.fixture
def bucket(spark: SparkSession, endpoint: str) -> Iterator[str]:
    """The store's address, which the session of the tests can reach."""
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
    root = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(f"s3a://{BUCKET}/")
    yield f"s3://{BUCKET}/{PREFIX}"
    # The next test's service has another port.
    root.getFileSystem(configuration).close()


def upload(spark: SparkSession, bucket: str, run: Path) -> None:
    """Copies a run into the bucket, by Hadoop's own client."""
    path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path
    target = path(f"{bucket.replace('s3:', 's3a:')}/runs/{RUN_ID}")
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    target.getFileSystem(configuration).copyFromLocalFile(path(run.as_uri()), target)


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


def test_job_cleans_in_a_bucket(spark: SparkSession, endpoint: str, bucket: str, tmp_path: Path) -> None:
    upload(spark, bucket, put_raw(tmp_path / "local", RAW, AS_OF))
    run = tmp_path / "objects" / BUCKET / PREFIX / "runs" / RUN_ID
    for _ in range(2):
        done = run_job(endpoint)
        assert done.returncode == 0, done.stderr
        assert "audit" not in done.stderr
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


def test_job_runs_on_a_cluster_with_a_bucket(
    spark: SparkSession, endpoint: str, bucket: str, tmp_path: Path
) -> None:
    upload(spark, bucket, put_raw(tmp_path / "local", RAW, AS_OF))
    jars = class_path()
    # The workers know nothing of the bucket: its address and keys come from the driver.
    with running_cluster(tmp_path, workers=1, cores=1, memory="1g", env=environment()) as master:
        submit = [SPARK_HOME / "bin" / "spark-submit", "--master", master, "--driver-class-path", jars]
        settings = {"ui.enabled": "false", "executor.memory": "512m", "executor.extraClassPath": jars}
        options = [part for name, value in settings.items() for part in ("--conf", f"spark.{name}={value}")]
        done = subprocess.run(
            [*submit, *options, JOB, "clean", "--store", bucket, "--run-id", RUN_ID],
            env=environment(SALESFLOW_S3_ENDPOINT=endpoint, **KEYS),
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE_S,
        )
    assert done.returncode == 0, done.stderr
    run = tmp_path / "objects" / BUCKET / PREFIX / "runs" / RUN_ID
    assert sorted(read_rows(run, "clean", f"{HEADER}\n".encode())) == sorted(ROWS.encode().splitlines())
    assert len(read_rows(run, "rejected", REJECTED_HEADER)) == 2


def test_locked_holds_a_lease_that_others_honour(spark: SparkSession, bucket: str, tmp_path: Path) -> None:
    first, second = Store(spark, bucket), Store(spark, bucket)
    path = tmp_path / "objects" / BUCKET / PREFIX / LOCK
    with first.locked(LOCK):
        assert list(json.loads(path.read_text())) == ["owner", "renewed_at"]
        with (
            pytest.raises(StageError, match="Another salesflow command holds") as failure,
            second.locked(LOCK),
        ):
            pass
        assert failure.value.exit_code == TRY_AGAIN
        first.confirm_lock()
    assert not path.exists()
    with second.locked(LOCK):
        assert path.exists()
    assert not path.exists()


def test_locked_renews_its_lease_and_notices_when_it_is_lost(
    spark: SparkSession, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lease, "RENEW_S", 0.05)
    store = Store(spark, bucket)
    path = tmp_path / "objects" / BUCKET / PREFIX / LOCK
    with store.locked(LOCK):
        before = path.read_text()
        wait_for(lambda: path.exists() and path.read_text() not in ("", before))
        store.confirm_lock()
        # Somebody else takes it over, which changes its ETag.
        store.write_text(LOCK, "somebody else")
        wait_for(lambda: lost(store))
        with pytest.raises(StageError, match="was lost") as failure:
            store.confirm_lock()
        assert failure.value.exit_code == TRY_AGAIN
    # Not ours to delete.
    assert path.read_text() == "somebody else"


def lost(store: Store) -> bool:
    """Whether the store's lock is lost."""
    try:
        store.confirm_lock()
    except StageError:
        return True
    return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_locked_takes_over_a_lease_that_nobody_renews(
    spark: SparkSession, bucket: str, tmp_path: Path
) -> None:
    store = Store(spark, bucket)
    # What a command that was killed leaves behind.
    store.write_text(LOCK, "{}")
    path = tmp_path / "objects" / BUCKET / PREFIX / LOCK
    with pytest.raises(StageError, match="Another salesflow command holds") as failure, store.locked(LOCK):
        pass
    assert "free after 60 seconds" in str(failure.value.remedy)
    long_ago = time.time() - 61
    os.utime(path, (long_ago, long_ago))
    with store.locked(LOCK):
        assert path.read_text() != "{}"
    assert not path.exists()

"""The job on a bucket, with the jars of the images."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pyspark.sql import SparkSession

from cases import AS_OF, HEADER
from cluster import SPARK_HOME, running_cluster
from jars import class_path
from s3_server import BUCKET, KEYS, PREFIX, bucket_folder, needs_s3_server
from server import WAIT_TIMEOUT_S, free_port
from stores import REJECTED_HEADER, RUN_ID, read_manifest, read_rows, write_raw
from test_job import JOB, environment

ROWS = "".join(f"{number},11,22,3,{AS_OF},10.00,North\n" for number in range(1, 101))
RAW = [f"{HEADER}\n{ROWS}".encode(), f"{HEADER}\n1,11,22,3,{AS_OF},11.00,North\nx\n".encode()]

pytestmark = needs_s3_server


def upload(spark: SparkSession, bucket: str, run: Path) -> None:
    """Copies a run into the bucket with Hadoop's own client."""
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
        timeout=10 * WAIT_TIMEOUT_S,
    )


class _Identity(BaseHTTPRequestHandler):
    """Stands in for the agent of EKS Pod Identity: gives keys to who has the token."""

    TOKEN = "token-of-the-service-account"
    answered = 0

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == self.TOKEN
        keys = {
            "AccessKeyId": KEYS["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": KEYS["AWS_SECRET_ACCESS_KEY"],
            "Token": "",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        body = json.dumps(keys if known else {}).encode()
        _Identity.answered += known
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_job_has_the_role_of_its_service_account(
    spark: SparkSession, endpoint: str, bucket: str, tmp_path: Path
) -> None:
    upload(spark, bucket, write_raw(tmp_path / "local", RAW, AS_OF))
    token = tmp_path / "token"
    token.write_text(_Identity.TOKEN)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Identity)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = run_job(
            endpoint,
            AWS_ACCESS_KEY_ID="",
            AWS_SECRET_ACCESS_KEY="",
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://127.0.0.1:{server.server_port}/v1/credentials",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token),
        )
    finally:
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert _Identity.answered > 0
    run = bucket_folder(tmp_path) / "runs" / RUN_ID
    assert sorted(read_rows(run, "clean", f"{HEADER}\n".encode())) == sorted(ROWS.encode().splitlines())


def test_job_cleans_in_a_bucket(spark: SparkSession, endpoint: str, bucket: str, tmp_path: Path) -> None:
    upload(spark, bucket, write_raw(tmp_path / "local", RAW, AS_OF))
    run = bucket_folder(tmp_path) / "runs" / RUN_ID
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


def test_job_explains_wrong_credentials_without_showing_them(endpoint: str) -> None:
    secret = "not-the-secret-77"
    failed = run_job(endpoint, AWS_SECRET_ACCESS_KEY=secret)
    assert failed.returncode == 1, failed.stderr
    last = json.loads(failed.stderr.splitlines()[-1])
    assert "AWS_SECRET_ACCESS_KEY" in last["remedy"]
    assert secret not in failed.stderr
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in failed.stderr


def test_job_exits_with_75_when_the_service_is_down() -> None:
    no_retries = ("spark.hadoop.fs.s3a.attempts.maximum=1", "spark.hadoop.fs.s3a.retry.limit=1")
    failed = run_job(f"http://127.0.0.1:{free_port()}", *no_retries)
    assert failed.returncode == 75, failed.stderr


def test_job_runs_on_a_cluster_with_a_bucket(
    spark: SparkSession, endpoint: str, bucket: str, tmp_path: Path
) -> None:
    upload(spark, bucket, write_raw(tmp_path / "local", RAW, AS_OF))
    jars = class_path()
    # The workers have no settings for the bucket: URL and keys come from the driver.
    with running_cluster(tmp_path, workers=1, cores=1, memory="1g", env=environment()) as master:
        submit = [SPARK_HOME / "bin" / "spark-submit", "--master", master, "--driver-class-path", jars]
        settings = {"ui.enabled": "false", "executor.memory": "512m", "executor.extraClassPath": jars}
        options = [part for name, value in settings.items() for part in ("--conf", f"spark.{name}={value}")]
        done = subprocess.run(
            [*submit, *options, JOB, "clean", "--store", bucket, "--run-id", RUN_ID],
            env=environment(SALESFLOW_S3_ENDPOINT=endpoint, **KEYS),
            capture_output=True,
            text=True,
            timeout=10 * WAIT_TIMEOUT_S,
        )
    assert done.returncode == 0, done.stderr
    run = bucket_folder(tmp_path) / "runs" / RUN_ID
    assert sorted(read_rows(run, "clean", f"{HEADER}\n".encode())) == sorted(ROWS.encode().splitlines())
    assert len(read_rows(run, "rejected", REJECTED_HEADER)) == 2

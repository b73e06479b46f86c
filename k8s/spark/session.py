"""The Spark session: what the results depend on is fixed here, the rest is the cluster's."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

HERE = Path(__file__).resolve().parent


def start_session(stage: str, run_id: str) -> SparkSession:
    """Starts Spark where spark-submit says, on local[*] when nobody says."""
    os.environ.setdefault("SPARK_CONF_DIR", str(HERE / "conf"))
    builder = SparkSession.builder.appName(f"salesflow {stage} {run_id}")
    for name, value in settings().items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    log_as_json(spark)
    return spark


def settings() -> dict[str, str]:
    """Settings that hold wherever the job runs."""
    found = {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        # A file that cannot be read is a failure, never fewer rows.
        "spark.sql.files.ignoreCorruptFiles": "false",
        "spark.sql.files.ignoreMissingFiles": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    # The binary's own variable, then those of Amazon's clients.
    names = ("SALESFLOW_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if endpoint:
        # Services other than Amazon's rarely serve buckets as host names.
        found["spark.hadoop.fs.s3a.endpoint"] = endpoint
        found["spark.hadoop.fs.s3a.path.style.access"] = "true"
        found["spark.hadoop.fs.s3a.connection.ssl.enabled"] = str(urlsplit(endpoint).scheme != "http").lower()
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        found["spark.hadoop.fs.s3a.endpoint.region"] = region
    if jar := os.environ.get("SALESFLOW_POSTGRES_JAR"):
        found["spark.jars"] = jar
    return found


def log_as_json(spark: SparkSession) -> None:
    """Makes the driver's JVM log JSON lines too, whoever started it."""
    jvm = spark.sparkContext._jvm
    layout = jvm.java.net.URI((HERE / "conf" / "log4j2.properties").as_uri())
    jvm.org.apache.logging.log4j.core.config.Configurator.reconfigure(layout)

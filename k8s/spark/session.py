"""The Spark session: settings that results depend on are fixed here, all others are left to the cluster."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

HERE = Path(__file__).resolve().parent


def start_session(stage: str, run_id: str) -> SparkSession:
    """Starts Spark on the master that spark-submit sets, by default on local[*]."""
    os.environ.setdefault("SPARK_CONF_DIR", str(HERE / "conf"))
    builder = SparkSession.builder.appName(f"salesflow {stage} {run_id}")
    for name, value in spark_settings().items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    configure_json_logging(spark)
    return spark


# Set by EKS in pods whose service account has a role: IAM roles for service accounts, and EKS Pod Identity.
WORKLOAD_IDENTITY = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def spark_settings() -> dict[str, str]:
    """Returns the settings that apply wherever the job runs, some of them from the environment."""
    settings = {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        # An unreadable file must fail the stage, not reduce its rows.
        "spark.sql.files.ignoreCorruptFiles": "false",
        "spark.sql.files.ignoreMissingFiles": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    # The variable of the salesflow binary, then those of the AWS SDKs.
    names = ("SALESFLOW_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if endpoint:
        # S3-compatible services rarely support virtual-hosted buckets.
        settings["spark.hadoop.fs.s3a.endpoint"] = endpoint
        settings["spark.hadoop.fs.s3a.path.style.access"] = "true"
        settings["spark.hadoop.fs.s3a.connection.ssl.enabled"] = str(
            urlsplit(endpoint).scheme != "http"
        ).lower()
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        settings["spark.hadoop.fs.s3a.endpoint.region"] = region
    if any(os.environ.get(name) for name in WORKLOAD_IDENTITY):
        # Hadoop's own list of providers has none for a web identity.
        settings["spark.hadoop.fs.s3a.aws.credentials.provider"] = (
            "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
        )
    if jar := os.environ.get("SALESFLOW_POSTGRES_JAR"):
        settings["spark.jars"] = jar
    return settings


def configure_json_logging(spark: SparkSession) -> None:
    """Makes the driver's JVM log JSON lines too, even when started with another configuration."""
    jvm = spark.sparkContext._jvm
    layout = jvm.java.net.URI((HERE / "conf" / "log4j2.properties").as_uri())
    jvm.org.apache.logging.log4j.core.config.Configurator.reconfigure(layout)

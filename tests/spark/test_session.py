"""Settings of the Spark session."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from session import spark_settings

NAMES = [
    *["SALESFLOW_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    *["AWS_REGION", "AWS_DEFAULT_REGION", "SALESFLOW_POSTGRES_JAR"],
    *["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
]


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Removes all variables that are read."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_spark_settings_leave_s3_alone_without_variables(no_variables: pytest.MonkeyPatch) -> None:
    assert not [name for name in spark_settings() if "s3a" in name or name == "spark.jars"]


def test_spark_settings_take_the_binarys_variable_first(no_variables: pytest.MonkeyPatch) -> None:
    no_variables.setenv("AWS_ENDPOINT_URL", "https://aws.example")
    assert spark_settings()["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "true"
    no_variables.setenv("SALESFLOW_S3_ENDPOINT", "http://minio:9000")
    no_variables.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    no_variables.setenv("SALESFLOW_POSTGRES_JAR", "/jars/postgresql.jar")
    settings = spark_settings()
    assert settings["spark.hadoop.fs.s3a.endpoint"] == "http://minio:9000"
    assert settings["spark.hadoop.fs.s3a.path.style.access"] == "true"
    assert settings["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"
    assert settings["spark.hadoop.fs.s3a.endpoint.region"] == "eu-central-1"
    assert settings["spark.jars"] == "/jars/postgresql.jar"


@pytest.mark.parametrize("name", ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
def test_spark_settings_use_the_role_of_the_service_account(
    no_variables: pytest.MonkeyPatch, name: str
) -> None:
    no_variables.setenv(name, "anything")
    provider = spark_settings()["spark.hadoop.fs.s3a.aws.credentials.provider"]
    assert provider == "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"


def test_spark_settings_apply_to_the_session(spark: SparkSession) -> None:
    for name, value in spark_settings().items():
        if name.startswith("spark.sql."):
            assert spark.conf.get(name) == value

"""Settings from environment variables."""

from __future__ import annotations

import re

import pytest

from conftest import DAGS, KUBERNETES
from salesflow_runners.settings import Settings


def read(changes: dict[str, str]) -> Settings:
    return Settings.from_environment(changes)


def test_defaults_are_those_of_the_local_runner() -> None:
    settings = read({})
    assert (settings.runner, settings.store, settings.binary) == (
        "local",
        "file:///var/lib/salesflow",
        "salesflow",
    )
    assert (settings.rows, settings.seed, settings.generate_shards) == (1_000_000, 1, 1)


def test_retries_of_the_binary_are_not_retries_of_tasks() -> None:
    """SALESFLOW_RETRIES belongs to the salesflow binary, to which the worker's environment is passed."""
    assert read({"SALESFLOW_RETRIES": "7"}).retries == 3
    assert read({"SALESFLOW_RETRIES": "many", "SALESFLOW_TASK_RETRIES": "5"}).retries == 5


def test_all_settings_of_kubernetes_are_read() -> None:
    settings = read(KUBERNETES)
    assert settings.secrets == ("salesflow-databases", "salesflow-s3")
    assert settings.store_path == "/data/sales"
    assert settings.spark_driver == {"cores": 1, "memory": "768m", "coreRequest": "250m"}
    assert settings.spark_executor == {"cores": 2, "instances": 3, "memory": "1g"}


def test_a_bucket_needs_no_volume() -> None:
    settings = read({**KUBERNETES, "SALESFLOW_STORE": "s3://sales/weekly", "SALESFLOW_K8S_STORE_CLAIM": ""})
    assert settings.store_path == ""


MISTAKES = [
    (
        {"SALESFLOW_RUNNER": "yarn"},
        "SALESFLOW_RUNNER must be one of local, kubernetes: current value is 'yarn'",
    ),
    (
        {"SALESFLOW_ROWS": "0"},
        "SALESFLOW_ROWS must be a whole number from 1 to 2000000000: current value is '0'",
    ),
    ({"SALESFLOW_ROWS": "1e6"}, "SALESFLOW_ROWS must be a whole number"),
    (
        {"SALESFLOW_RETRY_DELAY_SECONDS": "-1"},
        "SALESFLOW_RETRY_DELAY_SECONDS must be a whole number from 1 to 3600",
    ),
    ({"SALESFLOW_STORE": "/data"}, "SALESFLOW_STORE must be file:///folder or s3://bucket/prefix"),
    ({"SALESFLOW_STORE": "file://host/data"}, "SALESFLOW_STORE must be file:///folder"),
    ({"SALESFLOW_STORE": "ftp://host/data"}, "SALESFLOW_STORE must be file:///folder"),
    ({"SALESFLOW_SPARK_CONF": "{"}, "SALESFLOW_SPARK_CONF must be a JSON object of strings"),
    ({"SALESFLOW_SPARK_CONF": '{"a": 1}'}, "SALESFLOW_SPARK_CONF must be a JSON object of strings"),
    ({"SALESFLOW_K8S_AFFINITY": '{"zone": {}}'}, "SALESFLOW_K8S_AFFINITY must be a JSON object with some of"),
    ({"SALESFLOW_K8S_TOLERATIONS": "{}"}, "SALESFLOW_K8S_TOLERATIONS must be a JSON array of objects"),
    ({"SALESFLOW_K8S_RESOURCES": '{"request": {}}'}, "SALESFLOW_K8S_RESOURCES must be a JSON object such as"),
    (
        {"SALESFLOW_SPARK_DRIVER": '{"instances": 2}'},
        "SALESFLOW_SPARK_DRIVER must be a JSON object with some of",
    ),
    (
        {"SALESFLOW_SPARK_EXECUTOR": '{"cores": true}'},
        "SALESFLOW_SPARK_EXECUTOR must be a JSON object with some of",
    ),
    ({"SALESFLOW_SPARK_EXECUTOR": '{"instances": 0}'}, "SALESFLOW_SPARK_EXECUTOR must be"),
    (
        {"SALESFLOW_SPARK_DYNAMIC_ALLOCATION": '{"minExecutors": 0, "maxExecutors": 2}'},
        "must be a JSON object such as",
    ),
    (
        {"SALESFLOW_SPARK_DYNAMIC_ALLOCATION": '{"minExecutors": 3, "maxExecutors": 2}'},
        "must be a JSON object such as",
    ),
    ({**KUBERNETES, "SALESFLOW_K8S_IMAGE": ""}, "SALESFLOW_K8S_IMAGE is not set"),
    ({**KUBERNETES, "SALESFLOW_SPARK_IMAGE": ""}, "SALESFLOW_SPARK_IMAGE is not set"),
    ({"SALESFLOW_SOURCE": "shop.yaml"}, "SALESFLOW_SOURCE must be the path of a source file, from / on"),
    ({"SALESFLOW_SOURCE": "/inbox/"}, "SALESFLOW_SOURCE must be the path of a source file"),
    ({"SALESFLOW_SOURCE": "s3://bucket"}, "SALESFLOW_SOURCE must be the path of a source file"),
    (
        {"SALESFLOW_EXPORT_WAIT_HOURS": "21"},
        "SALESFLOW_EXPORT_WAIT_HOURS must be a whole number from 0 to 20",
    ),
    (
        {"SALESFLOW_SOURCE": "s3://bucket/shop.yaml", "SALESFLOW_K8S_SOURCE_CONFIG_MAP": "source"},
        "SALESFLOW_K8S_SOURCE_CONFIG_MAP is set, so SALESFLOW_SOURCE must be a path",
    ),
    (
        {**KUBERNETES, "SALESFLOW_K8S_STORE_CLAIM": ""},
        "SALESFLOW_K8S_STORE_CLAIM is not set: a file:// store needs",
    ),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
def test_invalid_settings_are_explained(changes, message) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read(changes)


def test_all_mistakes_are_listed_together() -> None:
    with pytest.raises(ValueError, match="Cannot read the settings") as caught:
        read({"SALESFLOW_ROWS": "x", "SALESFLOW_TASK_RETRIES": "y", "SALESFLOW_STORE": "z"})
    assert str(caught.value).count("\n- ") == 3


def test_a_secret_in_the_store_url_is_not_shown() -> None:
    with pytest.raises(ValueError, match="without credentials") as caught:
        read({"SALESFLOW_STORE": "s3://key:hunter2@bucket"})
    assert "hunter2" not in str(caught.value)


def test_readme_documents_exactly_the_variables_that_are_read() -> None:
    code = "".join(path.read_text() for path in (DAGS / "salesflow_runners").glob("*.py"))
    documented = set(re.findall(r"^\| `(SALESFLOW_\w+)`", (DAGS / "README.md").read_text(), re.MULTILINE))
    assert documented == set(re.findall(r'"(SALESFLOW_\w+)"', code))

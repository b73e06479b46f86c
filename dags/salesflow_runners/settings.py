"""Settings of the installation, read from SALESFLOW_* environment variables.

This module, documented in dags/README.md, is the whole interface between the DAG and compose.yaml or the
chart. Secrets are not settings: the DAG only knows the names of Kubernetes Secrets, or passes the worker's
environment to a local process.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# The limits of `salesflow generate`.
MAX_ROWS = 2_000_000_000
MAX_SEED = 2**53 - 1
# The default of salesflow: every week shows the same shop.
DEFAULT_SEED = 1
# A run may take 24 hours, and the stages behind `ingest` need some of them.
MAX_WAIT_HOURS = 20


@dataclass(frozen=True)
class Settings:
    """Validated settings. Durations are in seconds."""

    runner: str
    store: str
    rows: int
    seed: int
    retries: int
    retry_delay: int
    pool: str
    generate_shards: int
    rows_per_shard: int
    source: str
    export_wait_hours: int
    export_retry: int

    # Local runner
    binary: str
    spark_submit: str
    spark_master: str
    spark_jars: tuple[str, ...]

    # Both runners
    spark_job: str
    spark_conf: Mapping[str, str]

    # Kubernetes runner: the pods of the binary
    namespace: str
    image: str
    image_pull_policy: str
    image_pull_secrets: tuple[str, ...]
    service_account: str
    secrets: tuple[str, ...]
    config_maps: tuple[str, ...]
    store_claim: str
    source_config_map: str
    run_as_user: int
    resources: Mapping[str, Mapping[str, str]]
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]
    affinity: Mapping[str, Any]
    annotations: Mapping[str, str]
    priority_class: str
    labels: Mapping[str, str]
    startup_timeout: int

    # Kubernetes runner: the SparkApplication
    spark_image: str
    spark_version: str
    spark_service_account: str
    spark_driver: Mapping[str, Any]
    spark_executor: Mapping[str, Any]
    spark_dynamic_allocation: Mapping[str, int]
    spark_ttl: int

    @property
    def store_path(self) -> str:
        """The folder of a file:// store; empty for a bucket."""
        return urlsplit(self.store).path if self.store.startswith("file://") else ""

    @property
    def export_tries(self) -> int:
        """How often `ingest` is tried again while it waits for an export."""
        return max(self.retries, math.ceil(self.export_wait_hours * 3600 / self.export_retry))

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads and validates all settings.

        Raises:
            ValueError: lists all mistakes. Airflow shows it as the DAG's import error.
        """
        read = _Reader(environment)
        kubernetes = read.choice("SALESFLOW_RUNNER", "local", ("local", "kubernetes")) == "kubernetes"
        settings = Settings(
            runner="kubernetes" if kubernetes else "local",
            store=read.store("SALESFLOW_STORE", "file:///var/lib/salesflow"),
            rows=read.integer("SALESFLOW_ROWS", 1_000_000, 1, MAX_ROWS),
            seed=read.integer("SALESFLOW_SEED", DEFAULT_SEED, 0, MAX_SEED),
            retries=read.integer("SALESFLOW_TASK_RETRIES", 3, 0, 20),
            retry_delay=read.integer("SALESFLOW_RETRY_DELAY_SECONDS", 60, 1, 3600),
            pool=read.text("SALESFLOW_POOL", "default_pool"),
            generate_shards=read.integer("SALESFLOW_GENERATE_SHARDS", 1, 1, 256),
            rows_per_shard=read.integer("SALESFLOW_ROWS_PER_SHARD", 5_000_000, 1, MAX_ROWS),
            source=read.source("SALESFLOW_SOURCE"),
            export_wait_hours=read.integer("SALESFLOW_EXPORT_WAIT_HOURS", 10, 0, MAX_WAIT_HOURS),
            export_retry=read.integer("SALESFLOW_EXPORT_RETRY_SECONDS", 900, 1, 7200),
            binary=read.text("SALESFLOW_BIN", "salesflow"),
            spark_submit=read.text("SALESFLOW_SPARK_SUBMIT", "spark-submit"),
            spark_master=read.text("SALESFLOW_SPARK_MASTER", "local[*]"),
            spark_jars=read.comma_list("SALESFLOW_SPARK_JARS"),
            spark_job=read.text("SALESFLOW_SPARK_JOB", "/opt/salesflow/spark/job.py"),
            spark_conf=read.string_map("SALESFLOW_SPARK_CONF"),
            namespace=read.text("SALESFLOW_K8S_NAMESPACE", "salesflow"),
            image=read.text("SALESFLOW_K8S_IMAGE", required=kubernetes),
            image_pull_policy=read.choice(
                "SALESFLOW_K8S_IMAGE_PULL_POLICY", "IfNotPresent", ("Always", "IfNotPresent", "Never")
            ),
            image_pull_secrets=read.comma_list("SALESFLOW_K8S_IMAGE_PULL_SECRETS"),
            service_account=read.text("SALESFLOW_K8S_SERVICE_ACCOUNT", "salesflow"),
            secrets=read.comma_list("SALESFLOW_K8S_SECRETS"),
            config_maps=read.comma_list("SALESFLOW_K8S_CONFIG_MAPS"),
            store_claim=read.text("SALESFLOW_K8S_STORE_CLAIM"),
            source_config_map=read.text("SALESFLOW_K8S_SOURCE_CONFIG_MAP"),
            run_as_user=read.integer("SALESFLOW_K8S_RUN_AS_USER", 185, 1, 2**31 - 1),
            resources=read.resources("SALESFLOW_K8S_RESOURCES"),
            node_selector=read.string_map("SALESFLOW_K8S_NODE_SELECTOR"),
            tolerations=read.objects("SALESFLOW_K8S_TOLERATIONS"),
            affinity=read.affinity("SALESFLOW_K8S_AFFINITY"),
            annotations=read.string_map("SALESFLOW_K8S_ANNOTATIONS"),
            priority_class=read.text("SALESFLOW_K8S_PRIORITY_CLASS"),
            labels=read.string_map("SALESFLOW_K8S_LABELS"),
            startup_timeout=read.integer("SALESFLOW_K8S_STARTUP_TIMEOUT_SECONDS", 600, 10, 86_400),
            spark_image=read.text("SALESFLOW_SPARK_IMAGE", required=kubernetes),
            spark_version=read.text("SALESFLOW_SPARK_VERSION", "4.0.4"),
            spark_service_account=read.text("SALESFLOW_SPARK_SERVICE_ACCOUNT", "salesflow-spark"),
            spark_driver=read.spark_pod("SALESFLOW_SPARK_DRIVER", {"cores": 1, "memory": "1g"}),
            spark_executor=read.spark_pod(
                "SALESFLOW_SPARK_EXECUTOR", {"instances": 2, "cores": 1, "memory": "2g"}
            ),
            spark_dynamic_allocation=read.dynamic_allocation("SALESFLOW_SPARK_DYNAMIC_ALLOCATION"),
            spark_ttl=read.integer("SALESFLOW_SPARK_TTL_SECONDS", 86_400, 60, 2_592_000),
        )
        if kubernetes and settings.store_path and not settings.store_claim:
            read.mistakes.append(
                "SALESFLOW_K8S_STORE_CLAIM is not set: a file:// store needs a volume claim in Kubernetes"
            )
        if settings.source_config_map and not settings.source.startswith("/"):
            read.mistakes.append(
                "SALESFLOW_K8S_SOURCE_CONFIG_MAP is set, so SALESFLOW_SOURCE must be a path: the ConfigMap "
                "is mounted there"
            )
        read.finish()
        return settings


class _Reader:
    """Reads and validates variables, and collects all mistakes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.mistakes: list[str] = []

    def finish(self) -> None:
        if self.mistakes:
            raise ValueError(
                "Cannot read the settings of the sales pipeline:\n- " + "\n- ".join(self.mistakes)
            )

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        value = self.environment.get(name, "").strip() or default
        if required and not value:
            self.mistakes.append(f"{name} is not set: SALESFLOW_RUNNER=kubernetes needs it")
        return value

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.mistakes.append(f"{name} must be one of {', '.join(allowed)}: current value is {value!r}")
        return value

    def integer(self, name: str, default: int | None, minimum: int, maximum: int) -> Any:
        value = self.text(name)
        if not value:
            return default
        if value.isdecimal() and minimum <= int(value) <= maximum:
            return int(value)
        self.mistakes.append(
            f"{name} must be a whole number from {minimum} to {maximum}: current value is {value!r}"
        )
        return default

    def store(self, name: str, default: str) -> str:
        value = self.text(name, default)
        address = urlsplit(value)
        is_folder = address.scheme == "file" and not address.netloc and address.path.startswith("/")
        is_bucket = address.scheme == "s3" and bool(address.hostname) and "@" not in address.netloc
        if not is_folder and not is_bucket:
            # The part before an @ may be a secret, so the value is not shown.
            self.mistakes.append(f"{name} must be file:///folder or s3://bucket/prefix, without credentials")
        return value

    def source(self, name: str) -> str:
        value = self.text(name)
        is_url = value.startswith("s3://") and bool(urlsplit(value).path.strip("/"))
        if value and not is_url and not (value.startswith("/") and not value.endswith("/")):
            self.mistakes.append(
                f"{name} must be the path of a source file, from / on, or s3://bucket/name: "
                f"current value is {value!r}"
            )
        return value

    def comma_list(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def json(self, name: str, default: Any, is_valid: Callable[[Any], bool], expected: str) -> Any:
        text = self.text(name)
        if not text:
            return default
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if is_valid(value):
            return value
        self.mistakes.append(f"{name} must be {expected}: current value is {text!r}")
        return default

    def string_map(self, name: str) -> Mapping[str, str]:
        return self.json(name, {}, _is_string_map, 'a JSON object of strings, such as {"name": "value"}')

    def objects(self, name: str) -> tuple[Mapping[str, Any], ...]:
        def is_valid(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)

        return tuple(self.json(name, [], is_valid, "a JSON array of objects"))

    def affinity(self, name: str) -> Mapping[str, Any]:
        kinds = {"nodeAffinity", "podAffinity", "podAntiAffinity"}

        def is_valid(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and value.keys() <= kinds
                and all(isinstance(rules, dict) for rules in value.values())
            )

        return self.json(name, {}, is_valid, "a JSON object with some of " + ", ".join(sorted(kinds)))

    def resources(self, name: str) -> Mapping[str, Mapping[str, str]]:
        default = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}

        def is_valid(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and value.keys() <= {"requests", "limits"}
                and all(_is_string_map(amounts) for amounts in value.values())
            )

        return self.json(
            name, default, is_valid, 'a JSON object such as {"requests": {"cpu": "1"}, "limits": {}}'
        )

    def spark_pod(self, name: str, default: Mapping[str, Any]) -> Mapping[str, Any]:
        def is_valid(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and value.keys() <= {*default, "coreRequest", "coreLimit", "memoryOverhead"}
                and all(
                    type(value.get(key, 1)) is int and value.get(key, 1) > 0 for key in ("cores", "instances")
                )
                and all(isinstance(value[key], str) for key in value.keys() - {"cores", "instances"})
            )

        expected = f"a JSON object with some of {', '.join(default)}, coreRequest, coreLimit, memoryOverhead"
        return {**default, **self.json(name, {}, is_valid, expected)}

    def dynamic_allocation(self, name: str) -> Mapping[str, int]:
        def is_valid(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and value.keys() == {"minExecutors", "maxExecutors"}
                and all(type(number) is int for number in value.values())
                and 1 <= value["minExecutors"] <= value["maxExecutors"]
            )

        expected = 'a JSON object such as {"minExecutors": 1, "maxExecutors": 8}'
        return self.json(name, {}, is_valid, expected)


def _is_string_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())

"""The kubernetes runner, without a cluster: the objects it would create, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import ApiClient
from kubernetes.client import models as k8s

from conftest import KUBERNETES, ONE_NODE

BINARY = ["migrate", "generate", "load", "transfer", "verify", "report"]
SPARK = ["clean", "aggregate"]
RESTRICTED_POD = {
    "runAsNonRoot": True,
    "runAsUser": 185,
    "runAsGroup": 185,
    "fsGroup": 185,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
ENV_FROM = [
    {"configMapRef": {"name": "salesflow-options"}},
    {"secretRef": {"name": "salesflow-databases"}},
    {"secretRef": {"name": "salesflow-s3"}},
]


@pytest.fixture
def pod_of(read_dag, context):
    """Returns the pod of a stage, as sent to the API server."""

    def make(stage: str, changes: Mapping[str, str] | None = None) -> dict[str, Any]:
        task = read_dag({**KUBERNETES, **(changes or {})}).get_task(stage)
        seen = context(task)
        task.render_template_fields(seen)
        pod = task.build_pod_request_obj(seen, dry_run=True)
        return ApiClient().sanitize_for_serialization(pod)

    return make


def test_only_the_pod_of_ingest_has_the_source_file(pod_of) -> None:
    exports = {
        "SALESFLOW_SOURCE": "/etc/salesflow/source/shop.yaml",
        "SALESFLOW_K8S_SOURCE_CONFIG_MAP": "salesflow-source",
    }
    spec = pod_of("ingest", exports)["spec"]
    assert spec["containers"][0]["args"][-2:] == ["--source", "/etc/salesflow/source/shop.yaml"]
    assert {"name": "source", "configMap": {"name": "salesflow-source"}} in spec["volumes"]
    mount = {"name": "source", "mountPath": "/etc/salesflow/source", "readOnly": True}
    assert mount in spec["containers"][0]["volumeMounts"]
    assert [volume["name"] for volume in pod_of("load", exports)["spec"]["volumes"]] == ["tmp", "store"]


def test_a_source_file_in_a_bucket_needs_no_volume(pod_of) -> None:
    spec = pod_of("ingest", {"SALESFLOW_SOURCE": "s3://shop/shop.yaml"})["spec"]
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp", "store"]


@pytest.fixture
def application_of(read_dag, context):
    """Returns the SparkApplication of a stage."""

    def make(stage: str, changes: Mapping[str, str] | None = None, **params: Any) -> dict[str, Any]:
        task = read_dag({**KUBERNETES, **(changes or {})}).get_task(stage)
        # Airflow reads template files when it parses the DAG, relative to the DAG file.
        task.resolve_template_files()
        task.render_template_fields(context(task, **params))
        return yaml.safe_load(task.application_file)

    return make


@pytest.mark.parametrize("stage", BINARY)
def test_binary_pods_are_restricted_and_contain_no_secret(pod_of, stage: str) -> None:
    pod = pod_of(stage)
    spec = pod["spec"]
    (container,) = spec["containers"]
    assert pod["metadata"]["namespace"] == "shop"
    assert pod["metadata"]["name"].startswith(f"salesflow-{stage}-")
    assert pod["metadata"]["labels"].items() >= {"salesflow/stage": stage, "team": "sales"}.items()
    assert spec["securityContext"] == RESTRICTED_POD
    assert container["securityContext"] == RESTRICTED_CONTAINER
    assert spec["serviceAccountName"] == "salesflow"
    assert spec["automountServiceAccountToken"] is False
    assert spec["restartPolicy"] == "Never"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["tolerations"] == [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["affinity"] == ONE_NODE
    assert spec["priorityClassName"] == "batch"
    assert pod["metadata"]["annotations"].items() >= {"owner": "sales"}.items()
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert container["image"] == "example.test/salesflow:1.0.0"
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["resources"] == json.loads(KUBERNETES["SALESFLOW_K8S_RESOURCES"])
    assert container["envFrom"] == ENV_FROM
    assert container["env"] == [{"name": "HOME", "value": "/tmp"}]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert "command" not in container or not container["command"], "the image's entrypoint is the binary"
    options = ["--run-id", "2026-11-24", "--as-of", "2026-11-24", "--store", "file:///data/sales"]
    generated = ["--keep-ingested", "--rows", "1000000", "--seed", "1"] if stage == "generate" else []
    assert container["args"] == [stage, *options, *generated]


def test_a_folder_store_is_mounted(pod_of) -> None:
    spec = pod_of("load")["spec"]
    assert spec["volumes"] == [
        {"name": "tmp", "emptyDir": {}},
        {"name": "store", "persistentVolumeClaim": {"claimName": "salesflow-store"}},
    ]
    assert spec["containers"][0]["volumeMounts"] == [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "store", "mountPath": "/data/sales"},
    ]


def test_a_bucket_store_needs_no_volume(pod_of) -> None:
    spec = pod_of("load", {"SALESFLOW_STORE": "s3://sales/weekly", "SALESFLOW_K8S_STORE_CLAIM": ""})["spec"]
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp"]
    assert spec["containers"][0]["args"][5:7] == ["--store", "s3://sales/weekly"]


@pytest.mark.parametrize("stage", BINARY + SPARK)
def test_operators_stream_logs_and_delete_pods(read_dag, stage: str) -> None:
    task = read_dag(KUBERNETES).get_task(stage)
    assert task.get_logs is True
    assert task.do_xcom_push is False
    assert task.log_pod_spec_on_failure is False
    assert task.log_events_on_failure is True
    assert task.startup_timeout_seconds == task.schedule_timeout_seconds == 600
    assert task.on_finish_action.value == "delete_pod"
    assert task.random_name_suffix is True
    assert task.deferrable is False


@pytest.mark.parametrize("stage", SPARK)
def test_spark_application_is_complete(application_of, stage: str) -> None:
    application = application_of(stage)
    spec = application["spec"]
    assert (application["apiVersion"], application["kind"]) == (
        "sparkoperator.k8s.io/v1beta2",
        "SparkApplication",
    )
    assert application["metadata"]["labels"].items() >= {"salesflow/stage": stage, "team": "sales"}.items()
    assert (spec["type"], spec["pythonVersion"], spec["mode"]) == ("Python", "3", "cluster")
    assert (spec["image"], spec["sparkVersion"]) == ("example.test/salesflow-spark:1.0.0", "4.0.4")
    assert spec["mainApplicationFile"] == "local:///opt/salesflow/spark/job.py"
    assert spec["arguments"] == [stage, "--run-id", "2026-11-24", "--store", "file:///data/sales"]
    assert spec["restartPolicy"] == {"type": "Never"}
    assert spec["timeToLiveSeconds"] == 86_400
    assert spec["sparkConf"] == {"spark.sql.shuffle.partitions": "8"}
    assert spec["imagePullSecrets"] == ["registry"]
    assert "dynamicAllocation" not in spec
    driver, executor = dict(spec["driver"]), dict(spec["executor"])
    templates = driver.pop("template"), executor.pop("template")
    assert driver == {
        "cores": 1,
        "memory": "768m",
        "coreRequest": "250m",
        "serviceAccount": "salesflow-spark",
    }
    assert executor == {
        "cores": 2,
        "instances": 3,
        "memory": "1g",
        "serviceAccount": "salesflow",
        "deleteOnTermination": True,
    }
    for template, name, token in zip(templates, ["driver", "executor"], [True, False], strict=True):
        pod = template["spec"]
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is token
        assert pod["securityContext"] == RESTRICTED_POD
        assert pod["nodeSelector"] == {"disk": "ssd"}
        assert pod["affinity"] == ONE_NODE
        assert pod["priorityClassName"] == "batch"
        assert pod["tolerations"] == [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}]
        assert container["name"] == f"spark-kubernetes-{name}"
        assert container["securityContext"] == RESTRICTED_CONTAINER
        assert container["envFrom"] == ENV_FROM
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert volumes == {mount["name"] for mount in container["volumeMounts"]} == {"tmp", "store", "work"}
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts == {"tmp": "/tmp", "store": "/data/sales", "work": "/opt/spark/work-dir"}


def test_dynamic_allocation_replaces_instances(application_of) -> None:
    settings = {"SALESFLOW_SPARK_DYNAMIC_ALLOCATION": '{"minExecutors": 1, "maxExecutors": 8}'}
    spec = application_of("clean", settings)["spec"]
    assert spec["dynamicAllocation"] == {
        "enabled": True,
        "initialExecutors": 1,
        "minExecutors": 1,
        "maxExecutors": 8,
    }
    assert "instances" not in spec["executor"]


def test_values_cannot_inject_into_the_template(application_of) -> None:
    nasty = 'a": {}\nb: "{{ c }}" \'<&>'
    spec = application_of("clean", {"SALESFLOW_SPARK_CONF": json.dumps({"spark.x": nasty})})["spec"]
    assert spec["sparkConf"] == {"spark.x": nasty}


@pytest.mark.parametrize("stage", SPARK)
def test_application_names_are_unique_and_differ_from_driver_pods(read_dag, stage: str) -> None:
    task = read_dag(KUBERNETES).get_task(stage)
    names = {task.create_job_name() for _ in range(20)}
    assert len(names) == 20
    for name in names:
        assert name.startswith(f"salesflow-{stage}-")
        assert "-driver" not in name
        assert len(name) <= 63


@pytest.mark.parametrize("stage", SPARK)
def test_airflows_launcher_accepts_the_application(read_dag, context, stage: str) -> None:
    from airflow.providers.cncf.kubernetes.operators.custom_object_launcher import CustomObjectLauncher

    task = read_dag(KUBERNETES).get_task(stage)
    task.resolve_template_files()
    task.render_template_fields(context(task))
    launcher = CustomObjectLauncher("salesflow-x", "shop", Mock(), Mock(), task.template_body)
    assert launcher.plural == "sparkapplications"
    assert launcher.body["metadata"]["name"] == "salesflow-x"
    assert launcher.body["metadata"]["namespace"] == "shop"
    assert launcher.body["spec"]["driver"]["template"]["spec"]["containers"]


def ended_pod(
    container: str, exit_code: int | None, phase: str = "Failed", message: str | None = None
) -> k8s.V1Pod:
    """Returns a pod with one container that terminated, unless exit_code is None."""
    state = k8s.V1ContainerState()
    if exit_code is not None:
        state.terminated = k8s.V1ContainerStateTerminated(exit_code=exit_code, message=message)
    status = k8s.V1ContainerStatus(
        name=container, image="x", image_id="x", ready=False, restart_count=0, state=state
    )
    return k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(name=f"salesflow-{container}", namespace="shop", labels={}),
        spec=k8s.V1PodSpec(containers=[k8s.V1Container(name=container)]),
        status=k8s.V1PodStatus(phase=phase, container_statuses=[status]),
    )


@pytest.fixture
def clean_up(read_dag):
    """Runs the operator's cleanup for a pod that has ended; the API server is a mock with this pod."""

    def act(stage: str, exit_code: int | None, phase: str = "Failed", message: str | None = None) -> Mock:
        task = read_dag(KUBERNETES).get_task(stage)
        pod = ended_pod(task.base_container_name, exit_code, phase, message)
        client = Mock()
        client.read_namespaced_pod.return_value = pod
        client.list_namespaced_event.return_value = k8s.CoreV1EventList(items=[])
        task.__dict__.update(client=client, hook=Mock(), launcher=Mock())
        task.cleanup(pod=pod, remote_pod=pod)
        return task

    return act


@pytest.mark.parametrize("stage", ["load", "clean"])
class TestExitCodes:
    @pytest.mark.parametrize("code", [1, 2])
    def test_permanent_failures_are_not_retried(self, clean_up, stage: str, code: int) -> None:
        with pytest.raises(AirflowFailException) as caught:
            clean_up(stage, code)
        assert f"{stage} " in str(caught.value)
        assert f"(exit code {code})" in str(caught.value)

    @pytest.mark.parametrize("code", [75, 137, 143, None])
    def test_other_failures_are_retried(self, clean_up, stage: str, code: int | None) -> None:
        with pytest.raises(AirflowException) as caught:
            clean_up(stage, code)
        assert not isinstance(caught.value, AirflowFailException)
        assert "can be retried" in str(caught.value)

    def test_the_exception_contains_the_last_error(self, clean_up, stage: str) -> None:
        log = 'half a line"}\nerror: load: Cannot reach db\n  because: refused\n  Start the server.\n'
        with pytest.raises(AirflowException) as caught:
            clean_up(stage, 75, message=log)
        assert str(caught.value).endswith(
            "Last error: load: Cannot reach db; because: refused; Start the server."
        )

    def test_success_deletes_the_pod(self, clean_up, stage: str) -> None:
        task = clean_up(stage, 0, "Succeeded")
        if stage == "load":
            task.client.delete_namespaced_pod.assert_called_once()
        else:
            task.launcher.delete_spark_job.assert_called_once()


def test_no_secret_is_in_dag_pods_or_applications(read_dag, context, pod_of, application_of) -> None:
    """Secrets in the scheduler's own environment are not passed on."""
    secrets = {
        "SALESFLOW_POSTGRES_URL": "postgres://sales:hunter2@db/sales",
        "SALESFLOW_CLICKHOUSE_URL": "http://sales:hunter2@ch",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
    }
    from airflow.serialization.serialized_objects import DagSerialization

    assert "hunter2" not in json.dumps(DagSerialization.to_dict(read_dag({**KUBERNETES, **secrets})))
    for stage in BINARY:
        assert "hunter2" not in json.dumps(pod_of(stage, secrets))
    for stage in SPARK:
        assert "hunter2" not in json.dumps(application_of(stage, secrets))


def test_shards_run_as_pods(read_dag, context) -> None:
    settings = {"SALESFLOW_GENERATE_SHARDS": "3", "SALESFLOW_ROWS_PER_SHARD": "400000"}
    generate = read_dag({**KUBERNETES, **settings}).get_task("generate")
    assert generate.is_mapped
    seen = context(generate, map_index=1)
    task = generate.unmap({"arguments": generate.expand_input.value["arguments"][1]})
    task.render_template_fields(seen)
    pod = task.build_pod_request_obj(seen, dry_run=True)
    assert pod.spec.containers[0].args[-2:] == ["--shard", "2/3"]
    assert pod.metadata.labels["map_index"] == "1"

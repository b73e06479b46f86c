"""The kubernetes runner: a stage is a pod with the salesflow binary, or a SparkApplication.

spark-operator runs the SparkApplications. Pods meet the pod security standard `restricted`. Secrets are
passed by name only (`envFrom`), so that none is in this process, in rendered templates, in logs or in XCom.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.operators.spark_kubernetes import SparkKubernetesOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException
from kubernetes.client import ApiClient
from kubernetes.client import models as k8s

from salesflow_runners.outcomes import last_error, to_exception
from salesflow_runners.runs import RUN_ARGUMENTS
from salesflow_runners.settings import Settings

# Relative to the folder of the DAG file, where Airflow searches for templates.
SPARK_APPLICATION = "salesflow_runners/spark_application.yaml"

# Makes Kubernetes store the end of a failed container's log (2 KiB) in the pod's status.
TERMINATION_MESSAGE_POLICY = "FallbackToLogsOnError"

# Time for a stage to clean up after SIGTERM.
GRACE_SECONDS = 30


class _ExitCodeMixin:
    """Maps exit codes to exceptions; KubernetesPodOperator treats all failed pods the same."""

    def cleanup(
        self,
        pod: k8s.V1Pod,
        remote_pod: k8s.V1Pod,
        xcom_result: dict | None = None,
        context: Any = None,
    ) -> None:
        try:
            super().cleanup(pod=pod, remote_pod=remote_pod, xcom_result=xcom_result, context=context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            self.log.error("%s", error)
            state = container_termination(remote_pod, self.base_container_name)
            exit_code, message = (state.exit_code, last_error(state.message or "")) if state else (None, "")
            raise to_exception(self.task_id, exit_code, message) from error


class StagePodOperator(_ExitCodeMixin, KubernetesPodOperator):
    """A pod with the salesflow binary."""


class StageSparkOperator(_ExitCodeMixin, SparkKubernetesOperator):
    """A SparkApplication, whose driver has the exit codes of the job."""


def container_termination(pod: k8s.V1Pod | None, container: str) -> k8s.V1ContainerStateTerminated | None:
    """Returns exit code and end of the log (see TERMINATION_MESSAGE_POLICY) of a terminated container.

    None when the container did not terminate, such as after an eviction.
    """
    statuses = (pod.status.container_statuses if pod and pod.status else None) or []
    for status in statuses:
        if status.name == container and status.state and status.state.terminated:
            return status.state.terminated
    return None


class KubernetesRunner:
    """Creates tasks that run as pods."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def binary(self, stage: str, *options: str, **task: Any) -> StagePodOperator:
        """Creates the task of a stage that the binary runs."""
        return StagePodOperator(
            task_id=stage, arguments=self._arguments(stage, *options), **self._pod(stage), **task
        )

    def fan_out(self, stage: str, *options: Sequence[str], **task: Any) -> Any:
        """Creates mapped tasks for a stage that several pods share, one per list of options."""
        if len(options) == 1:
            return self.binary(stage, *options[0], **task)
        return StagePodOperator.partial(task_id=stage, **self._pod(stage), **task).expand(
            arguments=[self._arguments(stage, *each) for each in options]
        )

    def spark(self, stage: str, **task: Any) -> StageSparkOperator:
        """Creates the task of a stage that Spark runs. The next stage verifies its output."""
        settings = self.settings
        return StageSparkOperator(
            task_id=stage,
            name=f"salesflow-{stage}",
            namespace=settings.namespace,
            application_file=SPARK_APPLICATION,
            kubernetes_conn_id=None,
            startup_timeout_seconds=settings.startup_timeout,
            schedule_timeout_seconds=settings.startup_timeout,
            get_logs=True,
            container_name_log_prefix_enabled=False,
            log_events_on_failure=True,
            log_pod_spec_on_failure=False,
            do_xcom_push=False,
            **task,
        )

    @cached_property
    def template_settings(self) -> Mapping[str, Any]:
        """Settings for spark_application.yaml, as JSON-serializable values."""
        settings = self.settings
        pod = ApiClient().sanitize_for_serialization(
            {
                "securityContext": self._pod_security,
                "containerSecurityContext": self._container_security,
                "volumes": self._volumes,
                "volumeMounts": self._volume_mounts,
                "envFrom": self._env_from,
                "imagePullSecrets": list(settings.image_pull_secrets),
                "nodeSelector": dict(settings.node_selector),
                "tolerations": list(settings.tolerations),
                "affinity": dict(settings.affinity),
                "annotations": dict(settings.annotations),
                "priorityClassName": settings.priority_class,
            }
        )
        return {
            "image": settings.spark_image,
            "image_pull_policy": settings.image_pull_policy,
            "version": settings.spark_version,
            "job": f"local://{settings.spark_job}",
            "store": settings.store,
            "conf": dict(settings.spark_conf),
            "jars": list(settings.spark_jars),
            "driver": dict(settings.spark_driver),
            "executor": dict(settings.spark_executor),
            "dynamic_allocation": dict(settings.spark_dynamic_allocation),
            "service_account": settings.spark_service_account,
            "executor_service_account": settings.service_account,
            "ttl": settings.spark_ttl,
            "labels": dict(settings.labels),
            "termination_message_policy": TERMINATION_MESSAGE_POLICY,
            "pod": pod,
        }

    def _arguments(self, stage: str, *options: str) -> list[str]:
        return [stage, *RUN_ARGUMENTS, "--store", self.settings.store, *options]

    def _pod(self, stage: str) -> dict[str, Any]:
        settings = self.settings
        return {
            "name": f"salesflow-{stage}",
            "namespace": settings.namespace,
            "kubernetes_conn_id": None,
            "image": settings.image,
            "image_pull_policy": settings.image_pull_policy,
            "image_pull_secrets": [
                k8s.V1LocalObjectReference(name=name) for name in settings.image_pull_secrets
            ],
            "service_account_name": settings.service_account,
            "automount_service_account_token": False,
            "env_vars": {"HOME": "/tmp"},
            "env_from": self._env_from,
            "labels": {**settings.labels, **stage_labels(stage)},
            "container_resources": k8s.V1ResourceRequirements(**settings.resources),
            "node_selector": dict(settings.node_selector),
            "tolerations": list(settings.tolerations),
            "affinity": dict(settings.affinity),
            "annotations": dict(settings.annotations),
            "priority_class_name": settings.priority_class or None,
            "security_context": self._pod_security,
            "container_security_context": self._container_security,
            "volumes": [*self._volumes, *(self._source_volumes if stage == "ingest" else [])],
            "volume_mounts": [*self._volume_mounts, *(self._source_mounts if stage == "ingest" else [])],
            "startup_timeout_seconds": settings.startup_timeout,
            "termination_grace_period": GRACE_SECONDS,
            "termination_message_policy": TERMINATION_MESSAGE_POLICY,
            "get_logs": True,
            "container_name_log_prefix_enabled": False,
            "log_events_on_failure": True,
            "log_pod_spec_on_failure": False,
            "on_finish_action": "delete_pod",
            "do_xcom_push": False,
        }

    @property
    def _env_from(self) -> list[k8s.V1EnvFromSource]:
        return [
            *(
                k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name=name))
                for name in self.settings.config_maps
            ),
            *(
                k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=name))
                for name in self.settings.secrets
            ),
        ]

    @property
    def _pod_security(self) -> k8s.V1PodSecurityContext:
        # The same user for all pods: the binary and Spark share the folders of a file:// store.
        user = self.settings.run_as_user
        return k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=user,
            run_as_group=user,
            fs_group=user,
            fs_group_change_policy="OnRootMismatch",
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        )

    @property
    def _container_security(self) -> k8s.V1SecurityContext:
        return k8s.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        )

    @property
    def _volumes(self) -> list[k8s.V1Volume]:
        volumes = [k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())]
        if self.settings.store_path:
            claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=self.settings.store_claim)
            volumes.append(k8s.V1Volume(name="store", persistent_volume_claim=claim))
        return volumes

    @property
    def _volume_mounts(self) -> list[k8s.V1VolumeMount]:
        mounts = [k8s.V1VolumeMount(name="tmp", mount_path="/tmp")]
        if self.settings.store_path:
            mounts.append(k8s.V1VolumeMount(name="store", mount_path=self.settings.store_path))
        return mounts

    @property
    def _source_volumes(self) -> list[k8s.V1Volume]:
        name = self.settings.source_config_map
        if not name:
            return []
        return [k8s.V1Volume(name="source", config_map=k8s.V1ConfigMapVolumeSource(name=name))]

    @property
    def _source_mounts(self) -> list[k8s.V1VolumeMount]:
        if not self.settings.source_config_map:
            return []
        folder = posixpath.dirname(self.settings.source)
        return [k8s.V1VolumeMount(name="source", mount_path=folder, read_only=True)]


def stage_labels(stage: str) -> dict[str, str]:
    """Returns the labels by which pods are selected, in network policies and dashboards for example."""
    return {
        "app.kubernetes.io/name": "salesflow",
        "app.kubernetes.io/component": "stage",
        "app.kubernetes.io/managed-by": "airflow",
        "salesflow/stage": stage,
    }

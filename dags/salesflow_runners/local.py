"""The local runner: a stage is a process beside the Airflow worker, as in compose.yaml."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from airflow.sdk import BaseOperator

from salesflow_runners.outcomes import Output, failure, relay
from salesflow_runners.runs import RUN_ID, RUN_ID_AND_DATE
from salesflow_runners.settings import Settings

# Airflow kills a task process 5 seconds after asking it to stop; the stage has to be gone by then.
GRACE_SECONDS = 3.0
POLL_SECONDS = 0.05

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ProcessOperator(BaseOperator):
    """Runs one program in a process group of its own and lets its output flow into the task's log.

    Args:
        command: the program and the options that are the same for every run
        arguments: the rest, which is templated; holds no secret, because Airflow shows it
    """

    template_fields = ("arguments",)
    ui_color = "#d7e8f7"

    def __init__(self, *, command: Sequence[str], arguments: Sequence[str], **kwargs: Any) -> None:
        super().__init__(do_xcom_push=False, **kwargs)
        self.command = command
        self.arguments = arguments
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Mapping[str, Any]) -> None:
        command = [*self.command, *self.arguments]
        self.log.info("Starting %s", " ".join(command))
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=_environment(),
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        except OSError as error:
            raise failure(self.task_id, 2, f"Cannot start {command[0]}: {error.strerror}") from error
        output = Output()
        try:
            for line in self._process.stdout or ():
                relay(self.log, output, line.rstrip("\n"))
            exit_code = self._process.wait()
        finally:
            if self._process.poll() is None:  # After an exception, such as a timeout.
                self.on_kill()
            _signal_group(self._process.pid, signal.SIGKILL)  # Whatever the program has left behind.
            self._process = None
        if exit_code != 0:
            raise failure(self.task_id, exit_code, output.error)

    def on_kill(self) -> None:
        """Stops the program and everything that it started: gently, then for good."""
        process = self._process
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)


class LocalRunner:
    """Makes the tasks that run as processes on this machine."""

    template_words: Mapping[str, Any] = {}

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def binary(self, stage: str, *options: str, **task: Any) -> ProcessOperator:
        """A stage that the binary does."""
        return ProcessOperator(
            task_id=stage, command=[self.settings.binary], arguments=self._arguments(stage, *options), **task
        )

    def fan_out(self, stage: str, *options: Sequence[str], **task: Any) -> Any:
        """A stage that several processes share: one for each list of options."""
        if len(options) == 1:
            return self.binary(stage, *options[0], **task)
        return ProcessOperator.partial(task_id=stage, command=[self.settings.binary], **task).expand(
            arguments=[self._arguments(stage, *each) for each in options]
        )

    def spark(self, stage: str, **task: Any) -> ProcessOperator:
        """A stage that Spark does; the driver is a process here, the executors are where the master is."""
        settings = self.settings
        command = [settings.spark_submit, "--master", settings.spark_master, "--name", f"salesflow-{stage}"]
        if settings.spark_jars:
            command += ["--jars", ",".join(settings.spark_jars)]
        for name, value in sorted(settings.spark_conf.items()):
            command += ["--conf", f"{name}={value}"]
        return ProcessOperator(
            task_id=stage,
            command=[*command, settings.spark_job],
            # The job takes the as-of date from the run.
            arguments=[stage, *RUN_ID, "--store", settings.store],
            **task,
        )

    def _arguments(self, stage: str, *options: str) -> list[str]:
        return [stage, *RUN_ID_AND_DATE, "--store", self.settings.store, *options]


def _environment() -> dict[str, str]:
    """The worker's environment without Airflow's own part: a stage has no use for Airflow's passwords."""
    return {name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("AIRFLOW")}


def _end_with_parent() -> None:
    """In the new process: asks for SIGTERM when the task process dies without a chance to stop it.

    Otherwise a killed worker would leave a stage behind that goes on beside its own second try.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(group: int, number: int) -> None:
    # When the group has ended, its number may belong to nobody, or to somebody else by now.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

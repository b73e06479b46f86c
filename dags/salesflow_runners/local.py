"""The local runner: a stage is a subprocess on the Airflow worker, as in compose.yaml."""

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

from salesflow_runners.outcomes import OutputParser, log_line, to_exception
from salesflow_runners.runs import RUN_ARGUMENTS, RUN_ID_ARGUMENT
from salesflow_runners.settings import Settings

# Airflow kills a task process 5 seconds after SIGTERM; the stage must have exited by then.
GRACE_SECONDS = 3.0
POLL_SECONDS = 0.05

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ProcessOperator(BaseOperator):
    """Runs a program in its own process group and copies its output to the task's log.

    Args:
        command: the program and the options that are the same for every run
        arguments: further arguments, templated; must not contain secrets, because Airflow shows them
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
                env=_stage_environment(),
                start_new_session=True,
                preexec_fn=_set_parent_death_signal,
            )
        except OSError as error:
            raise to_exception(self.task_id, 2, f"Cannot start {command[0]}: {error.strerror}") from error
        output = OutputParser()
        try:
            for line in self._process.stdout or ():
                log_line(self.log, output, line.rstrip("\n"))
            exit_code = self._process.wait()
        finally:
            if self._process.poll() is None:  # After an exception such as a timeout.
                self.on_kill()
            _signal_group(self._process.pid, signal.SIGKILL)  # Remaining children.
            self._process = None
        if exit_code != 0:
            raise to_exception(self.task_id, exit_code, output.error)

    def on_kill(self) -> None:
        """Terminates the process group: SIGTERM, then SIGKILL after GRACE_SECONDS."""
        process = self._process
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)


class LocalRunner:
    """Creates tasks that run as subprocesses on the worker."""

    template_settings: Mapping[str, Any] = {}

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def binary(self, stage: str, *options: str, **task: Any) -> ProcessOperator:
        """Creates the task of a stage that the binary runs."""
        return ProcessOperator(
            task_id=stage, command=[self.settings.binary], arguments=self._arguments(stage, *options), **task
        )

    def fan_out(self, stage: str, *options: Sequence[str], **task: Any) -> Any:
        """Creates mapped tasks for a stage that several processes share, one per list of options."""
        if len(options) == 1:
            return self.binary(stage, *options[0], **task)
        return ProcessOperator.partial(task_id=stage, command=[self.settings.binary], **task).expand(
            arguments=[self._arguments(stage, *each) for each in options]
        )

    def spark(self, stage: str, **task: Any) -> ProcessOperator:
        """Creates the task of a stage that Spark runs; the driver is a subprocess on the worker."""
        settings = self.settings
        command = [settings.spark_submit, "--master", settings.spark_master, "--name", f"salesflow-{stage}"]
        if settings.spark_jars:
            command += ["--jars", ",".join(settings.spark_jars)]
        for name, value in sorted(settings.spark_conf.items()):
            command += ["--conf", f"{name}={value}"]
        return ProcessOperator(
            task_id=stage,
            command=[*command, settings.spark_job],
            # The job reads the as-of date from run.json.
            arguments=[stage, *RUN_ID_ARGUMENT, "--store", settings.store],
            **task,
        )

    def _arguments(self, stage: str, *options: str) -> list[str]:
        return [stage, *RUN_ARGUMENTS, "--store", self.settings.store, *options]


def _stage_environment() -> dict[str, str]:
    """Returns the worker's environment without Airflow's variables, which contain passwords."""
    return {name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("AIRFLOW")}


def _set_parent_death_signal() -> None:
    """Makes the kernel send SIGTERM to the child process when the task process dies.

    Otherwise the stage of a killed worker would continue in parallel with its own retry.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(group: int, number: int) -> None:
    # After the group has exited, its id may be free, or reused by another user.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

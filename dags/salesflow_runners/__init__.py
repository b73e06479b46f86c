"""Runners for the stages of the sales pipeline, one per value of SALESFLOW_RUNNER."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from salesflow_runners.kubernetes import KubernetesRunner
    from salesflow_runners.local import LocalRunner
    from salesflow_runners.settings import Settings


def open_runner(settings: Settings) -> LocalRunner | KubernetesRunner:
    """Returns the runner that the settings select. Imports neither the other runner nor its dependencies."""
    if settings.runner == "kubernetes":
        from salesflow_runners.kubernetes import KubernetesRunner

        return KubernetesRunner(settings)
    from salesflow_runners.local import LocalRunner

    return LocalRunner(settings)

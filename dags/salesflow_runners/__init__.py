"""Where the stages of the sales pipeline run: one adapter per runner, chosen by SALESFLOW_RUNNER."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from salesflow_runners.kubernetes import KubernetesRunner
    from salesflow_runners.local import LocalRunner
    from salesflow_runners.settings import Settings


def open_runner(settings: Settings) -> LocalRunner | KubernetesRunner:
    """The adapter that the settings ask for. The other one, and what it needs, is never imported."""
    if settings.runner == "kubernetes":
        from salesflow_runners.kubernetes import KubernetesRunner

        return KubernetesRunner(settings)
    from salesflow_runners.local import LocalRunner

    return LocalRunner(settings)

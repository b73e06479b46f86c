"""The result of a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StageResult:
    """Row counts and facts, for the output and for the run's records."""

    rows_in: int
    rows_out: int
    facts: Mapping[str, object]

"""What every stage gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StageResult:
    """What a stage did, for people and for the run's records."""

    rows_in: int
    rows_out: int
    facts: Mapping[str, object]

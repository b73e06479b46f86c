"""Both engines on fuzzed raw data: the same status for every row, and the same parts rejected as a whole.

The rows come from tests/conformance/fuzz; SALESFLOW_FUZZ_SEED and SALESFLOW_FUZZ_ROUNDS select others.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from cases import HEADER
from clean_stage import CleanOptions, clean
from errors import StageError
from server import ROOT
from store import Store
from stores import REASONS, REJECTED_HEADER, is_nothing_published, parse_rejected, read_manifest, read_rows

ROUNDS = 3
CLEAN_HEADER = f"{HEADER}\n".encode()


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A store of fuzzed runs that the native engine has cleaned, and a description of each run."""
    deno = os.environ.get("SALESFLOW_TEST_DENO") or shutil.which("deno")
    assert deno, "run these tests by: deno task test:spark"
    home = tmp_path_factory.mktemp("fuzz-native")
    program = ["tests/conformance/fuzz/prepare.ts", str(home), str(ROUNDS)]
    main = ["run", "-A", "--no-config", "--no-lock", "lib/std/deno.ts", "run", "-A", *program]
    done = subprocess.run([deno, *main], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(done.stderr)
    return home, [json.loads(line) for line in done.stdout.splitlines()]


def differences(ours: list[bytes], theirs: list[bytes]) -> list[bytes]:
    """Returns a few lines that only one of the engines has, truncated."""
    return [line[:300] for line in sorted(set(ours) ^ set(theirs))[:6]]


def check_same(ours: Path, theirs: Path) -> None:
    """Checks that clean rows, rejected rows and counts are equal."""
    for dataset, header in (("rejected", REJECTED_HEADER), ("clean", CLEAN_HEADER)):
        found, expected = (read_rows(run, dataset, header) for run in (ours, theirs))
        assert differences(found, expected) == []
        if dataset == "clean":
            found, expected = sorted(found), sorted(expected)
        # Without this variable, pytest would print both lists.
        same = found == expected
        assert same, dataset
    our_facts, their_facts = (read_manifest(run, "clean")["facts"] for run in (ours, theirs))
    # Engines split rejected rows into parts differently.
    assert {**our_facts, "rejects": None} == {**their_facts, "rejects": None}


def test_clean_agrees_with_the_native_engine_on_every_fuzzed_row(
    spark: SparkSession, native: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    home, runs = native
    rounds = [run for run in runs if run["run_id"].startswith("fuzz-")]
    assert rounds
    seen: set[str] = set()
    for run in rounds:
        run_id = run["run_id"]
        assert run["exit_code"] == 0, run_id
        ours, theirs = (root / "runs" / run_id for root in (tmp_path, home))
        shutil.copytree(theirs / "raw", ours / "raw")
        shutil.copy(theirs / "run.json", ours / "run.json")
        clean(spark, Store(spark, tmp_path.as_uri()), run_id, CleanOptions(1, run["date_range"]))
        check_same(ours, theirs)
        seen.update(parse_rejected(line)[2] for line in read_rows(ours, "rejected", REJECTED_HEADER))
    assert seen == set(REASONS)


def test_clean_rejects_the_parts_that_the_native_engine_rejects(
    spark: SparkSession, native: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    home, runs = native
    rejected = [run for run in runs if run["run_id"].startswith("header-")]
    assert len(rejected) > 10
    for run in rejected:
        run_id = run["run_id"]
        ours = tmp_path / "runs" / run_id
        shutil.copytree(home / "runs" / run_id / "raw", ours / "raw")
        shutil.copy(home / "runs" / run_id / "run.json", ours / "run.json")
        with pytest.raises(StageError, match=r"part-00001\.csv does not begin with the line") as failure:
            clean(spark, Store(spark, tmp_path.as_uri()), run_id, CleanOptions(1))
        assert failure.value.exit_code == run["exit_code"] == 1, run_id
        assert failure.value.remedy
        assert is_nothing_published(ours)
        assert is_nothing_published(home / "runs" / run_id)

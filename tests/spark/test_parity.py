"""Compares the outputs of both engines for the same 100,000 generated sales with every kind of defect."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from pyspark.sql import SparkSession

from aggregate_stage import aggregate
from cases import AS_OF, HEADER
from clean_stage import CleanOptions, clean
from postgres import parse_url
from server import ROOT, Server
from shop import read_aggregates
from store import Store
from stores import REJECTED_HEADER, read_manifest, read_rows
from test_clean_stage import all_bytes, configured

RUN = "parity"
ROWS = 100_000
CLEAN_HEADER = f"{HEADER}\n".encode()


def salesflow(stage: str, home: Path, *arguments: str, **variables: str) -> None:
    """Runs a stage of the native engine from source."""
    deno = os.environ.get("SALESFLOW_TEST_DENO") or shutil.which("deno")
    assert deno, "run these tests by: deno task test:spark"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SALESFLOW_")}
    main = ["run", "-A", "--no-config", "--no-lock", "lib/std/deno.ts", "run", "-A", "cli/main.ts"]
    options = [
        "--run-id",
        RUN,
        "--home",
        str(home / "home"),
        "--store",
        home.as_uri(),
        "--log-format",
        "json",
    ]
    done = subprocess.run(
        [deno, *main, stage, *options, *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a generated run that the native engine has cleaned."""
    home = tmp_path_factory.mktemp("native")
    salesflow("generate", home, "--rows", str(ROWS), "--as-of", AS_OF, "--seed", "7")
    salesflow("clean", home)
    return home


@pytest.fixture(scope="module")
def cleaned(spark: SparkSession, native: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the same raw data, cleaned by Spark."""
    home = tmp_path_factory.mktemp("spark")
    shutil.copytree(native / "runs" / RUN / "raw", home / "runs" / RUN / "raw")
    shutil.copy(native / "runs" / RUN / "run.json", home / "runs" / RUN / "run.json")
    clean(spark, Store(spark, home.as_uri()), RUN, CleanOptions())
    return home


def test_clean_agrees_with_the_native_engine(native: Path, cleaned: Path) -> None:
    ours, theirs = cleaned / "runs" / RUN, native / "runs" / RUN
    assert sorted(read_rows(ours, "clean", CLEAN_HEADER)) == sorted(read_rows(theirs, "clean", CLEAN_HEADER))
    assert read_rows(ours, "rejected", REJECTED_HEADER) == read_rows(theirs, "rejected", REJECTED_HEADER)
    our_facts, their_facts = (read_manifest(run, "clean")["facts"] for run in (ours, theirs))
    counts = list(our_facts)[:-1]
    assert counts[-1] == "raw"
    assert [our_facts[key] for key in counts] == [their_facts[key] for key in counts]
    assert list(our_facts) == list(their_facts)


def test_clean_agrees_regardless_of_the_splits(
    spark: SparkSession, native: Path, cleaned: Path, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / RUN
    shutil.copytree(native / "runs" / RUN / "raw", run / "raw")
    shutil.copy(native / "runs" / RUN / "run.json", run / "run.json")
    small = {"spark__sql__files__maxPartitionBytes": "64k", "spark__sql__files__openCostInBytes": "1b"}
    with configured(spark, **small):
        lines = spark.read.text((run / "raw").as_uri() + "/part-*.csv")
        assert lines.rdd.getNumPartitions() > 50
        clean(spark, Store(spark, tmp_path.as_uri()), RUN, CleanOptions())
    # These agree with the native engine.
    assert all_bytes(run) == all_bytes(cleaned / "runs" / RUN)


def test_clean_finds_all_generated_defects(cleaned: Path) -> None:
    facts = read_manifest(cleaned / "runs" / RUN, "clean")["facts"]
    defects = json.loads((cleaned / "runs" / RUN / "raw" / "defects.json").read_text())
    assert (facts["rows_in"], facts["rows_out"]) == (defects["raw_rows"], ROWS)
    for key in ("duplicates", "rejected", "rejected_by_reason"):
        assert facts[key] == defects[key]
    assert min(defects["rejected_by_reason"].values()) > 0
    assert min(defects["reformatted"].values()) > 0


@pytest.mark.parametrize("source", ["native", "cleaned"])
def test_aggregate_agrees_with_the_native_engine(
    spark: SparkSession, server: Server, request: pytest.FixtureRequest, source: str
) -> None:
    database = f"parity_{source}"
    with server.connect("postgres") as admin:
        admin.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
    home = request.getfixturevalue(source)
    with server.connect(database) as admin:
        admin.execute("CREATE SCHEMA shop")
        for path in sorted((ROOT / "lib" / "migrate" / "postgres").glob("[0-9]*.sql")):
            admin.execute(path.read_text())
    salesflow("load", home, SALESFLOW_POSTGRES_URL=server.url(database))
    salesflow("aggregate", home, SALESFLOW_POSTGRES_URL=server.url(database))
    with server.connect(database) as db:
        theirs = read_aggregates(db)
        assert db.execute("SELECT count(*) FROM shop.sales").fetchone() == (ROWS,)
        db.execute("TRUNCATE shop.sales_aggregates")
        aggregate(spark, parse_url(server.url(database)), RUN)
        ours = read_aggregates(db)
    assert len(ours) > 1_000
    assert ours == theirs

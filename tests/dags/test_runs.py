"""Run id, as-of date and shards of a DAG run, and the parameters of manual runs."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT

TOOL_RUN_ID = r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}"

CASES = [
    ("scheduled", "2026-11-24T09:45:00+00:00", {}, "2026-11-24", "2026-11-24", "1"),
    (
        "late evening in UTC is tomorrow in Moscow",
        "2026-11-24T21:00:00+00:00",
        {},
        "2026-11-25",
        "2026-11-25",
        None,
    ),
    ("last second of the day in Moscow", "2026-12-31T20:59:59+00:00", {}, "2026-12-31", "2026-12-31", None),
    (
        "another day",
        "2026-11-24T09:45:00+00:00",
        {"as_of": "2026-11-17"},
        "2026-11-17",
        "2026-11-17",
        None,
    ),
    (
        "another logical date, given by hand or by a backfill",
        "2026-11-30T12:00:00+00:00",
        {"logical_date": "2026-11-17T09:45:00+00:00"},
        "2026-11-17",
        "2026-11-17",
        None,
    ),
    (
        "whole numbers with a decimal point, which JSON does not tell apart",
        "2026-11-24T09:45:00+00:00",
        {"rows": 5000.0, "seed": 8.0},
        "2026-11-24",
        "2026-11-24.rows-5000.seed-8",
        "8",
    ),
    ("other rows", "2026-11-24T09:45:00+00:00", {"rows": 5000}, "2026-11-24", "2026-11-24.rows-5000", None),
    ("another seed", "2026-11-24T09:45:00+00:00", {"seed": 0}, "2026-11-24", "2026-11-24.seed-0", "0"),
    (
        "everything",
        "2026-11-24T09:45:00+00:00",
        {"as_of": "2026-02-28", "rows": 2_000_000_000, "seed": 2**53 - 1},
        "2026-02-28",
        "2026-02-28.rows-2000000000.seed-9007199254740991",
        "9007199254740991",
    ),
]


def test_run_id_pattern_is_that_of_salesflow() -> None:
    assert f"RUN_ID = /^{TOOL_RUN_ID}$/" in (ROOT / "lib/pipeline/records.ts").read_text()


@pytest.mark.parametrize(
    ("run_after", "params", "as_of", "run_id", "seed"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_every_task_has_run_id_and_as_of_date(
    read_dag, context, run_after, params, as_of, run_id, seed
) -> None:
    dag = read_dag()
    for task in dag.tasks:
        task.render_template_fields(context(task, run_after, **params))
        arguments = [argument for argument in task.arguments if argument != "--keep-ingested"]
        options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
        assert options["--run-id"] == run_id
        assert re.fullmatch(TOOL_RUN_ID, options["--run-id"])
        if task.task_id not in ("clean", "aggregate"):
            assert options["--as-of"] == as_of
        if task.task_id == "generate":
            assert options["--rows"] == str(int(params.get("rows", 1_000_000)))
            assert options["--seed"] == (seed or "1")


def test_run_id_is_the_date_with_the_defaults_of_the_installation(read_dag, context) -> None:
    dag = read_dag({"SALESFLOW_ROWS": "20000", "SALESFLOW_SEED": "7"})
    task = dag.get_task("generate")
    task.render_template_fields(context(task))
    assert task.arguments[2] == "2026-11-24"
    assert task.arguments[-4:] == ["--rows", "20000", "--seed", "7"]


SEEDS = [
    ("empty, with a default of the installation", "7", None, "2026-11-24", "7"),
    ("other than the installation's", "7", 8, "2026-11-24.seed-8", "8"),
    ("the installation's", "7", 7, "2026-11-24", "7"),
    ("the default of salesflow", "", 1, "2026-11-24", "1"),
    ("empty, without a default", "", None, "2026-11-24", "1"),
]


@pytest.mark.parametrize(
    ("installation", "asked", "run_id", "seed"), [case[1:] for case in SEEDS], ids=[case[0] for case in SEEDS]
)
def test_run_id_contains_a_seed_other_than_the_default(
    read_dag, context, installation, asked, run_id, seed
) -> None:
    generate = read_dag({"SALESFLOW_SEED": installation}).get_task("generate")
    generate.render_template_fields(context(generate, seed=asked))
    assert generate.arguments[2] == run_id
    assert re.fullmatch(TOOL_RUN_ID, run_id)
    assert generate.arguments[-1] == seed


GOOD = [{}, {"rows": 1}, {"seed": None}, {"seed": 0}, {"as_of": None}, {"as_of": "2028-02-29"}]
BAD = [
    {"rows": 0},
    {"rows": 2_000_000_001},
    {"rows": "many"},
    {"rows": 1.5},
    {"rows": None},
    {"seed": -1},
    {"seed": 2**53},
    {"seed": "x"},
    {"as_of": "2026-02-30"},
    {"as_of": "24.11.2026"},
    {"as_of": "20261124"},
    {"as_of": ""},
    {"as_of": 20261124},
    {"as_of": "2026-11-24; rm -rf /"},
]


@pytest.mark.parametrize("params", GOOD, ids=str)
def test_params_accept(read_dag, params) -> None:
    dag = read_dag()
    dag.params.update(params)
    dag.params.validate()


@pytest.mark.parametrize("params", BAD, ids=str)
def test_params_reject(read_dag, params) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    dag = read_dag()
    with pytest.raises(ParamValidationError):
        dag.params.update(params)


@pytest.mark.parametrize(
    ("rows", "shards"),
    [(1, 1), (1_000_000, 1), (1_000_001, 2), (3_000_000, 3), (3_000_001, 4), (2_000_000_000, 4)],
)
def test_generate_uses_as_many_shards_as_the_rows_need(read_dag, context, rows, shards) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    dag = read_dag({"SALESFLOW_GENERATE_SHARDS": "4", "SALESFLOW_ROWS_PER_SHARD": "1000000"})
    generate = dag.get_task("generate")
    assert generate.is_mapped
    assert dag.get_task("clean").trigger_rule == "none_failed", "surplus shards are skipped"
    shard_numbers = []
    for map_index in range(4):
        seen = context(generate, map_index=map_index, rows=rows)
        arguments = generate.expand_input.value["arguments"][map_index]
        task = generate.unmap({"arguments": arguments})
        task.render_template_fields(seen)
        try:
            task._pre_execute_hook(seen)
        except AirflowSkipException:
            continue
        assert task.arguments[-2] == "--shard"
        shard_numbers.append(task.arguments[-1])
    assert shard_numbers == [f"{number}/{shards}" for number in range(1, shards + 1)]


def test_a_run_with_exports_is_named_after_its_date(read_dag, context) -> None:
    dag = read_dag({"SALESFLOW_SOURCE": "/inbox/shop.yaml", "SALESFLOW_SEED": "7"})
    for task in dag.tasks:
        seen = context(task)
        for name in ("rows", "seed"):
            seen["params"].pop(name, None)
        task.render_template_fields(seen)
        assert task.arguments[2] == "2026-11-24"

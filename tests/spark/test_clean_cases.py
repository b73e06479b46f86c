"""Every clean case of tests/conformance, run through the whole stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cases import CleanCase, case_files, parse_clean_case, read_json, read_value_case
from clean_stage import CleanOptions, clean
from errors import StageError
from store import Store
from stores import RUN_ID, check_datasets, write_raw

CASES = [parse_clean_case(case) for path in case_files("clean") for case in read_json(path)]
TABLES = [read_value_case(path) for path in case_files("values")]


@pytest.mark.parametrize("case", [*TABLES, *CASES], ids=lambda case: case.name)
def test_clean_passes_the_case(spark: SparkSession, tmp_path: Path, case: CleanCase) -> None:
    run = write_raw(tmp_path, case.parts, case.as_of, on_conflict=case.on_conflict)
    store = Store(spark, tmp_path.as_uri())
    options = CleanOptions(case.max_rejected, case.date_range)
    if case.fails is None:
        result = clean(spark, store, RUN_ID, options)
        check_datasets(run, case)
        assert (result.rows_in, result.rows_out) == (case.rows_in, len(case.clean))
    else:
        before = write_earlier_datasets(run)
        with pytest.raises(StageError) as failure:
            clean(spark, store, RUN_ID, options)
        assert failure.value.exit_code == case.fails
        # Nothing is published and nothing is removed.
        assert {path: path.read_text() for path in before} == before


def write_earlier_datasets(run: Path) -> dict[Path, str]:
    """Writes a part and the manifest of datasets that an earlier run has published."""
    files = {}
    for dataset in ("clean", "rejected"):
        (run / dataset).mkdir()
        for name in ("part-00000.csv", "manifest.json"):
            path = run / dataset / name
            path.write_text("earlier")
            files[path] = "earlier"
    return files

"""Every clean case of tests/conformance, through the whole stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cases import CleanCase, clean_case, files, read, value_case
from clean_stage import CleanOptions, clean
from errors import StageError
from store import Store
from stores import RUN_ID, check_datasets, put_raw

CASES = [clean_case(case) for path in files("clean") for case in read(path)]
TABLES = [value_case(path) for path in files("values")]


@pytest.mark.parametrize("case", [*TABLES, *CASES], ids=lambda case: case.name)
def test_clean_meets_the_case(spark: SparkSession, tmp_path: Path, case: CleanCase) -> None:
    run = put_raw(tmp_path, case.parts, case.as_of)
    store = Store(spark, tmp_path.as_uri())
    options = CleanOptions(case.max_rejected, case.date_range)
    if case.fails is None:
        result = clean(spark, store, RUN_ID, options)
        check_datasets(run, case)
        assert (result.rows_in, result.rows_out) == (case.rows_in, len(case.clean))
    else:
        before = put_earlier(run)
        with pytest.raises(StageError) as failure:
            clean(spark, store, RUN_ID, options)
        assert failure.value.exit_code == case.fails
        # Nothing is published, and nothing taken away.
        assert {path: path.read_text() for path in before} == before


def put_earlier(run: Path) -> dict[Path, str]:
    """What an earlier run of the stage has published, in so far as it matters: a part and the manifest."""
    files = {}
    for dataset in ("clean", "rejected"):
        (run / dataset).mkdir()
        for name in ("part-00000.csv", "manifest.json"):
            path = run / dataset / name
            path.write_text("earlier")
            files[path] = "earlier"
    return files

"""The schedule of the DAG."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest


@pytest.fixture
def due(read_dag):
    """Returns the times at which runs are due within an interval."""
    from airflow.serialization.serialized_objects import DagSerialization
    from pendulum import instance

    dag = DagSerialization.from_dict(DagSerialization.to_dict(read_dag()))

    def between(start: datetime, end: datetime) -> list[datetime]:
        infos = dag.iter_dagrun_infos_between(instance(start), instance(end))
        return [info.run_after for info in infos]

    return between


@pytest.mark.parametrize("year", range(2026, 2041))
def test_runs_are_due_every_tuesday_at_12_45_in_moscow(due, year: int) -> None:
    times = due(datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, tzinfo=UTC))
    assert len(times) in (52, 53)
    first, last = times[0], times[-1]
    assert first < datetime(year, 1, 8, tzinfo=UTC)
    assert last > datetime(year, 12, 24, tzinfo=UTC)
    for time in times:
        moscow = time.astimezone(ZoneInfo("Europe/Moscow"))
        assert (moscow.isoweekday(), moscow.hour, moscow.minute, moscow.second) == (2, 12, 45, 0)
        assert (time.hour, time.minute) == (9, 45), "Moscow keeps UTC+3 all year"
    gaps = {(after - before).total_seconds() for before, after in itertools.pairwise(times)}
    assert gaps == {timedelta(weeks=1).total_seconds()}


CASES = [
    ("just before", "2026-11-24T09:44:59+00:00", "2026-11-24T09:45:00+00:00"),
    ("at the very time", "2026-11-24T09:45:00+00:00", "2026-11-24T09:45:00+00:00"),
    ("just after", "2026-11-24T09:45:01+00:00", "2026-12-01T09:45:00+00:00"),
    ("across the year", "2026-12-29T10:00:00+00:00", "2027-01-05T09:45:00+00:00"),
    ("leap day", "2028-02-23T00:00:00+00:00", "2028-02-29T09:45:00+00:00"),
]


@pytest.mark.parametrize(("start", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_next_run_is(due, start: str, expected: str) -> None:
    begin = datetime.fromisoformat(start)
    assert due(begin, begin + timedelta(days=8))[0] == datetime.fromisoformat(expected)


def test_only_the_latest_missed_slot_is_due_when_the_dag_was_off_for_months(read_dag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    dag = DagSerialization.from_dict(DagSerialization.to_dict(read_dag()))
    now = datetime.now(UTC)
    restriction = TimeRestriction(earliest=instance(now - timedelta(days=90)), latest=None, catchup=False)
    info = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert timedelta(0) <= now - info.run_after < timedelta(weeks=1)

"""How time and memory of the Spark engine grow with the rows, on a standalone cluster on this machine.

For each size: the native engine generates the sales, Spark cleans them, the native engine loads what Spark
has cleaned into a PostgreSQL of its own, and Spark aggregates. Prints a Markdown table; run by main.ts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import psycopg.sql

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "spark")]

from cluster import SPARK_HOME, running_cluster  # noqa: E402
from jars import driver_jar  # noqa: E402
from server import Server, running_server  # noqa: E402

JOB = ROOT / "k8s" / "spark" / "job.py"
SAMPLE_SECONDS = 0.25
MIB = 1024


@dataclass
class Measured:
    """One run of a stage: seconds by the clock, the stage's own, and the largest memory seen, in MiB."""

    seconds: float
    stage_seconds: float
    executors_mib: int
    driver_mib: int


class MemoryWatch(threading.Thread):
    """Samples the resident memory of executors (children of this process's cluster) and of one driver."""

    def __init__(self, driver: int) -> None:
        super().__init__(daemon=True)
        self.driver = driver
        self.executors_kib = 0
        self.driver_kib = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Samples until it is told that the work is done."""
        while not self.done.wait(SAMPLE_SECONDS):
            parents, memory, executors = processes()
            mine = [pid for pid in memory if descends(pid, os.getpid(), parents)]
            of_driver = [pid for pid in mine if descends(pid, self.driver, parents)]
            self.driver_kib = max(self.driver_kib, sum(memory[pid] for pid in of_driver))
            largest = max((memory[pid] for pid in mine if pid in executors), default=0)
            self.executors_kib = max(self.executors_kib, largest)


def processes() -> tuple[dict[int, int], dict[int, int], set[int]]:
    """Parent and resident KiB of every process, and which of them are executors."""
    parents, memory, executors = {}, {}, set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "status").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            # It ended meanwhile.
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        pid = int(folder.name)
        parents[pid] = int(fields["PPid"])
        memory[pid] = int(fields.get("VmRSS", "0 kB").split()[0])
        if b"CoarseGrainedExecutorBackend" in command:
            executors.add(pid)
    return parents, memory, executors


def descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    """Whether a process is the ancestor or comes from it."""
    while pid > 1:
        if pid == ancestor:
            return True
        pid = parents.get(pid, 0)
    return False


def environment(**variables: str) -> dict[str, str]:
    """The process's environment without the machine's own Spark and salesflow settings."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "SALESFLOW_"))
    }
    conf = str(JOB.parent / "conf")
    return {
        **kept,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONF_DIR": conf,
        "PYSPARK_PYTHON": sys.executable,
        **variables,
    }


def salesflow(options: argparse.Namespace, home: Path, stage: str, *arguments: str, **variables: str) -> None:
    """Runs a stage of the native engine from source."""
    main = ["run", "-A", "--no-config", "--no-lock", "lib/std/deno.ts", "run", "-A", "cli/main.ts"]
    where = ["--run-id", "bench", "--store", home.as_uri(), "--home", str(home / "home"), "--quiet"]
    subprocess.run(
        [options.deno, *main, stage, *where, *arguments], cwd=ROOT, env=environment(**variables), check=True
    )


def spark_stage(
    options: argparse.Namespace, home: Path, master: str, stage: str, **variables: str
) -> Measured:
    """Runs a stage by spark-submit and watches it."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.executor.memory": options.executor_memory,
        "spark.driver.memory": options.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(home / "local"),
    }
    configured = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    submit = [SPARK_HOME / "bin" / "spark-submit", "--master", master, "--jars", driver_jar(), *configured]
    started = time.monotonic()
    with (home / f"{stage}.log").open("wb") as log:
        process = subprocess.Popen(
            [*submit, JOB, stage, "--store", home.as_uri(), "--run-id", "bench"],
            env=environment(**variables),
            stdout=log,
            stderr=log,
        )
    watch = MemoryWatch(process.pid)
    watch.start()
    code = process.wait()
    seconds = time.monotonic() - started
    watch.done.set()
    watch.join()
    if code != 0:
        sys.exit((home / f"{stage}.log").read_text())
    record = json.loads((home / "runs" / "bench" / "stages" / f"{stage}.json").read_text())
    return Measured(seconds, record["seconds"], watch.executors_kib // MIB, watch.driver_kib // MIB)


def fresh_database(server: Server, name: str) -> str:
    """A database with the shop's tables; returns its URL."""
    server.create(name)
    return server.url(name)


def bench_size(options: argparse.Namespace, rows: int, master: str, server: Server, home: Path) -> None:
    """One size from nothing to aggregates; prints two rows of the table."""
    salesflow(options, home, "generate", "--rows", str(rows), "--as-of", "2026-11-24")
    raw_mib = sum(path.stat().st_size for path in (home / "runs" / "bench" / "raw").iterdir()) // MIB**2
    results = {"clean": spark_stage(options, home, master, "clean")}
    database = f"bench_{rows}"
    url = fresh_database(server, database)
    salesflow(options, home, "load", SALESFLOW_POSTGRES_URL=url)
    results["aggregate"] = spark_stage(options, home, master, "aggregate", SALESFLOW_POSTGRES_URL=url)
    for stage, result in results.items():
        cells = [
            f"{rows:,}",
            f"{raw_mib:,} MiB",
            stage,
            f"{result.seconds:.1f} s",
            f"{result.stage_seconds:.1f} s",
            f"{rows / result.stage_seconds:,.0f}",
            f"{result.executors_mib:,} MiB",
            f"{result.driver_mib:,} MiB",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    with server.connect("postgres") as db:
        db.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(database)))


def main() -> None:
    """Reads the command line and measures every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000000,5000000,20000000", help="sizes, with commas between")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--executor-memory", default="1g")
    parser.add_argument("--driver-memory", default="1g")
    parser.add_argument("--deno", required=True)
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where there is room")
    options = parser.parse_args()
    print(
        f"{options.workers} workers with {options.cores} core and {options.executor_memory} each, "
        f"driver {options.driver_memory}, {os.cpu_count()} processors in the machine\n\n"
        "| rows | raw | stage | whole | in the stage | rows/s | largest executor | driver |\n"
        "|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    home = Path(tempfile.mkdtemp(prefix="salesflow-bench-", dir=options.folder))
    try:
        with (
            running_server() as server,
            running_cluster(home, options.workers, options.cores, "4g", environment()) as master,
        ):
            for rows in map(int, options.rows.split(",")):
                store = home / str(rows)
                store.mkdir()
                bench_size(options, rows, master, server, store)
                shutil.rmtree(store)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()

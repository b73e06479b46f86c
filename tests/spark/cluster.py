"""A standalone Spark cluster on this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pyspark

from server import WAIT_TIMEOUT_S, free_port

SPARK_HOME = Path(pyspark.__file__).parent
HOST = "127.0.0.1"


@contextmanager
def running_cluster(home: Path, workers: int, cores: int, memory: str, env: dict[str, str]) -> Iterator[str]:
    """Starts a master and workers, yields the master's URL, and stops them. Logs and work are in `home`."""
    port, master_ui = free_port(), free_port()
    url = f"spark://{HOST}:{port}"
    master = ["master.Master", "--port", str(port), "--webui-port", str(master_ui)]
    worker = ["worker.Worker", "--cores", str(cores), "--memory", memory, url]
    started: list[subprocess.Popen] = []
    try:
        for number, (name, *options) in enumerate([master, *[worker] * workers]):
            command = [SPARK_HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", "--host", HOST]
            variables = {
                **env,
                "SPARK_WORKER_DIR": str(home / "work"),
                "SPARK_WORKER_WEBUI_PORT": str(free_port()),
            }
            with (home / f"cluster-{number}.log").open("wb") as log:
                process = subprocess.Popen([*command, *options], env=variables, stdout=log, stderr=log)
            started.append(process)
            if number == 0:
                wait_until(lambda: is_listening(port), process)
        wait_until(lambda: alive_workers(master_ui) == workers, started[-1])
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(WAIT_TIMEOUT_S)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    """Waits for the condition; fails when the process exits first."""
    deadline = time.monotonic() + 2 * WAIT_TIMEOUT_S
    while not condition():
        assert process.poll() is None, "the process exited"
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)


def is_listening(port: int) -> bool:
    """Reports whether a server listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def alive_workers(master_ui: int) -> int:
    """Returns the number of workers registered with the master."""
    try:
        with urlopen(f"http://{HOST}:{master_ui}/json/") as response:
            return json.load(response)["aliveworkers"]
    except URLError:
        return 0

"""The jars that the images add to Spark, downloaded with Spark's Ivy as in the Dockerfile, and verified."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pyspark

from server import ROOT

DECLARED = ROOT / "k8s" / "jars"
FOLDER = ROOT / ".cache" / "spark" / "jars"
IVY_CACHE = ROOT / ".cache" / "spark" / "ivy"


def image_jars() -> Path:
    """Returns a folder with exactly the jars of k8s/jars/jars.sha256, in one subfolder per group."""
    if file_checksums(FOLDER) != expected_checksums():
        shutil.rmtree(FOLDER, ignore_errors=True)
        spark_jars = Path(pyspark.__file__).parent / "jars"
        ivy = ["java", "-cp", f"{spark_jars}/*", "org.apache.ivy.Main", "-warn", "-cache", IVY_CACHE]
        target = ["-types", "jar", "-retrieve", f"{FOLDER}/[organisation]/[artifact]-[revision].[ext]"]
        subprocess.run([*ivy, "-ivy", "ivy.xml", *target], cwd=DECLARED, check=True)
        assert file_checksums(FOLDER) == expected_checksums(), "the jars differ from k8s/jars/jars.sha256"
    return FOLDER


def expected_checksums() -> dict[str, str]:
    """Returns path and checksum of each jar in the images."""
    lines = (DECLARED / "jars.sha256").read_text().splitlines()
    return {name: sha256 for sha256, name in (line.split() for line in lines)}


def file_checksums(folder: Path) -> dict[str, str]:
    """Returns path and checksum of each file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def class_path() -> str:
    """Returns the jars of the images as a Java class path."""
    return ":".join(f"{group}/*" for group in sorted(image_jars().iterdir()))


def driver_jar() -> Path:
    """Returns the path of the PostgreSQL JDBC driver."""
    [jar] = image_jars().glob("org.postgresql/postgresql-*.jar")
    return jar

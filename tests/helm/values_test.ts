import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import deno from "../../deno.json" with { type: "json" };
import { CHART, readYaml, ROOT, type Value } from "./chart.ts";

type Table = { [key: string]: Value };
const isTable = (value: Value | undefined): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const schema = JSON.parse(Deno.readTextFileSync(`${CHART}/values.schema.json`)) as Table;

function resolved(part: Table): Table {
  const name = part.$ref;
  return typeof name === "string" ? (schema.$defs as Table)[name.slice("#/$defs/".length)] as Table : part;
}

/** Every place of the schema that lists its properties, and whether it is closed. */
function objectsOf(part: Table, path: string): [path: string, schema: Table][] {
  const at = resolved(part);
  const inner = Object.entries((at.properties ?? {}) as Table).flatMap(([key, value]) =>
    objectsOf(value as Table, `${path}.${key}`)
  );
  const items = isTable(at.items) ? objectsOf(at.items, `${path}[]`) : [];
  return at.type === "object" ? [[path, at], ...inner, ...items] : [...inner, ...items];
}

/** Keys of values.yaml that the schema does not know, at any depth. */
function unknownKeys(values: Table, part: Table, path: string): string[] {
  const { properties } = resolved(part);
  return Object.entries(values).flatMap(([key, value]) => {
    if (!isTable(properties)) return [];
    const found = properties[key];
    if (!isTable(found)) return [`${path}.${key}`];
    return isTable(value) ? unknownKeys(value, found, `${path}.${key}`) : [];
  });
}

/** Keys of the schema that values.yaml has no default for, and which are therefore not documented. */
function missingKeys(values: Table, part: Table, path: string): string[] {
  const { properties } = resolved(part);
  if (!isTable(properties)) return [];
  return Object.entries(properties).flatMap(([key, value]) => {
    const here = `${path}.${key}`;
    if (!(key in values)) return [here];
    return isTable(values[key]) ? missingKeys(values[key], value as Table, here) : [];
  });
}

describe("values.schema.json", () => {
  it("is closed to unknown keys at every level", () => {
    // Left open on purpose: they hold what Kubernetes and helm define, or names that people choose.
    const open = [
      ".global",
      "[].podSelector",
      "[].namespaceSelector",
      "[].ipBlock",
      ".nodeSelector",
      ".annotations",
    ];
    const notClosed = objectsOf(schema, "").filter(([path, { additionalProperties }]) =>
      additionalProperties !== false && !open.some((end) => path.endsWith(end))
    );
    assertEquals(notClosed.map(([path]) => path), []);
  });

  it("knows every key of values.yaml", () => {
    assertEquals(unknownKeys(readYaml("helm/salesflow/values.yaml") as Table, schema, ""), []);
  });

  it("has no key without a default, but those of Kubernetes' own objects and of Spark's pods", () => {
    const missing = missingKeys(readYaml("helm/salesflow/values.yaml") as Table, schema, "");
    const expected = /^\.global$|\.resources\.(requests|limits)\.|^\.spark\.(driver|executor)\.coreLimit$/;
    assertEquals(missing.filter((path) => !expected.test(path)), []);
  });
});

describe("limits of numbers", () => {
  it("are those of the DAG, which reads the same numbers", async () => {
    const source = await Deno.readTextFile(`${ROOT}dags/salesflow_runners/settings.py`);
    const constants: Record<string, number> = { MOST_ROWS: 2_000_000_000, MOST_SEED: 2 ** 53 - 1 };
    assertMatch(source, /^MOST_ROWS = 2_000_000_000\nMOST_SEED = 2\*\*53 - 1$/m);
    const variables: Record<string, string> = {
      "pipeline.rows": "SALESFLOW_ROWS",
      "pipeline.seed": "SALESFLOW_SEED",
      "pipeline.retries": "SALESFLOW_RETRIES",
      "pipeline.retryDelaySeconds": "SALESFLOW_RETRY_DELAY_SECONDS",
      "pipeline.generate.maxShards": "SALESFLOW_GENERATE_SHARDS",
      "pipeline.generate.rowsPerShard": "SALESFLOW_ROWS_PER_SHARD",
      "stages.runAsUser": "SALESFLOW_K8S_RUN_AS_USER",
      "stages.startupTimeoutSeconds": "SALESFLOW_K8S_STARTUP_TIMEOUT_SECONDS",
      "spark.ttlSeconds": "SALESFLOW_SPARK_TTL_SECONDS",
    };
    for (const [path, variable] of Object.entries(variables)) {
      const call = new RegExp(`integer\\("${variable}", [^,]+, ([^,]+), ([^)]+)\\)`).exec(source);
      const limits = call!.slice(1).map((text) =>
        constants[text] ?? (text === "2**31 - 1" ? 2 ** 31 - 1 : Number(text.replaceAll("_", "")))
      );
      let at = schema;
      for (const key of path.split(".")) at = (at.properties as Table)[key] as Table;
      assertEquals([at.minimum, at.maximum], limits, path);
    }
  });
});

describe("values.yaml", () => {
  it("has a comment for every value", () => {
    const bare: string[] = [];
    /** Indentation of the keys around a line, and whether a comment explains each. */
    const around: { indent: number; isExplained: boolean }[] = [];
    let comment = "";
    for (const line of Deno.readTextFileSync(`${CHART}/values.yaml`).split("\n")) {
      if (/^ *#/.test(line)) {
        comment += line.trim();
        continue;
      }
      const [, spaces, key, value] = /^( *)([A-Za-z]\w*):(.*)$/.exec(line) ?? [];
      if (key !== undefined && spaces !== undefined) {
        while (around.length > 0 && around.at(-1)!.indent >= spaces.length) around.pop();
        const isExplained = comment.includes("# -- ") || (around.at(-1)?.isExplained ?? false);
        if (value !== "" && !isExplained) bare.push(line);
        around.push({ indent: spaces.length, isExplained });
      }
      comment = "";
    }
    assertEquals(bare, []);
  });
});

describe("versions", () => {
  it("are the same in the chart, the program, the images and the values for other charts", async () => {
    const read = (path: string) => Deno.readTextFile(`${ROOT}${path}`);
    const from = async (path: string, image: string) =>
      new RegExp(`^FROM ${image}:([0-9][^ -]*)`, "m").exec(await read(path))?.[1];
    const airflow = readYaml("helm/values/airflow.yaml") as Table;
    const values = readYaml("helm/salesflow/values.yaml") as { spark: Table; images: Record<string, Table> };
    const chart = readYaml("helm/salesflow/Chart.yaml") as Table;
    const compose = await read("compose.yaml");

    assertEquals([chart.appVersion, chart.version], [deno.version, deno.version]);
    assertEquals(airflow.defaultAirflowTag, deno.version);
    assertEquals(airflow.airflowVersion, await from("k8s/airflow/Dockerfile", "apache/airflow"));
    assertEquals(values.spark.version, await from("k8s/spark/Dockerfile", "apache/spark"));
    for (const server of ["postgresql", "clickhouse"]) {
      const { repository, tag } = values.images[server]!;
      assertMatch(compose, new RegExp(`image: ${repository}:${tag}\\n`));
    }
  });
});

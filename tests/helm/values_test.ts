import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import deno from "../../deno.json" with { type: "json" };
import { CHART, readYaml, ROOT, type Value } from "./chart.ts";

type Table = { [key: string]: Value };
const isTable = (value: Value | undefined): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const schema = JSON.parse(Deno.readTextFileSync(`${CHART}/values.schema.json`)) as Table;

function resolveRef(part: Table): Table {
  const name = part.$ref;
  return typeof name === "string" ? (schema.$defs as Table)[name.slice("#/$defs/".length)] as Table : part;
}

/** Returns all object schemas by path. */
function findObjectSchemas(part: Table, path: string): [path: string, schema: Table][] {
  const at = resolveRef(part);
  const inner = Object.entries((at.properties ?? {}) as Table).flatMap(([key, value]) =>
    findObjectSchemas(value as Table, `${path}.${key}`)
  );
  const items = isTable(at.items) ? findObjectSchemas(at.items, `${path}[]`) : [];
  return at.type === "object" ? [[path, at], ...inner, ...items] : [...inner, ...items];
}

/** Returns the keys of values.yaml, at any depth, that are not in the schema. */
function findUnknownKeys(values: Table, part: Table, path: string): string[] {
  const { properties } = resolveRef(part);
  return Object.entries(values).flatMap(([key, value]) => {
    if (!isTable(properties)) return [];
    const found = properties[key];
    if (!isTable(found)) return [`${path}.${key}`];
    return isTable(value) ? findUnknownKeys(value, found, `${path}.${key}`) : [];
  });
}

/** Returns the keys of the schema that are not in values.yaml, and therefore not documented. */
function findMissingKeys(values: Table, part: Table, path: string): string[] {
  const { properties } = resolveRef(part);
  if (!isTable(properties)) return [];
  return Object.entries(properties).flatMap(([key, value]) => {
    const keyPath = `${path}.${key}`;
    if (!(key in values)) return [keyPath];
    return isTable(values[key]) ? findMissingKeys(values[key], value as Table, keyPath) : [];
  });
}

describe("values.schema.json", () => {
  it("rejects unknown keys at every level", () => {
    // Open by intention: defined by Kubernetes or helm, or with keys chosen by users.
    const open = [
      ".global",
      "[].podSelector",
      "[].namespaceSelector",
      "[].ipBlock",
      ".nodeSelector",
      ".nodeAffinity",
      ".podAffinity",
      ".podAntiAffinity",
      ".annotations",
      ".podAnnotations",
      ".source.files",
    ];
    const notClosed = findObjectSchemas(schema, "").filter(([path, { additionalProperties }]) =>
      additionalProperties !== false && !open.some((end) => path.endsWith(end))
    );
    assertEquals(notClosed.map(([path]) => path), []);
  });

  it("contains every key of values.yaml", () => {
    assertEquals(findUnknownKeys(readYaml("helm/salesflow/values.yaml") as Table, schema, ""), []);
  });

  it("has a default for every key, except in resources of Kubernetes and of Spark's pods", () => {
    const missing = findMissingKeys(readYaml("helm/salesflow/values.yaml") as Table, schema, "");
    const expected =
      /^\.global$|\.resources\.(requests|limits)\.|\.affinity\.|^\.spark\.(driver|executor)\.coreLimit$/;
    assertEquals(missing.filter((path) => !expected.test(path)), []);
  });
});

describe("limits of numbers", () => {
  it("are the same as in the DAG", async () => {
    const source = await Deno.readTextFile(`${ROOT}dags/salesflow_runners/settings.py`);
    const constants: Record<string, number> = { MAX_ROWS: 2_000_000_000, MAX_SEED: 2 ** 53 - 1 };
    assertMatch(source, /^MAX_ROWS = 2_000_000_000\nMAX_SEED = 2\*\*53 - 1$/m);
    const variables: Record<string, string> = {
      "pipeline.rows": "SALESFLOW_ROWS",
      "pipeline.seed": "SALESFLOW_SEED",
      "pipeline.retries": "SALESFLOW_TASK_RETRIES",
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
    const undocumented: string[] = [];
    /** Indentation of the parent keys of a line, and whether each has a comment. */
    const parents: { indent: number; isDocumented: boolean }[] = [];
    let comment = "";
    for (const line of Deno.readTextFileSync(`${CHART}/values.yaml`).split("\n")) {
      if (/^ *#/.test(line)) {
        comment += line.trim();
        continue;
      }
      const [, spaces, key, value] = /^( *)([A-Za-z]\w*):(.*)$/.exec(line) ?? [];
      if (key !== undefined && spaces !== undefined) {
        while (parents.length > 0 && parents.at(-1)!.indent >= spaces.length) parents.pop();
        const isDocumented = comment.includes("# -- ") || (parents.at(-1)?.isDocumented ?? false);
        if (value !== "" && !isDocumented) undocumented.push(line);
        parents.push({ indent: spaces.length, isDocumented });
      }
      comment = "";
    }
    assertEquals(undocumented, []);
  });
});

/** Returns what VALUES.md should say of every value: its path, default and description. */
function listDocumentedValues(): [path: string, value: string, description: string][] {
  const rows: [string, string, string][] = [];
  const keys: { indent: number; key: string }[] = [];
  let comment: string[] = [];
  for (const line of Deno.readTextFileSync(`${CHART}/values.yaml`).split("\n")) {
    const text = /^ *# ?(.*)$/.exec(line)?.[1];
    if (text !== undefined) {
      comment.push(text);
      continue;
    }
    const [, spaces, key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? [];
    if (key !== undefined && spaces !== undefined) {
      while (keys.length > 0 && keys.at(-1)!.indent >= spaces.length) keys.pop();
      keys.push({ indent: spaces.length, key });
      if (comment[0]?.startsWith("-- ")) {
        const path = keys.map((each) => each.key);
        let value = readYaml("helm/salesflow/values.yaml");
        for (const each of path) value = (value as Table)[each]!;
        rows.push([path.join("."), JSON.stringify(value), comment.join(" ").slice("-- ".length)]);
      }
    }
    comment = [];
  }
  return rows;
}

describe("VALUES.md", () => {
  it("is what helm-docs makes of values.yaml", () => {
    const text = Deno.readTextFileSync(`${CHART}/VALUES.md`);
    const rows = [...text.matchAll(/^\| `([\w.]+)` \| `(.*?)` \| (.*) \|$/gm)].map(([, ...cells]) => cells);
    assertEquals(
      rows.map(([path, value, description]) => [path, JSON.parse(value!), description]),
      listDocumentedValues().map(([path, value, description]) => [path, JSON.parse(value), description]),
    );
  });
});

describe("versions", () => {
  it("are the same in the chart, the program, the images and the values of other charts", async () => {
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

/** What the test is told, all from the environment; tests/e2e/README.md has the table. */

/** Where runs may be kept in place of a volume. */
export interface Bucket {
  name: string;
  endpoint: string;
  /** `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. */
  keys: Record<string, string>;
}

/** One validated reading. */
export interface Settings {
  namespace: string;
  operatorNamespace: string;
  /** Command that brings one image into the cluster, as words; none when the cluster sees the engine's images. */
  load: string[];
  /** Before the images' names, for a registry: `registry.example.com/me/`. */
  prefix: string;
  tag: string;
  operatorChart: string | undefined;
  /** Airflow's official chart; without it the test's own manifest is used. */
  airflowChart: string | undefined;
  /** Somebody's bucket for all runs; without it they begin on a volume, and the last is kept in a bucket of the test. */
  bucket: Bucket | undefined;
  /** Leave everything in place when the test is over. */
  keep: boolean;
  /** Folder for logs of what failed. */
  logs: string;
}

function readBucket(endpoint: string | undefined, name: string | undefined): Bucket | undefined {
  if (!endpoint || !name) return undefined;
  const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) => [key, Deno.env.get(key) ?? ""]);
  return { name, endpoint, keys: Object.fromEntries(keys) };
}

/** Reads the settings. */
export function readSettings(): Settings {
  const text = (name: string) => Deno.env.get(`SALESFLOW_E2E_${name}`) || undefined;
  return {
    namespace: text("NAMESPACE") ?? "salesflow-e2e",
    operatorNamespace: text("OPERATOR_NAMESPACE") ?? "salesflow-e2e-operator",
    load: text("LOAD")?.split(/\s+/).filter((word) => word !== "") ?? [],
    prefix: text("PREFIX") ?? "",
    tag: text("TAG") ?? "e2e",
    operatorChart: text("SPARK_OPERATOR_CHART"),
    airflowChart: text("AIRFLOW_CHART"),
    bucket: readBucket(text("S3_ENDPOINT"), text("S3_BUCKET")),
    keep: text("KEEP") !== undefined,
    logs: text("LOGS") ?? Deno.makeTempDirSync({ prefix: "salesflow-e2e-" }),
  };
}

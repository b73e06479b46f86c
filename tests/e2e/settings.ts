/** Settings of the test, from environment variables; see tests/e2e/README.md. */

/** A bucket for runs, instead of a volume. */
export interface Bucket {
  name: string;
  endpoint: string;
  /** `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. */
  keys: Record<string, string>;
}

/** Settings of the test. */
export interface Settings {
  namespace: string;
  operatorNamespace: string;
  /** Command that loads an image into the cluster, as words; empty if the cluster shares the Docker engine. */
  load: string[];
  /** Prefix of image names, such as `registry.example.com/me/`. */
  prefix: string;
  tag: string;
  operatorChart: string | undefined;
  /** Airflow's official chart; by default the test's own manifest is used. */
  airflowChart: string | undefined;
  /** An external bucket for all runs; by default runs use a volume, and the last one a bucket of the test. */
  bucket: Bucket | undefined;
  /** Whether to keep everything after the test. */
  keep: boolean;
  /** Folder for logs of failures. */
  logs: string;
}

function readBucket(endpoint: string | undefined, name: string | undefined): Bucket | undefined {
  if (!endpoint || !name) return undefined;
  const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) => [key, Deno.env.get(key) ?? ""]);
  return { name, endpoint, keys: Object.fromEntries(keys) };
}

/** Reads the settings from the environment. */
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

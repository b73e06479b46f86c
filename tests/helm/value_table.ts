/** Test cases for all values of the chart: one row for each path of values.schema.json. */
import type { KubernetesObject } from "./chart.ts";

/** Reads the effect of a value from the rendered objects. */
type Read = (objects: readonly KubernetesObject[]) => unknown;

/** A test case of one value. */
export interface Row {
  /** Its path in the schema. */
  path: string;
  /** The value for `helm --set`; a leading dot or bracket extends the path, otherwise `=` is added. */
  set: string;
  read: Read;
  /** Expected effect with the value. */
  expected: unknown;
  /** Expected effect without it. */
  unset: unknown;
  /** Values set in both cases, so that the value has an effect. */
  context?: readonly string[];
  /** Values required along with it. */
  requires?: readonly string[];
}

/** Reads a field of an object, such as `spec/containers/0/image`; undefined if the object or field is missing. */
function field(object: string, path: string): Read {
  return (objects) => {
    // deno-lint-ignore no-explicit-any -- objects of any shape
    let found: any = objects.find(({ kind, metadata }) => `${kind}/${metadata.name}` === object);
    for (const key of path.split("/")) found = found?.[key];
    return found;
  };
}

/** Reads a setting of the DAG, or a field of a JSON setting. */
function dag(variable: string, ...keys: string[]): Read {
  return (objects) => {
    const text = field("ConfigMap/sf-dag", `data/SALESFLOW_${variable}`)(objects) as string | undefined;
    if (keys.length === 0 || text === undefined) return text;
    return keys.reduce((value, key) => value?.[key], JSON.parse(text));
  };
}

/** Reads the ports that a policy opens to any destination. */
function openPorts(policy: string): Read {
  return (objects) => {
    const rules = field(`NetworkPolicy/${policy}`, "spec/egress")(objects) as {
      to?: unknown;
      ports: { port: number }[];
    }[];
    const ports = rules.filter(({ to }) => !to).flatMap((rule) => rule.ports.map(({ port }) => port));
    return [...new Set(ports)].sort((a, b) => a - b).join(" ");
  };
}

/** Returns whether an object exists. */
const exists = (object: string): Read => (objects) => field(object, "kind")(objects) !== undefined;
const row = (
  path: string,
  set: string,
  read: Read,
  expected: unknown,
  unset: unknown,
  more: Pick<Row, "context" | "requires"> = {},
): Row => ({ path, set, read, expected, unset, ...more });

const BUCKET = ["storage.type=s3", "storage.s3.bucket=sales", "storage.s3.existingSecret=keys"];
const EXTERNAL_POSTGRESQL = ["postgresql.external.existingSecret=warehouse", "airflow.database.create=false"];
const EXTERNAL_CLICKHOUSE = ["clickhouse.external.existingSecret=analytics"];
const EXISTING_ACCOUNT = ["airflow.serviceAccount.create=false", "airflow.serviceAccount.name=worker"];
const DIGEST = `sha256:${"5f".repeat(32)}`;
const SOURCE = ["pipeline.source.name=s3://sales/shop.yaml"];
const DYNAMIC = ["spark.dynamicAllocation.enabled=true"];

/** Returns the test cases of values that both servers have. */
function serverRows(
  name: string,
  image: [repository: string, tag: string],
  size: string,
  memory: string,
): Row[] {
  const set = `StatefulSet/sf-${name}`;
  const pod = (path: string) => field(set, `spec/template/spec/${path}`);
  const claim = (path: string) => field(set, `spec/volumeClaimTemplates/0/spec/${path}`);
  const [repository, tag] = image;
  const readImage = pod("containers/0/image");
  return [
    row(`images.${name}.repository`, "mirror/x", readImage, `mirror/x:${tag}`, `${repository}:${tag}`),
    row(`images.${name}.tag`, "next", readImage, `${repository}:next`, `${repository}:${tag}`),
    row(`images.${name}.digest`, DIGEST, readImage, `${repository}@${DIGEST}`, `${repository}:${tag}`),
    row(`${name}.persistence.size`, "7Gi", claim("resources/requests/storage"), "7Gi", size),
    row(`${name}.persistence.storageClass`, "fast", claim("storageClassName"), "fast", undefined),
    row(
      `${name}.resources`,
      ".limits.memory=9Gi",
      pod("containers/0/resources/limits/memory"),
      "9Gi",
      memory,
    ),
    row(`${name}.nodeSelector`, ".disk=ssd", pod("nodeSelector"), { disk: "ssd" }, {}),
    row(`${name}.tolerations`, "[0].key=db", pod("tolerations"), [{ key: "db" }], []),
    row(`${name}.affinity`, ".nodeAffinity.x=y", pod("affinity"), { nodeAffinity: { x: "y" } }, {}),
    row(
      `${name}.podAnnotations`,
      ".who=x",
      field(set, "spec/template/metadata/annotations/who"),
      "x",
      undefined,
    ),
    row(`${name}.priorityClassName`, "high", pod("priorityClassName"), "high", undefined),
  ];
}

/** Returns the test cases of values that Spark's driver and executors have. */
function sparkPodRows(name: string, [coreRequest, memory]: [string, string]): Row[] {
  const setting = (key: string) => dag(`SPARK_${name.toUpperCase()}`, key);
  return [
    row(`spark.${name}.cores`, "3", setting("cores"), 3, 1),
    row(`spark.${name}.coreRequest`, "2", setting("coreRequest"), "2", coreRequest),
    row(`spark.${name}.coreLimit`, "2500m", setting("coreLimit"), "2500m", undefined),
    row(`spark.${name}.memory`, "3g", setting("memory"), "3g", memory),
    row(`spark.${name}.memoryOverhead`, "1g", setting("memoryOverhead"), "1g", "512m"),
  ];
}

/** All test cases. */
export const VALUES: readonly Row[] = [
  row(
    "fullnameOverride",
    "sales",
    (objects) => objects.filter(({ kind }) => kind === "StatefulSet").map(({ metadata }) => metadata.name),
    ["sales-clickhouse", "sales-postgresql"],
    ["sf-clickhouse", "sf-postgresql"],
  ),
  row("commonLabels", ".team=data", field("ConfigMap/sf-dag", "metadata/labels/team"), "data", undefined),
  row("images.pullPolicy", "Always", dag("K8S_IMAGE_PULL_POLICY"), "Always", "IfNotPresent"),
  row("images.pullSecrets", "{one,two}", dag("K8S_IMAGE_PULL_SECRETS"), "one,two", ""),
  row("images.salesflow.repository", "my/x", dag("K8S_IMAGE"), "my/x:1.0.0", "salesflow:1.0.0"),
  row("images.salesflow.tag", "next", dag("K8S_IMAGE"), "salesflow:next", "salesflow:1.0.0"),
  row("images.salesflow.digest", DIGEST, dag("K8S_IMAGE"), `salesflow@${DIGEST}`, "salesflow:1.0.0"),
  row(
    "images.spark.digest",
    DIGEST,
    dag("SPARK_IMAGE"),
    `salesflow-spark@${DIGEST}`,
    "salesflow-spark:1.0.0",
  ),
  row("images.spark.repository", "my/x", dag("SPARK_IMAGE"), "my/x:1.0.0", "salesflow-spark:1.0.0"),
  row("images.spark.tag", "next", dag("SPARK_IMAGE"), "salesflow-spark:next", "salesflow-spark:1.0.0"),
  row("secrets.create", "false", exists("Secret/sf-postgresql-url"), false, true),

  row("storage.type", "s3", dag("STORE"), "s3://sales", "file:///var/lib/salesflow", {
    requires: BUCKET.slice(1),
  }),
  row("storage.pvc.existingClaim", "runs", dag("K8S_STORE_CLAIM"), "runs", "sf-store"),
  row(
    "storage.pvc.size",
    "3Gi",
    field("PersistentVolumeClaim/sf-store", "spec/resources/requests/storage"),
    "3Gi",
    "20Gi",
  ),
  row(
    "storage.pvc.storageClass",
    "shared",
    field("PersistentVolumeClaim/sf-store", "spec/storageClassName"),
    "shared",
    undefined,
  ),
  row(
    "storage.pvc.accessModes",
    "{ReadWriteMany}",
    field("PersistentVolumeClaim/sf-store", "spec/accessModes"),
    [
      "ReadWriteMany",
    ],
    ["ReadWriteOnce"],
  ),
  row("storage.pvc.mountPath", "/data", dag("STORE"), "file:///data", "file:///var/lib/salesflow"),
  row("storage.s3.bucket", "other", dag("STORE"), "s3://other", "s3://sales", { context: BUCKET }),
  row("storage.s3.prefix", "a/b", dag("STORE"), "s3://sales/a/b", "s3://sales", { context: BUCKET }),
  row(
    "storage.s3.endpoint",
    "http://x:9",
    field("ConfigMap/sf-stage", "data/SALESFLOW_S3_ENDPOINT"),
    "http://x:9",
    undefined,
    { context: BUCKET },
  ),
  row("storage.s3.region", "ru-1", field("ConfigMap/sf-stage", "data/AWS_REGION"), "ru-1", "us-east-1", {
    context: BUCKET,
  }),
  row(
    "storage.s3.credentials",
    "workloadIdentity",
    dag("K8S_SECRETS"),
    "sf-postgresql-url,sf-clickhouse-url",
    "sf-postgresql-url,sf-clickhouse-url,keys",
    { context: BUCKET, requires: ["storage.s3.existingSecret="] },
  ),
  row(
    "storage.s3.existingSecret",
    "mine",
    dag("K8S_SECRETS"),
    "sf-postgresql-url,sf-clickhouse-url,mine",
    "sf-postgresql-url,sf-clickhouse-url,keys",
    { context: BUCKET },
  ),

  row("postgresql.enabled", "false", exists("StatefulSet/sf-postgresql"), false, true, {
    requires: EXTERNAL_POSTGRESQL,
  }),
  row(
    "postgresql.external.existingSecret",
    "mine",
    dag("K8S_SECRETS"),
    "mine,sf-clickhouse-url",
    "warehouse,sf-clickhouse-url",
    { context: ["postgresql.enabled=false", ...EXTERNAL_POSTGRESQL] },
  ),
  row(
    "postgresql.settings",
    ".work_mem=8MB",
    (objects) => {
      const args = field("StatefulSet/sf-postgresql", "spec/template/spec/containers/0/args")(objects);
      return (args as string[]).filter((each) => each.startsWith("work_mem"));
    },
    ["work_mem=8MB"],
    [],
  ),
  ...serverRows("postgresql", ["postgres", "18"], "20Gi", "1Gi"),
  row("clickhouse.enabled", "false", exists("StatefulSet/sf-clickhouse"), false, true, {
    requires: EXTERNAL_CLICKHOUSE,
  }),
  row(
    "clickhouse.external.existingSecret",
    "mine",
    dag("K8S_SECRETS"),
    "sf-postgresql-url,mine",
    "sf-postgresql-url,analytics",
    { context: ["clickhouse.enabled=false", ...EXTERNAL_CLICKHOUSE] },
  ),
  ...serverRows("clickhouse", ["clickhouse/clickhouse-server", "26.3"], "10Gi", "2Gi"),

  row("pipeline.rows", "5", dag("ROWS"), "5", "1000000"),
  row("pipeline.seed", "7", dag("SEED"), "7", undefined),
  row("pipeline.retries", "0", dag("TASK_RETRIES"), "0", "3"),
  row("pipeline.retryDelaySeconds", "9", dag("RETRY_DELAY_SECONDS"), "9", "60"),
  row("pipeline.pool", "sales", dag("POOL"), "sales", "default_pool"),
  row("pipeline.source.name", "shop.yaml", dag("SOURCE"), "/etc/salesflow/source/shop.yaml", undefined, {
    requires: ["pipeline.source.files.shop\\.yaml=version: 1"],
  }),
  row(
    "pipeline.source.files",
    ".shop\\.yaml=version: 1",
    field("ConfigMap/sf-source", "data"),
    {
      "shop.yaml": "version: 1",
    },
    undefined,
    { requires: ["pipeline.source.name=shop.yaml"] },
  ),
  row("pipeline.source.waitHours", "5", dag("EXPORT_WAIT_HOURS"), "5", "10", { context: SOURCE }),
  row("pipeline.source.retrySeconds", "60", dag("EXPORT_RETRY_SECONDS"), "60", "900", { context: SOURCE }),
  row("pipeline.generate.maxShards", "1", dag("GENERATE_SHARDS"), "1", "4"),
  row("pipeline.generate.rowsPerShard", "10", dag("ROWS_PER_SHARD"), "10", "5000000"),

  row("stages.resources", ".limits.memory=9Gi", dag("K8S_RESOURCES", "limits", "memory"), "9Gi", "2Gi"),
  row(
    "stages.env",
    ".SALESFLOW_LOG_FORMAT=text",
    field("ConfigMap/sf-stage", "data/SALESFLOW_LOG_FORMAT"),
    "text",
    undefined,
  ),
  row("stages.labels", ".team=data", dag("K8S_LABELS", "team"), "data", undefined),
  row("stages.nodeSelector", ".pool=batch", dag("K8S_NODE_SELECTOR"), '{"pool":"batch"}', "{}"),
  row("stages.tolerations", "[0].key=batch", dag("K8S_TOLERATIONS"), '[{"key":"batch"}]', "[]"),
  row(
    "stages.affinity",
    ".nodeAffinity.x=y",
    dag("K8S_AFFINITY"),
    '{"nodeAffinity":{"x":"y"}}',
    "{}",
    { context: ["storage.pvc.accessModes={ReadWriteMany}"] },
  ),
  row("stages.podAnnotations", ".who=x", dag("K8S_ANNOTATIONS"), '{"who":"x"}', "{}"),
  row("stages.priorityClassName", "batch", dag("K8S_PRIORITY_CLASS"), "batch", ""),
  row("stages.runAsUser", "1000", dag("K8S_RUN_AS_USER"), "1000", "185"),
  row("stages.startupTimeoutSeconds", "60", dag("K8S_STARTUP_TIMEOUT_SECONDS"), "60", "600"),
  row(
    "stages.serviceAccount.annotations",
    ".who=x",
    field("ServiceAccount/sf", "metadata/annotations/who"),
    "x",
    undefined,
  ),

  row("spark.version", "4.1.0", dag("SPARK_VERSION"), "4.1.0", "4.0.4"),
  row("spark.job", "/srv/job.py", dag("SPARK_JOB"), "/srv/job.py", "/opt/salesflow/spark/job.py"),
  ...sparkPodRows("driver", ["250m", "1g"]),
  ...sparkPodRows("executor", ["500m", "2g"]),
  row("spark.executor.instances", "5", dag("SPARK_EXECUTOR", "instances"), 5, 2),
  row(
    "spark.dynamicAllocation.enabled",
    "true",
    dag("SPARK_DYNAMIC_ALLOCATION"),
    '{"maxExecutors":8,"minExecutors":1}',
    undefined,
  ),
  row("spark.dynamicAllocation.minExecutors", "3", dag("SPARK_DYNAMIC_ALLOCATION", "minExecutors"), 3, 1, {
    context: DYNAMIC,
  }),
  row("spark.dynamicAllocation.maxExecutors", "3", dag("SPARK_DYNAMIC_ALLOCATION", "maxExecutors"), 3, 8, {
    context: DYNAMIC,
  }),
  row("spark.conf", ".spark\\.speculation=yes", dag("SPARK_CONF"), '{"spark.speculation":"yes"}', "{}"),
  row("spark.ttlSeconds", "120", dag("SPARK_TTL_SECONDS"), "120", "86400"),
  row(
    "spark.serviceAccount.annotations",
    ".who=x",
    field("ServiceAccount/sf-spark", "metadata/annotations/who"),
    "x",
    undefined,
  ),

  row("airflow.enabled", "false", exists("ConfigMap/sf-dag"), false, true),
  row("airflow.serviceAccount.create", "false", exists("ServiceAccount/sf-airflow"), false, true, {
    requires: EXISTING_ACCOUNT.slice(1),
  }),
  row(
    "airflow.serviceAccount.name",
    "etl",
    field("RoleBinding/sf-airflow", "subjects/0/name"),
    "etl",
    "sf-airflow",
  ),
  row(
    "airflow.serviceAccount.namespace",
    "etl",
    field("RoleBinding/sf-airflow", "subjects/0/namespace"),
    "etl",
    "shop",
    { context: EXISTING_ACCOUNT },
  ),
  row(
    "airflow.serviceAccount.annotations",
    ".who=x",
    field("ServiceAccount/sf-airflow", "metadata/annotations/who"),
    "x",
    undefined,
  ),
  row(
    "airflow.database.create",
    "false",
    (objects) => field("Secret/sf-airflow", "stringData/connection")(objects) !== undefined,
    false,
    true,
  ),

  row("networkPolicy.enabled", "false", exists("NetworkPolicy/sf-stage"), false, true),
  row("networkPolicy.dnsPorts", "{54}", openPorts("sf-stage"), "54", "53 5353"),
  row("networkPolicy.apiServerPorts", "{1}", openPorts("sf-spark"), "1 53 5353", "53 443 5353 6443 8443"),
  row(
    "networkPolicy.externalDatabasePorts",
    "{1}",
    openPorts("sf-stage"),
    "1 53 5353",
    "53 5353 5432 8123 8443",
    { context: ["clickhouse.enabled=false", ...EXTERNAL_CLICKHOUSE] },
  ),
  row("networkPolicy.s3Ports", "{1}", openPorts("sf-stage"), "1 53 5353", "53 443 5353", { context: BUCKET }),
  row(
    "networkPolicy.airflowPodLabels",
    ".app=a",
    field("NetworkPolicy/sf-postgresql", "spec/ingress/0/from/1/podSelector/matchLabels"),
    { app: "a", tier: "airflow" },
    { tier: "airflow" },
  ),
  row(
    "networkPolicy.extraClients",
    "[0].ipBlock.cidr=10.0.0.0/8",
    field("NetworkPolicy/sf-clickhouse", "spec/ingress/0/from/1"),
    { ipBlock: { cidr: "10.0.0.0/8" } },
    undefined,
  ),
];

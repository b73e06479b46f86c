/** Detects misspelt environment variables. */
import { didYouMean } from "../lib/console/did_you_mean.ts";

/** All variables that the program reads; tests/unit/cli/variables_test.ts compares them with the options. */
export const KNOWN_VARIABLES: readonly string[] = [
  "ALERT_URL",
  "AS_OF",
  "CACHE",
  "CLICKHOUSE_URL",
  "CLICKHOUSE_URL_FILE",
  "CONFIG",
  "CUSTOMERS",
  "DEBUG",
  "DEFECT_RATE",
  "ENCODING",
  "ENV_FILE",
  "HOME",
  "INVOCATION",
  "LOG_FORMAT",
  "MAX_REJECTED",
  "NO_DATE_RANGE",
  "PARTITIONS",
  "POSTGRES_URL",
  "POSTGRES_URL_FILE",
  "PRODUCTS",
  "QUIET",
  "RETRIES",
  "ROLES",
  "ROWS",
  "RUN_ID",
  "S3_ENDPOINT",
  "SEED",
  "SOURCE",
  "STD",
  "STORE",
  "TIMEOUT_SECONDS",
  "WORKERS",
].map((name) => `SALESFLOW_${name}`);

/** Variables that are read before the files, or that the program sets itself. */
export const NOT_IN_FILES: readonly string[] = ["CONFIG", "ENV_FILE", "INVOCATION", "STD"].map((name) =>
  `SALESFLOW_${name}`
);

/** Variables of other parts of the project: the DAG, the images, the tests. */
const OTHER_PARTS =
  /^SALESFLOW_(BIN|BUILD|DB_PASSWORD|EXPORT_RETRY_SECONDS|EXPORT_WAIT_HOURS|GENERATE_SHARDS|MAP|PASSWORD|POOL|POSTGRES_JAR|RETRY_DELAY_SECONDS|ROWS_PER_SHARD|RUNNER|SHARD|SHARED|TAG|TASK_RETRIES|(E2E|FUZZ|K8S|SPARK|TEST)_.*)$/;
/** Kubernetes sets variables for each service in the namespace, such as SALESFLOW_POSTGRES_SERVICE_HOST. */
const KUBERNETES_SERVICES = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_.+)?)$/;

/** Reports whether a variable belongs to another part of the project, or to Kubernetes. */
export function isOfOtherPart(name: string): boolean {
  return OTHER_PARTS.test(name) || KUBERNETES_SERVICES.test(name);
}

/** Returns the unknown names that start with SALESFLOW_, each with a suggestion if there is one. */
export function findUnknownVariables(names: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith("SALESFLOW_") && !KNOWN_VARIABLES.includes(name))
    .filter((name) => !isOfOtherPart(name))
    .sort()
    .map((name) => `${name}.${didYouMean(name, KNOWN_VARIABLES)}`);
}

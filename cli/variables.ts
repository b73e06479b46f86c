/** Environment variables that look like the program's own and are not. */
import { didYouMean } from "./command.ts";

/** Every variable that some command reads; tests/cli/variables_test.ts compares it with the options. */
export const VARIABLES: readonly string[] = [
  "AS_OF",
  "CACHE",
  "CLICKHOUSE_URL",
  "CLICKHOUSE_URL_FILE",
  "CUSTOMERS",
  "DEBUG",
  "DEFECT_RATE",
  "ENCODING",
  "HOME",
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
  "STD",
  "STORE",
  "TIMEOUT_SECONDS",
  "WORKERS",
].map((name) => `SALESFLOW_${name}`);

/** Variables of the other parts of the system: the DAG, the images, the tests. */
const OF_OTHERS =
  /^SALESFLOW_(ALERT_URL|BIN|BUILD|DB_PASSWORD|GENERATE_SHARDS|MAP|PASSWORD|POOL|POSTGRES_JAR|RETRY_DELAY_SECONDS|ROWS_PER_SHARD|RUNNER|SHARD|SHARED|TAG|(E2E|FUZZ|K8S|SPARK|TEST)_.*)$/;
/** Kubernetes tells every pod of the services beside it, such as SALESFLOW_POSTGRES_SERVICE_HOST. */
const OF_SERVICES = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_.+)?)$/;

/** Names that begin with SALESFLOW_ and mean nothing, each with what may have been meant. */
export function unknownVariables(names: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith("SALESFLOW_") && !VARIABLES.includes(name))
    .filter((name) => !OF_OTHERS.test(name) && !OF_SERVICES.test(name))
    .sort()
    .map((name) => `${name}.${didYouMean(name, VARIABLES)}`);
}

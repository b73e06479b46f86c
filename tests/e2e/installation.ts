/** Installs, upgrades and uninstalls the system with helm/install.sh, like a user. */
import { parse, stringify } from "yaml";
import { deployAirflow } from "./airflow.ts";
import { applyKeys } from "./bucket.ts";
import { attempt, kubectl, ROOT, run } from "./command.ts";
import { imageName } from "./images.ts";
import type { Bucket, Settings } from "./settings.ts";

const FOLDER = `${ROOT}tests/e2e`;
/** Unique prefix, because the bucket may be shared or contain data of earlier tests. */
const BUCKET_PREFIX = `e2e/${crypto.randomUUID()}`;

/** Returns the options of install.sh that are the same in all calls. */
export function commonOptions(
  { namespace, operatorNamespace, operatorChart, airflowChart }: Settings,
): string[] {
  return [
    ...["--namespace", namespace, "--operator-namespace", operatorNamespace, "--timeout", "15m"],
    ...(operatorChart ? ["--spark-operator-chart", operatorChart] : []),
    ...(airflowChart
      ? airflowChart === "official" ? [] : ["--airflow-chart", airflowChart]
      : ["--skip-airflow"]),
  ];
}

/** Writes values for Airflow's chart: the test's images, and small pods as in the test's manifest. */
async function writeAirflowValues(settings: Settings): Promise<string> {
  const [repository, tag] = imageName(settings, "salesflow-airflow").split(/:(?=[^:]*$)/);
  const values = parse(await Deno.readTextFile(`${FOLDER}/airflow-values.yaml`));
  const path = `${settings.logs}/airflow-values.yaml`;
  await Deno.writeTextFile(
    path,
    stringify({ ...values, defaultAirflowRepository: repository, defaultAirflowTag: tag }),
  );
  return path;
}

/** Returns values for a bucket instead of the volume. */
function bucketValues({ name, endpoint }: Bucket): string[] {
  return [
    "storage.type=s3",
    `storage.s3.bucket=${name}`,
    `storage.s3.prefix=${BUCKET_PREFIX}`,
    `storage.s3.endpoint=${endpoint}`,
    "storage.s3.existingSecret=e2e-bucket",
  ];
}

/** Options that differ between calls of install.sh. */
export interface Installation {
  action?: "install" | "upgrade";
  /** Additional values for the chart. */
  values?: string[];
  bucket?: Bucket | undefined;
}

/** Runs install.sh to install or upgrade, without the Airflow from the test's manifest. */
export async function callInstall(
  settings: Settings,
  { action = "install", values = [], bucket = settings.bucket }: Installation = {},
): Promise<void> {
  const { prefix, tag } = settings;
  const images = [["salesflow", "salesflow"], ["spark", "salesflow-spark"]].flatMap(([key, name]) => [
    `images.${key}.repository=${prefix}${name}`,
    `images.${key}.tag=${tag}`,
  ]);
  await run(`${ROOT}helm/install.sh`, [
    action,
    ...commonOptions(settings),
    ...[
      "--values",
      `${FOLDER}/values.yaml`,
      "--spark-operator-values",
      `${FOLDER}/spark-operator-values.yaml`,
    ],
    ...(settings.airflowChart ? ["--airflow-values", await writeAirflowValues(settings)] : []),
    ...[...images, ...bucket ? bucketValues(bucket) : [], ...values].flatMap((each) => ["--set", each]),
  ]);
}

/** Installs or upgrades everything, and waits until all parts are ready. */
export async function install(settings: Settings, installation: Installation = {}): Promise<void> {
  await callInstall(settings, installation);
  if (!settings.airflowChart) await deployAirflow(settings);
}

/** Packs the operator's chart into an archive; returns it unchanged if it is not a folder. */
export async function packOperator({ operatorChart, logs }: Settings): Promise<string | undefined> {
  if (!operatorChart || !(await Deno.stat(operatorChart).catch(() => undefined))?.isDirectory) {
    return operatorChart;
  }
  const output = await run("helm", ["package", operatorChart, "--destination", logs]);
  return /saved it to: (.+)$/m.exec(output)![1];
}

/** Returns the names and unique ids of the servers' pods. */
export function serverPods({ namespace }: Settings): Promise<string> {
  const select = ["--selector", "app.kubernetes.io/component in (postgresql,clickhouse)"];
  const fields = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\\n"}{end}';
  return kubectl("get", "pods", "--namespace", namespace, ...select, "--output", fields);
}

/** Uninstalls everything, but keeps the data unless `purge` is set. */
export async function uninstall(settings: Settings, { purge = false } = {}): Promise<void> {
  if (!settings.airflowChart) {
    await kubectl(
      ...["delete", "deployment,service", "--namespace", settings.namespace, "--selector", "release=airflow"],
      "--ignore-not-found",
    );
    const airflow = ["--namespace", settings.namespace, "--selector", "release=airflow", "--timeout", "10m"];
    await kubectl("wait", "--for=delete", "pods", ...airflow);
  }
  await run(`${ROOT}helm/install.sh`, [
    "uninstall",
    ...commonOptions(settings),
    ...(purge ? ["--purge"] : []),
  ]);
}

/** Label of namespaces that may be deleted. */
export const TEST_LABEL = "salesflow/e2e";

/**
 * Removes the installation of an earlier test.
 *
 * @throws {Error} when the namespace was not created by a test
 */
export async function clearNamespace(settings: Settings): Promise<string | void> {
  const { namespace } = settings;
  const { code, stdout } = await attempt("kubectl", ["get", "namespace", namespace, "--output", "json"]);
  if (code !== 0) return;
  if (!(TEST_LABEL in JSON.parse(stdout).metadata.labels)) {
    throw new Error(
      `The namespace ${namespace} was not created by a test: set SALESFLOW_E2E_NAMESPACE to one that does not exist`,
    );
  }
  await uninstall(settings, { purge: true });
  await removeNamespaces(settings);
  return "removed that of an earlier test";
}

/** Labels the namespace as a test's, and stores the bucket's keys there. */
export async function prepareNamespace(settings: Settings): Promise<void> {
  await kubectl("label", "namespace", settings.namespace, `${TEST_LABEL}=true`);
  if (settings.bucket) await applyKeys(settings, settings.bucket);
}

/** Deletes both namespaces with everything in them. */
export async function removeNamespaces({ namespace, operatorNamespace }: Settings): Promise<void> {
  await kubectl(
    "delete",
    "namespace",
    namespace,
    operatorNamespace,
    "--ignore-not-found",
    "--timeout",
    "10m",
  );
}

/** Runs `helm test`, which is `salesflow doctor` in a pod; returns its output. */
export async function helmTest({ namespace }: Settings): Promise<string> {
  const test = ["test", "salesflow", "--namespace", namespace, "--logs", "--timeout", "10m"];
  const { code, stdout, stderr } = await attempt("helm", test);
  if (code !== 0) throw new Error(`helm test failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Returns the passwords and keys of the installation. */
export async function secrets({ namespace }: Settings): Promise<Record<string, Record<string, string>>> {
  const list = ["get", "secrets", "--namespace", namespace, "--selector", "app.kubernetes.io/name=salesflow"];
  const { items } = JSON.parse(await kubectl(...list, "--output", "json"));
  return Object.fromEntries(
    items.map((
      item: { metadata: { name: string }; data: Record<string, string> },
    ) => [item.metadata.name, item.data]),
  );
}

/** Returns the names of the claims, each with its bound volume. */
export async function claims({ namespace }: Settings): Promise<Record<string, string>> {
  const list = ["get", "persistentvolumeclaims", "--namespace", namespace, "--output", "json"];
  const { items } = JSON.parse(await kubectl(...list, "--selector", "app.kubernetes.io/name=salesflow"));
  return Object.fromEntries(
    items.map((item: { metadata: { name: string }; spec: { volumeName: string } }) => [
      item.metadata.name,
      item.spec.volumeName,
    ]),
  );
}

/** Saves logs and events after a failure; returns the most important lines, and the folder of the rest. */
export async function collectLogs({ namespace, operatorNamespace, logs }: Settings): Promise<string> {
  const save = async (name: string, ...args: string[]) => {
    const { stdout, stderr } = await attempt("kubectl", args);
    await Deno.writeTextFile(`${logs}/${name}.txt`, stdout + stderr);
    return stdout;
  };
  const highlights: string[] = [];
  for (const each of [namespace, operatorNamespace]) {
    const inNamespace = ["--namespace", each];
    await save(
      `${each}-objects`,
      "get",
      "all,persistentvolumeclaims,sparkapplications",
      ...inNamespace,
      "--output",
      "wide",
    );
    const events = await save(
      `${each}-events`,
      "get",
      "events",
      ...inNamespace,
      "--sort-by",
      ".lastTimestamp",
    );
    highlights.push(
      await save(`${each}-states`, "get", "pods", ...inNamespace).then((text) => text.trimEnd()),
    );
    highlights.push(...events.split("\n").filter((line) => /\bWarning\b/.test(line)).slice(-8));
    await save(`${each}-pods`, "describe", "pods", ...inNamespace);
    const names = await attempt("kubectl", ["get", "pods", ...inNamespace, "--output", "name"]);
    for (const pod of names.stdout.split("\n").filter((name) => name !== "")) {
      const log = ["logs", pod, ...inNamespace, "--all-containers", "--prefix", "--tail=2000"];
      await save(`${each}-${pod.replace("pod/", "")}`, ...log);
    }
  }
  return [...highlights, `Logs of all pods, and events, are in ${logs}`].filter((line) => line !== "").join(
    "\n",
  );
}

/** The installation under test: brought, upgraded and taken away by helm/install.sh, as people do it. */
import { parse, stringify } from "yaml";
import { deployAirflow } from "./airflow.ts";
import { putKeys } from "./bucket.ts";
import { attempt, kubectl, ROOT, run } from "./command.ts";
import { imageName } from "./images.ts";
import type { Bucket, Settings } from "./settings.ts";

const HERE = `${ROOT}tests/e2e`;
/** The bucket may be shared; what was left by a test before is not this one's. */
const BUCKET_FOLDER = `e2e/${crypto.randomUUID()}`;

/** Options of install.sh that are the same in all calls. */
function places({ namespace, operatorNamespace, operatorChart, airflowChart }: Settings): string[] {
  return [
    ...["--namespace", namespace, "--operator-namespace", operatorNamespace, "--timeout", "5m"],
    ...(operatorChart ? ["--spark-operator-chart", operatorChart] : []),
    ...(airflowChart
      ? airflowChart === "official" ? [] : ["--airflow-chart", airflowChart]
      : ["--skip-airflow"]),
  ];
}

/** The images built here, and for Airflow's chart the same small pods as in the test's own manifest. */
async function airflowOverrides(settings: Settings): Promise<string> {
  const [repository, tag] = imageName(settings, "salesflow-airflow").split(/:(?=[^:]*$)/);
  const values = parse(await Deno.readTextFile(`${HERE}/airflow-values.yaml`));
  const path = `${settings.logs}/airflow-values.yaml`;
  await Deno.writeTextFile(
    path,
    stringify({ ...values, defaultAirflowRepository: repository, defaultAirflowTag: tag }),
  );
  return path;
}

/** Values for a bucket in place of the volume. */
function storage({ name, endpoint }: Bucket): string[] {
  return [
    "storage.type=s3",
    `storage.s3.bucket=${name}`,
    `storage.s3.prefix=${BUCKET_FOLDER}`,
    `storage.s3.endpoint=${endpoint}`,
    "storage.s3.existingSecret=e2e-bucket",
  ];
}

/** What differs between calls of install.sh. */
export interface Installation {
  action?: "install" | "upgrade";
  /** More values for the chart. */
  values?: string[];
  bucket?: Bucket | undefined;
}

/** Calls install.sh to install or upgrade, without the test's own Airflow. */
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
    ...places(settings),
    ...["--values", `${HERE}/values.yaml`, "--spark-operator-values", `${HERE}/spark-operator-values.yaml`],
    ...(settings.airflowChart ? ["--airflow-values", await airflowOverrides(settings)] : []),
    ...[...images, ...bucket ? storage(bucket) : [], ...values].flatMap((each) => ["--set", each]),
  ]);
}

/** Installs or upgrades everything; waits until all parts serve. */
export async function install(settings: Settings, installation: Installation = {}): Promise<void> {
  await callInstall(settings, installation);
  if (!settings.airflowChart) await deployAirflow(settings);
}

/** The operator's chart as an archive; as it is given where that is no folder. */
export async function packOperator({ operatorChart, logs }: Settings): Promise<string | undefined> {
  if (!operatorChart || !(await Deno.stat(operatorChart).catch(() => undefined))?.isDirectory) {
    return operatorChart;
  }
  const said = await run("helm", ["package", operatorChart, "--destination", logs]);
  return /saved it to: (.+)$/m.exec(said)![1];
}

/** Names of the servers' pods, each with what is new when it is another pod. */
export function serverPods({ namespace }: Settings): Promise<string> {
  const select = ["--selector", "app.kubernetes.io/component in (postgresql,clickhouse)"];
  const fields = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\\n"}{end}';
  return kubectl("get", "pods", "--namespace", namespace, ...select, "--output", fields);
}

/** Takes everything away but the data, or that too. */
export async function uninstall(settings: Settings, { purge = false } = {}): Promise<void> {
  if (!settings.airflowChart) {
    await kubectl(
      ...["delete", "deployment,service", "--namespace", settings.namespace, "--selector", "release=airflow"],
      "--ignore-not-found",
    );
    const airflow = ["--namespace", settings.namespace, "--selector", "release=airflow", "--timeout", "2m"];
    await kubectl("wait", "--for=delete", "pods", ...airflow);
  }
  await run(`${ROOT}helm/install.sh`, ["uninstall", ...places(settings), ...(purge ? ["--purge"] : [])]);
}

/** A label by which a namespace says that it may be thrown away. */
const MARK = "salesflow/e2e";

/**
 * Throws away what an earlier test left.
 *
 * @throws {Error} when the namespace is not a test's
 */
export async function clearNamespace(settings: Settings): Promise<string | void> {
  const { namespace } = settings;
  const { code, stdout } = await attempt("kubectl", ["get", "namespace", namespace, "--output", "json"]);
  if (code !== 0) return;
  if (!(MARK in JSON.parse(stdout).metadata.labels)) {
    throw new Error(
      `The namespace ${namespace} is not a test's: set SALESFLOW_E2E_NAMESPACE to one that does not exist`,
    );
  }
  await uninstall(settings, { purge: true });
  await removeNamespaces(settings);
  return "an earlier test's was there";
}

/** Marks the namespace as the test's, and puts the bucket's keys there. */
export async function prepareNamespace(settings: Settings): Promise<void> {
  await kubectl("label", "namespace", settings.namespace, `${MARK}=true`);
  if (settings.bucket) await putKeys(settings, settings.bucket);
}

/** Removes both namespaces with everything in them. */
export async function removeNamespaces({ namespace, operatorNamespace }: Settings): Promise<void> {
  await kubectl("delete", "namespace", namespace, operatorNamespace, "--ignore-not-found", "--timeout", "3m");
}

/** `helm test`: `salesflow doctor` in a pod; returns what it said. */
export async function helmTest({ namespace }: Settings): Promise<string> {
  const test = ["test", "salesflow", "--namespace", namespace, "--logs", "--timeout", "3m"];
  const { code, stdout, stderr } = await attempt("helm", test);
  if (code !== 0) throw new Error(`helm test failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** The passwords and keys of the installation. */
export async function secrets({ namespace }: Settings): Promise<Record<string, Record<string, string>>> {
  const list = ["get", "secrets", "--namespace", namespace, "--selector", "app.kubernetes.io/name=salesflow"];
  const { items } = JSON.parse(await kubectl(...list, "--output", "json"));
  return Object.fromEntries(
    items.map((
      item: { metadata: { name: string }; data: Record<string, string> },
    ) => [item.metadata.name, item.data]),
  );
}

/** Names of the claims, each with the volume that it is bound to. */
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

/** Keeps what can be learnt about a failure; returns what stands out, and where the rest is. */
export async function collectLogs({ namespace, operatorNamespace, logs }: Settings): Promise<string> {
  const keep = async (name: string, ...args: string[]) => {
    const { stdout, stderr } = await attempt("kubectl", args);
    await Deno.writeTextFile(`${logs}/${name}.txt`, stdout + stderr);
    return stdout;
  };
  const striking: string[] = [];
  for (const each of [namespace, operatorNamespace]) {
    const there = ["--namespace", each];
    await keep(
      `${each}-objects`,
      "get",
      "all,persistentvolumeclaims,sparkapplications",
      ...there,
      "--output",
      "wide",
    );
    const events = await keep(`${each}-events`, "get", "events", ...there, "--sort-by", ".lastTimestamp");
    striking.push(await keep(`${each}-states`, "get", "pods", ...there).then((text) => text.trimEnd()));
    striking.push(...events.split("\n").filter((line) => /\bWarning\b/.test(line)).slice(-8));
    await keep(`${each}-pods`, "describe", "pods", ...there);
    const names = await attempt("kubectl", ["get", "pods", ...there, "--output", "name"]);
    for (const pod of names.stdout.split("\n").filter((name) => name !== "")) {
      const log = ["logs", pod, ...there, "--all-containers", "--prefix", "--tail=2000"];
      await keep(`${each}-${pod.replace("pod/", "")}`, ...log);
    }
  }
  return [...striking, `Logs of all pods and events are in ${logs}`].filter((line) => line !== "").join("\n");
}

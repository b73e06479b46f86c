/** A second installation, in another namespace, that shares spark-operator with the first. */
import { assertEquals } from "@std/assert";
import { kubectl, ROOT, run } from "./command.ts";
import { commonOptions, TEST_LABEL } from "./installation.ts";
import type { Settings } from "./settings.ts";

/** No pods: the databases are external, and nothing is run. */
const VALUES = [
  "airflow.enabled=false",
  ...["postgresql", "clickhouse"].flatMap((server) => [
    `${server}.enabled=false`,
    `${server}.external.existingSecret=elsewhere`,
  ]),
  "airflow.database.create=false",
];

/** Returns the namespaces that the operator watches, and those in which it may manage applications. */
async function watchedNamespaces({ operatorNamespace }: Settings): Promise<string[]> {
  const values = ["get", "values", "spark-operator", "--namespace", operatorNamespace, "--output", "json"];
  const { spark } = JSON.parse(await run("helm", values));
  const deployment = await kubectl(
    ...["get", "deployment", "--namespace", operatorNamespace, "--output", "yaml"],
  );
  assertEquals(/--namespaces=(\S+)/.exec(deployment)?.[1], spark.jobNamespaces.join(","));
  return spark.jobNamespaces;
}

/** Installs next to the first installation, and uninstalls again; the operator must stay with the first throughout. */
export async function shareOperator(settings: Settings): Promise<void> {
  const { namespace } = settings;
  const neighbour = { ...settings, namespace: `${namespace}-neighbour`, airflowChart: undefined };
  await kubectl("create", "namespace", neighbour.namespace);
  try {
    await kubectl("label", "namespace", neighbour.namespace, `${TEST_LABEL}=true`);
    const install = [...commonOptions(neighbour), ...VALUES.flatMap((value) => ["--set", value])];
    await run(`${ROOT}helm/install.sh`, ["install", ...install]);
    assertEquals(await watchedNamespaces(settings), [namespace, neighbour.namespace]);
    await run(`${ROOT}helm/install.sh`, ["uninstall", ...commonOptions(neighbour), "--purge"]);
    assertEquals(await watchedNamespaces(settings), [namespace]);
  } finally {
    await kubectl("delete", "namespace", neighbour.namespace, "--timeout", "10m");
  }
}

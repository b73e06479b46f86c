/** Tests helm/examples against the chart, and on a live API server when KUBECONFIG names one. */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseAllDocuments } from "yaml";
import { findObject, type KubernetesObject, MIN_KUBERNETES_VERSION, render, ROOT, run } from "./chart.ts";
import { isAllowed, readPodLabels } from "./network.ts";

const BACKUP = `${ROOT}helm/examples/backup.yaml`;
const SELECTOR = "networkPolicy.extraClients[0].podSelector.matchLabels.app=salesflow-backup";
const CHART = Deno.env.get("SALESFLOW_E2E_AIRFLOW_CHART");
const official = CHART && CHART !== "official" ? it : it.skip;
const live = Deno.env.get("KUBECONFIG") ? it : it.skip;

async function readBackup(): Promise<{ text: string; job: KubernetesObject }> {
  const text = await Deno.readTextFile(BACKUP);
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  return { text, job: findObject(objects, "CronJob", "salesflow-backup") };
}

describe("examples/backup.yaml", () => {
  it("dumps the databases of the chart, as a client that its policies allow", async () => {
    const { text, job } = await readBackup();
    const set = [SELECTOR];
    assertEquals(text.includes(`--set '${SELECTOR}'`), true);
    const objects = await render({ set, release: "salesflow", namespace: "shop" });
    const { metadata, spec } = job.spec.jobTemplate.spec.template;
    const [{ env, image, command }] = spec.containers;
    const { name, key } = env[2].valueFrom.secretKeyRef;
    assertEquals(typeof findObject(objects, "Secret", name).stringData[key], "string");
    assertEquals(findObject(objects, "Service", env[0].value).kind, "Service");
    const server = findObject(objects, "StatefulSet", env[0].value).spec.template.spec;
    assertEquals(image, server.containers[0].image);
    assertEquals(spec.securityContext.runAsUser, server.securityContext.runAsUser);
    const script = findObject(objects, "ConfigMap", "salesflow-postgresql").data["roles.sh"];
    for (const [, database] of script.matchAll(/CREATE DATABASE (\w+)/g)) {
      assertEquals(command[2].includes(database), true, database);
    }
    const backup = { namespace: "shop", labels: metadata.labels };
    const postgresql = {
      namespace: "shop",
      labels: readPodLabels(objects, "StatefulSet/salesflow-postgresql"),
      port: 5432,
    };
    assertEquals(isAllowed(objects, "shop", backup, postgresql), true);
    assertEquals(
      isAllowed(await render({ release: "salesflow", namespace: "shop" }), "shop", backup, postgresql),
      false,
    );
  });

  live("is accepted where pods must be restricted", async () => {
    const namespace = `salesflow-backup-${crypto.randomUUID().slice(0, 8)}`;
    const kubectl = (...args: string[]) => run("kubectl", args);
    await kubectl("create", "namespace", namespace);
    try {
      await kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/warn=restricted");
      const dryRun = ["apply", "--namespace", namespace, "--dry-run=server", "--filename", BACKUP];
      const { code, stderr } = await kubectl(...dryRun);
      assertEquals([code, stderr], [0, ""]);
    } finally {
      await kubectl("delete", "namespace", namespace, "--wait=false");
    }
  });
});

describe("examples/airflow-values.yaml", () => {
  official("gives Airflow's chart an Ingress and remote logs, besides the settings of the DAG", async () => {
    const files = ["values/airflow.yaml", "examples/airflow-values.yaml"];
    const values = files.flatMap((file) => ["--values", `${ROOT}helm/${file}`]);
    const fixed = ["--namespace", "shop", "--kube-version", MIN_KUBERNETES_VERSION];
    const { code, stdout, stderr } = await run("helm", ["template", "airflow", CHART!, ...fixed, ...values]);
    assertEquals(code, 0, stderr);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS()).filter((object) =>
      object !== null
    );
    const { spec } = findObject(objects, "Ingress", "airflow-ingress");
    assertEquals([spec.rules[0].host, spec.tls[0].secretName], ["airflow.example.com", "airflow-tls"]);
    const config = findObject(objects, "ConfigMap", "airflow-config").data["airflow.cfg"];
    assertEquals(/remote_logging = True\n/.test(config), true);
    const [scheduler] = findObject(objects, "StatefulSet", "airflow-scheduler").spec.template.spec.containers;
    const names = scheduler.envFrom.map((each: KubernetesObject) =>
      (each.configMapRef ?? each.secretRef).name
    );
    assertEquals(names, ["salesflow-dag", "salesflow-alert", "airflow-logs"]);
    assertEquals(
      scheduler.env.find(({ name }: { name: string }) => name === "AIRFLOW_CONN_AWS_DEFAULT").value,
      "aws://",
    );
  });
});

/** Tests the chart against a live API server with dry runs, in a temporary namespace. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { stringify } from "yaml";
import { CHART, findPods, type KubernetesObject, listCiValues, type Outcome, render, run } from "./chart.ts";

const NAMESPACE = `salesflow-chart-${crypto.randomUUID().slice(0, 8)}`;
/** The cluster must be selected explicitly; kubectl's default context is never used. */
const CLUSTER = Deno.env.get("KUBECONFIG");
const live = CLUSTER ? it : it.skip;
const WHERE = CLUSTER ? "" : " (KUBECONFIG is not set)";

async function kubectl(args: string[], objects?: unknown[]): Promise<Outcome> {
  const input = objects?.map((object) => stringify(object)).join("---\n");
  return await run("kubectl", args, input === undefined ? {} : { input });
}

async function create(...objects: unknown[]): Promise<void> {
  const { code, stderr } = await kubectl(["create", "--namespace", NAMESPACE, "--filename", "-"], objects);
  if (code !== 0) throw new Error(`kubectl create failed: ${stderr}`);
}

/** Converts pod templates to pods, so that admission control checks them. */
function toPods(objects: KubernetesObject[]): unknown[] {
  return findPods(objects).map(({ owner, labels, spec }, index) => {
    const claimed = new Set(spec.volumes.map(({ name }: { name: string }) => name));
    const claims = spec.containers[0].volumeMounts.map(({ name }: { name: string }) => name)
      .filter((name: string) => !claimed.has(name))
      .map((name: string) => ({ name, emptyDir: {} }));
    const metadata = { name: `pod-${index}`, labels, annotations: { "salesflow/owner": owner } };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: { ...spec, volumes: [...spec.volumes, ...claims] },
    };
  });
}

describe("the chart on a live API server", () => {
  beforeAll(async () => {
    if (!CLUSTER) return;
    const labels = Object.fromEntries(
      ["enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
    );
    await create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } });
    for (const name of ["sf", "sales"]) {
      await create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    }
  });

  afterAll(async () => {
    if (CLUSTER) await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  });

  for (const file of listCiValues()) {
    live(
      `is accepted in a namespace that enforces "restricted", with ${file.split("/").at(-1)}${WHERE}`,
      async () => {
        const objects = await render({ files: [file], namespace: NAMESPACE });
        const dryRun = ["apply", "--namespace", NAMESPACE, "--dry-run=server", "--filename", "-"];
        const { code, stdout, stderr } = await kubectl(dryRun, [...objects, ...toPods(objects)]);
        const accounts = /Warning: resource serviceaccounts\/\w+ is missing the .*\n?/g;
        assertEquals([code, stderr.replace(accounts, "")], [0, ""]);
        assertEquals(stdout.trim().split("\n").length, objects.length + toPods(objects).length);
      },
    );
  }

  live(`is rejected there if a pod may run as root${WHERE}`, async () => {
    const objects = await render({ namespace: NAMESPACE });
    const [pod] = toPods(objects) as { spec: { securityContext: unknown } }[];
    pod!.spec.securityContext = { runAsUser: 0 };
    const { code, stderr } = await kubectl(
      ["apply", "--namespace", NAMESPACE, "--dry-run=server", "--filename", "-"],
      [pod],
    );
    assertEquals(code, 1);
    assertMatch(stderr, /violates PodSecurity "restricted/);
  });

  live(`keeps existing passwords, and prints the next steps${WHERE}`, async () => {
    const metadata = { name: "kept-postgresql" };
    await create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { password: "kept-password" } });
    // Without these labels and annotations Helm would refuse to adopt the Secret.
    const labels = [
      "label",
      "secret",
      "kept-postgresql",
      "--namespace",
      NAMESPACE,
      "app.kubernetes.io/managed-by=Helm",
    ];
    const annotations = ["meta.helm.sh/release-name=kept", `meta.helm.sh/release-namespace=${NAMESPACE}`];
    await kubectl(labels);
    await kubectl(["annotate", "secret", "kept-postgresql", "--namespace", NAMESPACE, ...annotations]);
    const { code, stdout, stderr } = await run("helm", [
      "install",
      "kept",
      CHART,
      "--namespace",
      NAMESPACE,
      "--dry-run=server",
    ]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "postgresql://salesflow:kept-password@kept-postgresql.");
    assertMatch(stdout, /airflow-password: "[A-Za-z0-9]{32}"/);
    assertStringIncludes(stdout, `helm test kept --namespace ${NAMESPACE} --logs`);
  });
});

/** The chart against a live API server, nothing of it for good but a namespace that is removed again. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { stringify } from "yaml";
import { CHART, ciValues, type KubernetesObject, type Outcome, pods, render, run } from "./chart.ts";

const NAMESPACE = `salesflow-chart-${crypto.randomUUID().slice(0, 8)}`;
/** Only a cluster that somebody named for this is used, never one that happens to be kubectl's current one. */
const CLUSTER = Deno.env.get("KUBECONFIG");
const live = CLUSTER ? it : it.skip;
const WHERE = CLUSTER ? "" : " (KUBECONFIG names no cluster)";

async function kubectl(args: string[], objects?: unknown[]): Promise<Outcome> {
  const input = objects?.map((object) => stringify(object)).join("---\n");
  return await run("kubectl", args, input === undefined ? {} : { input });
}

async function create(...objects: unknown[]): Promise<void> {
  const { code, stderr } = await kubectl(["create", "--namespace", NAMESPACE, "--filename", "-"], objects);
  if (code !== 0) throw new Error(`kubectl create failed: ${stderr}`);
}

/** Pods of their own with what controllers would make pods of, so that admission judges them. */
function asPods(objects: KubernetesObject[]): unknown[] {
  return pods(objects).map(({ owner, labels, spec }, index) => {
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

  for (const file of ciValues()) {
    live(
      `is accepted in a namespace that enforces "restricted", with ${file.split("/").at(-1)}${WHERE}`,
      async () => {
        const objects = await render({ files: [file], namespace: NAMESPACE });
        const dryRun = ["apply", "--namespace", NAMESPACE, "--dry-run=server", "--filename", "-"];
        const { code, stdout, stderr } = await kubectl(dryRun, [...objects, ...asPods(objects)]);
        const accounts = /Warning: resource serviceaccounts\/\w+ is missing the .*\n?/g;
        assertEquals([code, stderr.replace(accounts, "")], [0, ""]);
        assertEquals(stdout.trim().split("\n").length, objects.length + asPods(objects).length);
      },
    );
  }

  live(`would be refused there if a pod might run as root${WHERE}`, async () => {
    const objects = await render({ namespace: NAMESPACE });
    const [pod] = asPods(objects) as { spec: { securityContext: unknown } }[];
    pod!.spec.securityContext = { runAsUser: 0 };
    const { code, stderr } = await kubectl(
      ["apply", "--namespace", NAMESPACE, "--dry-run=server", "--filename", "-"],
      [pod],
    );
    assertEquals(code, 1);
    assertMatch(stderr, /violates PodSecurity "restricted/);
  });

  live(`keeps the passwords that are there, and says what to do next${WHERE}`, async () => {
    const metadata = { name: "kept-postgresql" };
    await create({ apiVersion: "v1", kind: "Secret", metadata, stringData: { password: "kept-password" } });
    // Helm would refuse to take over the Secret; with secrets.create=true it only has to be shown what it would make.
    const labels = [
      "label",
      "secret",
      "kept-postgresql",
      "--namespace",
      NAMESPACE,
      "app.kubernetes.io/managed-by=Helm",
    ];
    const notes = ["meta.helm.sh/release-name=kept", `meta.helm.sh/release-namespace=${NAMESPACE}`];
    await kubectl(labels);
    await kubectl(["annotate", "secret", "kept-postgresql", "--namespace", NAMESPACE, ...notes]);
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

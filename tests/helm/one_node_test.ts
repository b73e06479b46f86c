/**
 * Tests on a live scheduler that pods with a store of one node are placed together: on two nodes that exist in the API only,
 * so that pods are assigned to them and never run.
 */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { stringify } from "yaml";
import { findObject, type KubernetesObject, render, run } from "./chart.ts";

const NAME = `salesflow-node-${crypto.randomUUID().slice(0, 8)}`;
/** The cluster must be selected explicitly; kubectl's default context is never used. */
const CLUSTER = Deno.env.get("KUBECONFIG");
const live = CLUSTER ? it : it.skip;
const PODS = 6;

async function kubectl(args: string[], objects?: unknown[]): Promise<string> {
  const input = objects?.map((object) => stringify(object)).join("---\n");
  const { code, stdout, stderr } = await run("kubectl", args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}

/** A pod of a stage as the DAG would create it, with a preference against nodes that have such a pod already. */
function createPod(index: number, settings: Record<string, string>): unknown {
  const labels = {
    ...JSON.parse(settings.SALESFLOW_K8S_LABELS!),
    "app.kubernetes.io/name": "salesflow",
    "app.kubernetes.io/component": index % 2 === 0 ? "stage" : "spark",
    [NAME]: "true",
  };
  const spread = {
    labelSelector: { matchLabels: { [NAME]: "true" } },
    topologyKey: "kubernetes.io/hostname",
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${index}`, namespace: NAME, labels },
    spec: {
      serviceAccountName: "stage",
      nodeSelector: { [NAME]: "true" },
      tolerations: [{ operator: "Exists" }],
      affinity: {
        ...JSON.parse(settings.SALESFLOW_K8S_AFFINITY!),
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: spread }],
        },
      },
      containers: [{ name: "stage", image: "nothing" }],
    },
  };
}

/** Creates the pods and returns the nodes that the scheduler assigned them to. */
async function placePods(...set: string[]): Promise<Set<string>> {
  const settings = findObject(await render({ set }), "ConfigMap", "sf-dag").data as Record<string, string>;
  await kubectl(
    ["create", "--filename", "-"],
    Array.from({ length: PODS }, (_, index) => createPod(index, settings)),
  );
  const inNamespace = ["pods", "--all", "--namespace", NAME];
  await kubectl(["wait", "--for=condition=PodScheduled", ...inNamespace, "--timeout=60s"]);
  const { items } = JSON.parse(await kubectl(["get", "pods", "--namespace", NAME, "--output", "json"]));
  await kubectl(["delete", ...inNamespace, "--force", "--grace-period=0"]);
  return new Set(items.map((pod: KubernetesObject) => pod.spec.nodeName));
}

describe("pods with the store, on two nodes", () => {
  beforeAll(async () => {
    if (!CLUSTER) return;
    const nodes = ["a", "b"].map((name) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: `${NAME}-${name}`,
        labels: { [NAME]: "true", "kubernetes.io/hostname": `${NAME}-${name}` },
      },
    }));
    await kubectl(["create", "--filename", "-"], [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: NAME } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "stage", namespace: NAME } },
      ...nodes,
    ]);
    const status = {
      capacity: { cpu: "8", memory: "8Gi", pods: "20" },
      allocatable: { cpu: "8", memory: "8Gi", pods: "20" },
      conditions: [{
        type: "Ready",
        status: "True",
        reason: "Test",
        lastHeartbeatTime: new Date().toISOString(),
      }],
    };
    for (const { metadata } of nodes) {
      const patch = ["--subresource=status", "--type=merge", "--patch", JSON.stringify({ status })];
      await kubectl(["patch", "node", metadata.name, ...patch]);
    }
  });

  afterAll(async () => {
    if (!CLUSTER) return;
    await kubectl(["delete", "nodes", "--selector", `${NAME}=true`]);
    await kubectl(["delete", "namespace", NAME, "--wait=false"]);
  });

  live("stay on one, unless several can mount it", async () => {
    assertEquals((await placePods()).size, 1);
    assertEquals((await placePods("storage.pvc.accessModes={ReadWriteMany}")).size, 2);
  });
});

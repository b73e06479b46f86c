/** Evaluates the chart's network policies like a network plug-in, for pods as started by the DAG and Airflow. */
import { findObject, findPods, type KubernetesObject, ROOT, run } from "./chart.ts";

/** One end of a connection. Without labels, it is outside of the cluster or has unknown labels. */
export interface Endpoint {
  namespace?: string;
  labels?: Record<string, string>;
  /** Its address, outside of the cluster. */
  address?: string;
  /** The listening port. */
  port?: number;
  protocol?: "TCP" | "UDP";
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values: string[] }[];
}

interface Peer {
  ipBlock?: { cidr: string };
  podSelector?: Selector;
  namespaceSelector?: Selector;
}

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port: number; protocol: string }[];
}

/** Returns whether a label selector matches. */
function matchesSelector(selector: Selector, labels: Record<string, string>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== "In") throw new Error(`the operator ${operator} is not supported`);
      return values.includes(labels[key] ?? "");
    });
}

/** Returns whether a peer of a rule matches an endpoint. */
function matchesPeer(
  { podSelector, namespaceSelector, ipBlock }: Peer,
  end: Endpoint,
  home: string,
): boolean {
  if (ipBlock) return /\/(32|128)$/.test(ipBlock.cidr) && ipBlock.cidr.split("/")[0] === end.address;
  if (!end.labels || !end.namespace) return false;
  const isInNamespace = namespaceSelector
    ? matchesSelector(namespaceSelector, { "kubernetes.io/metadata.name": end.namespace })
    : end.namespace === home;
  return isInNamespace && matchesSelector(podSelector ?? {}, end.labels);
}

/** Returns whether a rule allows the connection. */
function allows(
  rule: Rule,
  peers: Peer[] | undefined,
  end: Endpoint,
  target: Endpoint,
  home: string,
): boolean {
  const { port, protocol = "TCP" } = target;
  return (!peers || peers.some((peer) => matchesPeer(peer, end, home))) &&
    (!rule.ports || rule.ports.some((each) => each.port === port && each.protocol === protocol));
}

/** Returns whether the policies of a namespace allow a connection from `from` to `to`. */
export function isAllowed(
  objects: readonly KubernetesObject[],
  home: string,
  from: Endpoint,
  to: Endpoint,
): boolean {
  const findPolicies = (end: Endpoint, type: string) =>
    objects.filter(({ kind, spec }) =>
      kind === "NetworkPolicy" && end.namespace === home && spec.policyTypes.includes(type) &&
      matchesSelector(spec.podSelector, end.labels ?? {})
    );
  // Without a policy everything is allowed; otherwise at least one policy must allow the connection.
  const [outgoing, incoming] = [findPolicies(from, "Egress"), findPolicies(to, "Ingress")];
  const egressAllowed = outgoing.length === 0 ||
    outgoing.some(({ spec }) => spec.egress.some((rule: Rule) => allows(rule, rule.to, to, to, home)));
  const ingressAllowed = incoming.length === 0 ||
    incoming.some(({ spec }) => spec.ingress.some((rule: Rule) => allows(rule, rule.from, from, to, home)));
  return egressAllowed && ingressAllowed;
}

/** Calls a function of the DAG without importing its module, which requires Airflow. */
const STAGE_LABELS = `
import ast, json, sys
module = ast.parse(open("dags/salesflow_runners/kubernetes.py").read())
[function] = [node for node in module.body if getattr(node, "name", "") == "stage_labels"]
names = {}
exec(compile(ast.Module([function], []), "kubernetes.py", "exec"), names)
print(json.dumps(names["stage_labels"](sys.argv[1])))
`;

/** Returns the labels that the DAG sets on pods of stages and of Spark, according to the objects' settings. */
export async function readDagLabels(
  objects: readonly KubernetesObject[],
): Promise<{ stage: Record<string, string>; spark: Record<string, string> }> {
  const { SALESFLOW_K8S_LABELS } =
    objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name.endsWith("-dag"))!.data;
  const settings: Record<string, string> = JSON.parse(SALESFLOW_K8S_LABELS);
  const { code, stdout, stderr } = await run("python3", ["-B", "-c", STAGE_LABELS, "load"]);
  if (code !== 0) throw new Error(stderr);
  const template = await Deno.readTextFile(`${ROOT}dags/salesflow_runners/spark_application.yaml`);
  const [, block] = /set labels = dict\(spark\.labels, \*\*(\{[^]*?\})\)/.exec(template) ?? [];
  if (!block) throw new Error("spark_application.yaml does not set its labels in the expected way");
  const spark = JSON.parse(block.replace(/: stage\b/, ': "clean"').replace(/,\s*\}$/, "}"));
  return { stage: { ...settings, ...JSON.parse(stdout) }, spark: { ...settings, ...spark } };
}

/** Returns the labels of a pod of the chart. */
export function readPodLabels(objects: readonly KubernetesObject[], owner: string): Record<string, string> {
  const pod = findPods(objects).find((each) => each.owner === owner);
  if (!pod) throw new Error(`no pod of ${owner}`);
  return pod.labels;
}

/** Returns the port of a service of the chart. */
export function readPort(objects: readonly KubernetesObject[], service: string): number {
  return findObject(objects, "Service", service).spec.ports[0].port;
}

/** What a network plug-in would make of the chart's policies, for pods as the DAG and Airflow start them. */
import { find, type KubernetesObject, pods, ROOT, run } from "./chart.ts";

/** One end of a connection. Without labels: a place that is no pod of the cluster, or whose labels nobody knows. */
export interface End {
  namespace?: string;
  labels?: Record<string, string>;
  /** Where it listens. */
  port?: number;
  protocol?: "TCP" | "UDP";
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values: string[] }[];
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
}

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port: number; protocol: string }[];
}

function selects(selector: Selector, labels: Record<string, string>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== "In") throw new Error(`this knows nothing of the operator ${operator}`);
      return values.includes(labels[key] ?? "");
    });
}

function isPeer({ podSelector, namespaceSelector }: Peer, end: End, home: string): boolean {
  if (!end.labels || !end.namespace) return false;
  const isThere = namespaceSelector
    ? selects(namespaceSelector, { "kubernetes.io/metadata.name": end.namespace })
    : end.namespace === home;
  return isThere && selects(podSelector ?? {}, end.labels);
}

function passes(rule: Rule, peers: Peer[] | undefined, end: End, target: End, home: string): boolean {
  const { port, protocol = "TCP" } = target;
  return (!peers || peers.some((peer) => isPeer(peer, end, home))) &&
    (!rule.ports || rule.ports.some((each) => each.port === port && each.protocol === protocol));
}

/** Whether the policies of a namespace let `from` open a connection to `to`. */
export function isAllowed(objects: readonly KubernetesObject[], home: string, from: End, to: End): boolean {
  const policiesOf = (end: End, type: string) =>
    objects.filter(({ kind, spec }) =>
      kind === "NetworkPolicy" && end.namespace === home && spec.policyTypes.includes(type) &&
      selects(spec.podSelector, end.labels ?? {})
    );
  // Pods that no policy selects may do anything; others what at least one of their policies lets them.
  const [outgoing, incoming] = [policiesOf(from, "Egress"), policiesOf(to, "Ingress")];
  const leaves = outgoing.length === 0 ||
    outgoing.some(({ spec }) => spec.egress.some((rule: Rule) => passes(rule, rule.to, to, to, home)));
  const enters = incoming.length === 0 ||
    incoming.some(({ spec }) => spec.ingress.some((rule: Rule) => passes(rule, rule.from, from, to, home)));
  return leaves && enters;
}

/** Calls the DAG's own function, without Airflow, which its module imports. */
const STAGE_LABELS = `
import ast, json, sys
module = ast.parse(open("dags/salesflow_runners/kubernetes.py").read())
[function] = [node for node in module.body if getattr(node, "name", "") == "stage_labels"]
names = {}
exec(compile(ast.Module([function], []), "kubernetes.py", "exec"), names)
print(json.dumps(names["stage_labels"](sys.argv[1])))
`;

/** The labels that the DAG gives to pods of stages and to Spark's, with these objects' settings. */
export async function labelsOfDag(
  objects: readonly KubernetesObject[],
): Promise<{ stage: Record<string, string>; spark: Record<string, string> }> {
  const { SALESFLOW_K8S_LABELS } =
    objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name.endsWith("-dag"))!.data;
  const settings: Record<string, string> = JSON.parse(SALESFLOW_K8S_LABELS);
  const { code, stdout, stderr } = await run("python3", ["-B", "-c", STAGE_LABELS, "load"]);
  if (code !== 0) throw new Error(stderr);
  const template = await Deno.readTextFile(`${ROOT}dags/salesflow_runners/spark_application.yaml`);
  const [, block] = /set labels = dict\(spark\.labels, \*\*(\{[^]*?\})\)/.exec(template) ?? [];
  if (!block) throw new Error("spark_application.yaml sets its labels in another way now");
  const spark = JSON.parse(block.replace(/: stage\b/, ': "clean"').replace(/,\s*\}$/, "}"));
  return { stage: { ...settings, ...JSON.parse(stdout) }, spark: { ...settings, ...spark } };
}

/** The labels of a pod of the chart itself. */
export function labelsOf(objects: readonly KubernetesObject[], owner: string): Record<string, string> {
  const pod = pods(objects).find((each) => each.owner === owner);
  if (!pod) throw new Error(`no pod of ${owner}`);
  return pod.labels;
}

/** Ports that a server of the chart listens on. */
export function portOf(objects: readonly KubernetesObject[], service: string): number {
  return find(objects, "Service", service).spec.ports[0].port;
}

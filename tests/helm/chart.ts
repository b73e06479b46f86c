/** Renders the chart with helm, to inspect its objects or its error messages. */
import { parse, parseAllDocuments } from "yaml";

/** The repository's root. */
export const ROOT = new URL("../../", import.meta.url).pathname;
/** The chart's folder. */
export const CHART = `${ROOT}helm/salesflow`;
/** The oldest Kubernetes version that the chart supports. Rendering needs no cluster. */
export const MIN_KUBERNETES_VERSION = "1.30.0";

/** A YAML or JSON value. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** A Kubernetes object, with the fields that the tests use. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // deno-lint-ignore no-explicit-any -- every kind has another shape
  [key: string]: any;
}

/** Exit code and output of a program. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program and waits until it exits; `input` is its stdin. */
export async function run(
  program: string,
  args: readonly string[],
  { input, env }: { input?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(env ? { env } : {}),
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Options of rendering: values as `--set key=value`, and values files. */
export interface Rendering {
  set?: readonly string[];
  files?: readonly string[];
  release?: string;
  namespace?: string;
}

/** Runs `helm template`, which may fail. */
export async function renderTemplate(
  { set = [], files = [], release = "sf", namespace = "shop" }: Rendering = {},
): Promise<Outcome> {
  const values = [...files.flatMap((file) => ["--values", file]), ...set.flatMap((each) => ["--set", each])];
  const fixed = [
    "template",
    release,
    CHART,
    "--namespace",
    namespace,
    "--kube-version",
    MIN_KUBERNETES_VERSION,
  ];
  return await run("helm", [...fixed, ...values]);
}

/**
 * Returns all objects that the chart renders from these values.
 *
 * @throws {Error} when the chart rejects them
 */
export async function render(rendering: Rendering = {}): Promise<KubernetesObject[]> {
  const { code, stdout, stderr } = await renderTemplate(rendering);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return parseAllDocuments(stdout).map((document) => document.toJS()).filter((object) => object !== null);
}

/** Returns the object of a kind and name. @throws {Error} unless there is exactly one */
export function findObject(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length === 1) return found[0]!;
  const names = objects.map((object) => `${object.kind}/${object.metadata.name}`).join(", ");
  throw new Error(`${found.length} objects are ${kind}/${name}; there are ${names}`);
}

/** Returns whether there is such an object. */
export function hasObject(objects: readonly KubernetesObject[], kind: string, name: string): boolean {
  return objects.some((object) => object.kind === kind && object.metadata.name === name);
}

/** A pod, or the pod template of a controller. */
export interface PodTemplate {
  owner: string;
  labels: Record<string, string>;
  // deno-lint-ignore no-explicit-any -- a PodSpec
  spec: any;
}

/** Returns all pods and pod templates among the objects. */
export function findPods(objects: readonly KubernetesObject[]): PodTemplate[] {
  return objects.flatMap((object) => {
    const owner = `${object.kind}/${object.metadata.name}`;
    if (object.kind === "Pod") return [{ owner, labels: object.metadata.labels, spec: object.spec }];
    const inner = object.spec?.template;
    return inner?.spec?.containers ? [{ owner, labels: inner.metadata.labels, spec: inner.spec }] : [];
  });
}

/** Returns the values files in ci/, all of which must render. */
export function listCiValues(): string[] {
  return [...Deno.readDirSync(`${CHART}/ci`)].map(({ name }) => `${CHART}/ci/${name}`).sort();
}

/** Parses a YAML file of the repository. */
export function readYaml(path: string): Value {
  return parse(Deno.readTextFileSync(`${ROOT}${path}`));
}

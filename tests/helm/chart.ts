/** The chart as helm renders it: objects to look at, or the message with which it refuses. */
import { parse, parseAllDocuments } from "yaml";

/** Root of the repository. */
export const ROOT = new URL("../../", import.meta.url).pathname;
/** Folder of the chart. */
export const CHART = `${ROOT}helm/salesflow`;
/** The oldest Kubernetes that the chart is for; rendering needs no cluster. */
export const OLDEST_KUBERNETES = "1.30.0";

/** Any value of YAML or JSON. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** A Kubernetes object, as far as the tests look into it. */
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

/** What a program printed and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; `input` goes to its standard input. */
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

/** How to render: values as `--set key=value` and whole files. */
export interface Rendering {
  set?: readonly string[];
  files?: readonly string[];
  release?: string;
  namespace?: string;
}

/** `helm template`, whatever comes of it. */
export async function template(
  { set = [], files = [], release = "sf", namespace = "shop" }: Rendering = {},
): Promise<Outcome> {
  const values = [...files.flatMap((file) => ["--values", file]), ...set.flatMap((each) => ["--set", each])];
  const fixed = ["template", release, CHART, "--namespace", namespace, "--kube-version", OLDEST_KUBERNETES];
  return await run("helm", [...fixed, ...values]);
}

/**
 * All objects that the chart makes of these values.
 *
 * @throws {Error} when the chart refuses them
 */
export async function render(rendering: Rendering = {}): Promise<KubernetesObject[]> {
  const { code, stdout, stderr } = await template(rendering);
  if (code !== 0) throw new Error(`helm template failed: ${stderr}`);
  return parseAllDocuments(stdout).map((document) => document.toJS()).filter((object) => object !== null);
}

/** The one object of a kind and a name. */
export function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length === 1) return found[0]!;
  const names = objects.map((object) => `${object.kind}/${object.metadata.name}`).join(", ");
  throw new Error(`${found.length} objects are ${kind}/${name}; there are ${names}`);
}

/** Whether there is such an object. */
export function has(objects: readonly KubernetesObject[], kind: string, name: string): boolean {
  return objects.some((object) => object.kind === kind && object.metadata.name === name);
}

/** A pod, or what a StatefulSet makes its pods of. */
export interface PodTemplate {
  owner: string;
  labels: Record<string, string>;
  // deno-lint-ignore no-explicit-any -- a PodSpec
  spec: any;
}

/** Every pod that the objects bring, by themselves or through a controller. */
export function pods(objects: readonly KubernetesObject[]): PodTemplate[] {
  return objects.flatMap((object) => {
    const owner = `${object.kind}/${object.metadata.name}`;
    if (object.kind === "Pod") return [{ owner, labels: object.metadata.labels, spec: object.spec }];
    const inner = object.spec?.template;
    return inner?.spec?.containers ? [{ owner, labels: inner.metadata.labels, spec: inner.spec }] : [];
  });
}

/** The chart's files of values that must all render. */
export function ciValues(): string[] {
  return [...Deno.readDirSync(`${CHART}/ci`)].map(({ name }) => `${CHART}/ci/${name}`).sort();
}

/** A YAML file of the repository. */
export function readYaml(path: string): Value {
  return parse(Deno.readTextFileSync(`${ROOT}${path}`));
}

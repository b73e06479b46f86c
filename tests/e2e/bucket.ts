/** Runs a bucket in the cluster: versitygw, built from its Go module, in an otherwise empty image. */
import { parseAllDocuments, stringify } from "yaml";
import { goTool, VERSITYGW } from "../faults/go_tool.ts";
import { kubectl, ROOT, run } from "./command.ts";
import { imageName, loadImage } from "./images.ts";
import type { Bucket, Settings } from "./settings.ts";

const IMAGE = "salesflow-e2e-bucket";

async function buildImage(settings: Settings, program: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "salesflow-e2e-bucket-" });
  try {
    await Deno.copyFile(program, `${folder}/versitygw`);
    await Deno.writeTextFile(
      `${folder}/Dockerfile`,
      'FROM scratch\nCOPY --chmod=755 versitygw /versitygw\nENTRYPOINT ["/versitygw"]\n',
    );
    await run("docker", ["build", "--tag", imageName(settings, IMAGE), folder]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Stores a bucket's keys in a Secret for the stages. */
export async function applyKeys({ namespace }: Settings, { keys }: Bucket): Promise<void> {
  const metadata = { name: "e2e-bucket" };
  const secret = stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: keys });
  await run("kubectl", ["apply", "--namespace", namespace, "--filename", "-"], secret);
}

/** Starts the service with an empty bucket that lives as long as its pod; undefined if Go is not installed. */
export async function startBucket(settings: Settings): Promise<Bucket | undefined> {
  const program = await goTool(VERSITYGW);
  if (program === undefined) return undefined;
  const { namespace } = settings;
  await buildImage(settings, program);
  await loadImage(settings, IMAGE);
  const bucket = {
    name: "sales",
    endpoint: `http://e2e-bucket.${namespace}.svc:7070`,
    keys: { AWS_ACCESS_KEY_ID: "e2e", AWS_SECRET_ACCESS_KEY: crypto.randomUUID() },
  };
  await applyKeys(settings, bucket);
  const documents = parseAllDocuments(await Deno.readTextFile(`${ROOT}tests/e2e/bucket.yaml`))
    .map((document) => document.toJS());
  for (const { kind, spec } of documents) {
    if (kind === "Deployment") spec.template.spec.containers[0].image = imageName(settings, IMAGE);
  }
  const manifest = documents.map((document) => stringify(document)).join("---\n");
  await run("kubectl", ["apply", "--namespace", namespace, "--filename", "-"], manifest);
  await kubectl("rollout", "status", "deployment/e2e-bucket", "--namespace", namespace, "--timeout", "10m");
  return bucket;
}

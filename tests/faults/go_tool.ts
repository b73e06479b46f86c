/** Programs for tests that come as Go modules: built once with the machine's own Go, kept in `.cache/bin`. */
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../.cache/bin/", import.meta.url));

/** A program of a Go module. */
export interface GoTool {
  /** Name of its file in the cache folder. */
  name: string;
  /** Package path with version, as for `go install`. */
  source: string;
}

/** A proxy that fails on demand. */
export const TOXIPROXY: GoTool = {
  name: "toxiproxy-server-2.5.0",
  source: "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0",
};

/** A service that speaks S3 over a folder. */
export const VERSITYGW: GoTool = {
  name: "versitygw-1.8.0",
  source: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
};

async function hasGo(): Promise<boolean> {
  try {
    return (await new Deno.Command("go", { args: ["version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/**
 * Path of a tool, built when it is missing; undefined when this machine has no Go. The program needs no libraries, so it runs
 * in an image with nothing else, too.
 *
 * @throws {Error} with what Go said when it cannot build the tool, and without Go where `CI` is `true`: nobody would see that
 * tests were left out
 */
export async function goTool({ name, source }: GoTool): Promise<string | undefined> {
  const path = FOLDER + name;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  if (!await hasGo()) {
    if (Deno.env.get("CI") === "true") {
      throw new Error(`Go is not installed, and without it there is no ${name}`);
    }
    return undefined;
  }
  await Deno.mkdir(FOLDER, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: FOLDER, prefix: "build-" });
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", source],
      env: { GOBIN: folder, CGO_ENABLED: "0" },
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`cannot build ${source}: ${new TextDecoder().decode(stderr)}`);
    for await (const { name: built } of Deno.readDir(folder)) await Deno.rename(`${folder}/${built}`, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return path;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

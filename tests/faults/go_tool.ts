/** Builds programs for tests from Go modules, with the installed Go, and caches them in `.cache/bin`. */
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../.cache/bin/", import.meta.url));

/** A program of a Go module. */
export interface GoTool {
  /** File name in the cache folder. */
  name: string;
  /** Package path with version, as for `go install`. */
  source: string;
}

/** A proxy that simulates network faults. */
export const TOXIPROXY: GoTool = {
  name: "toxiproxy-server-2.5.0",
  source: "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0",
};

/** An S3 server backed by a folder. */
export const VERSITYGW: GoTool = {
  name: "versitygw-1.8.0",
  source: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
};

/** Checks workflows of GitHub. */
export const ACTIONLINT: GoTool = {
  name: "actionlint-1.7.12",
  source: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
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
 * Returns the path of a tool, and builds it if needed; undefined if Go is not installed. The program is statically linked,
 * so it also runs in an empty image.
 *
 * @throws {Error} when the build fails; also without Go if `CI` is `true`, where skipped tests would go unnoticed
 */
export async function goTool({ name, source }: GoTool): Promise<string | undefined> {
  const path = FOLDER + name;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  if (!await hasGo()) {
    if (Deno.env.get("CI") === "true") {
      throw new Error(`Go is not installed; it is needed to build ${name}`);
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

/** Returns a port of 127.0.0.1 that is currently free. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EMBEDDED_PERMISSIONS, PERMISSIONS, WORKERS } from "../../../cli/program.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Returns the paths of all worker modules below a folder. */
async function findWorkers(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    if (isDirectory) paths.push(...await findWorkers(`${folder}/${name}`));
    else if (name === "worker.ts") paths.push(`${folder}/${name}`);
  }
  return paths.sort();
}

describe("WORKERS", () => {
  it("lists every worker module", async () => {
    assertEquals([...WORKERS].sort(), await findWorkers("lib"));
  });
});

describe("PERMISSIONS and EMBEDDED_PERMISSIONS", () => {
  it("restrict environment variables and system information by name", () => {
    for (const flag of [...PERMISSIONS, ...EMBEDDED_PERMISSIONS]) {
      assert(!/^(-A|--allow-all|--allow-(env|import|hrtime))$/.test(flag), flag);
    }
    // Access to `ca` cannot be given by name, so the rest is denied by name.
    const denied = PERMISSIONS.find((flag) => flag.startsWith("--deny-sys="))!.split(/[=,]/);
    for (const name of ["hostname", "networkInterfaces", "userInfo"]) assert(denied.includes(name), name);
  });

  it("allow subprocesses and native libraries only for embedded databases", () => {
    for (const flag of ["--allow-run", "--allow-ffi"]) {
      assert(!PERMISSIONS.some((each) => each.startsWith(flag)), flag);
      assert(EMBEDDED_PERMISSIONS.includes(flag), flag);
    }
  });
});

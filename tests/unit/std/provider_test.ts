import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import config from "../../../deno.json" with { type: "json" };
import { localImportMap, STAND_INS, withStd } from "../../../lib/std/provider.ts";

const lock = JSON.parse(await Deno.readTextFile(new URL("../../../deno.lock", import.meta.url)));
const SPECIFIER = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)@(\d+\.\d+\.\d+)/;

describe("deno.lock", () => {
  it("contains the SHA-512 of every npm package that deno.json imports", () => {
    const imports = Object.values(config.imports).filter((specifier) => specifier.startsWith("npm:"));
    assert(imports.length > 10);
    for (const specifier of imports) {
      const [, name, version] = SPECIFIER.exec(specifier) ?? [];
      const resolved: string | undefined = lock.specifiers[`npm:${name}@${version}`];
      assert(resolved !== undefined, `${specifier} is not locked`);
      assertMatch(
        lock.npm[`${name}@${resolved}`]?.integrity ?? "",
        /^sha512-[A-Za-z0-9+/]{86}==$/,
        specifier,
      );
    }
  });
});

describe("localImportMap()", () => {
  it("replaces exactly the @std imports by existing files", async () => {
    const { imports }: { imports: Record<string, string> } = JSON.parse(await localImportMap());
    for (const [specifier, target] of Object.entries(imports)) {
      if (specifier in STAND_INS) assert((await Deno.stat(new URL(target))).isFile, target);
      else assertEquals(target, config.imports[specifier as keyof typeof config.imports]);
    }
    assertEquals(
      Object.keys(config.imports).filter((name) => name.startsWith("@std/") && !(name in STAND_INS)),
      [],
    );
  });
});

describe("withStd()", () => {
  const previous = Deno.env.get("SALESFLOW_STD");
  const flags = async (std: string, given: string[] = []) => {
    Deno.env.set("SALESFLOW_STD", std);
    try {
      return (await withStd(given)).map((flag) => flag.replace(/=.*/s, ""));
    } finally {
      if (previous === undefined) Deno.env.delete("SALESFLOW_STD");
      else Deno.env.set("SALESFLOW_STD", previous);
    }
  };

  it("freezes the lockfile with the stand-ins unless --frozen is given, and not with JSR", async () => {
    assertEquals(await flags("local"), ["--import-map", "--frozen"]);
    assertEquals(await flags("local", ["-A", "--frozen=false", "x.ts"]), ["--import-map"]);
    assertEquals(await flags("jsr"), []);
  });

  it("prints the choice only with SALESFLOW_DEBUG", async () => {
    // A copy, so that the result of the probe is not cached for this checkout.
    const folder = await Deno.makeTempDir({ prefix: "salesflow-std-" });
    try {
      await Deno.mkdir(`${folder}/lib/std`, { recursive: true });
      for (const path of ["deno.json", "lib/std/deno.ts", "lib/std/run_deno.ts", "lib/std/provider.ts"]) {
        await Deno.copyFile(new URL(`../../../${path}`, import.meta.url), `${folder}/${path}`);
      }
      const print = async (debug: string) => {
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-config", "--no-lock", `${folder}/lib/std/deno.ts`, "eval", "0"],
          env: { JSR_URL: "http://127.0.0.1:1/", SALESFLOW_STD: "", SALESFLOW_DEBUG: debug, NO_COLOR: "1" },
          stdout: "null",
          stderr: "piped",
        }).output();
        return { code, stderr: new TextDecoder().decode(stderr) };
      };
      assertEquals(await print(""), { code: 0, stderr: "" });
      const text = "std: stand-ins of lib/std (JSR cannot be reached; SALESFLOW_STD=jsr|local overrides)\n";
      assertEquals(await print("1"), { code: 0, stderr: text });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("makes deno reject a lockfile that lacks a package, without changing it", async () => {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-lock-" });
    try {
      const { specifiers, npm, ...rest } = structuredClone(lock);
      for (const kept of [specifiers, npm]) {
        for (const name of Object.keys(kept)) if (/^(npm:)?pg-copy-streams@/.test(name)) delete kept[name];
      }
      const incomplete = JSON.stringify({ ...rest, specifiers, npm });
      await Deno.writeTextFile(`${folder}/deno.lock`, incomplete);
      await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
      await Deno.writeTextFile(`${folder}/main.ts`, 'import "pg-copy-streams";\n');
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["cache", "--frozen", "main.ts"],
        cwd: folder,
        env: { NO_COLOR: "1" },
        stdout: "null",
        stderr: "piped",
      }).output();
      const errors = new TextDecoder().decode(stderr);
      assert(code !== 0, errors);
      assertMatch(errors, /lockfile is out of date/i);
      assertEquals(await Deno.readTextFile(`${folder}/deno.lock`), incomplete);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

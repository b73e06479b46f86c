import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import config from "../../../deno.json" with { type: "json" };
import { withStd } from "../../../lib/std/provider.ts";

const lock = JSON.parse(await Deno.readTextFile(new URL("../../../deno.lock", import.meta.url)));
const SPECIFIER = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)@(\d+\.\d+\.\d+)/;

describe("deno.lock", () => {
  it("has the SHA-512 of every npm package that deno.json imports", () => {
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

describe("withStd()", () => {
  const asked = Deno.env.get("SALESFLOW_STD");
  const flags = async (std: string, given: string[] = []) => {
    Deno.env.set("SALESFLOW_STD", std);
    try {
      return (await withStd(given)).map((flag) => flag.replace(/=.*/s, ""));
    } finally {
      if (asked === undefined) Deno.env.delete("SALESFLOW_STD");
      else Deno.env.set("SALESFLOW_STD", asked);
    }
  };

  it("freezes the lock with the stand-ins, unless told otherwise, and lets it grow with JSR", async () => {
    assertEquals(await flags("local"), ["--import-map", "--frozen"]);
    assertEquals(await flags("local", ["-A", "--frozen=false", "x.ts"]), ["--import-map"]);
    assertEquals(await flags("jsr"), []);
  });

  it("makes deno refuse a lock that lacks a package, and leave it as it is", async () => {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-lock-" });
    try {
      const { specifiers, npm, ...rest } = structuredClone(lock);
      for (const kept of [specifiers, npm]) {
        for (const name of Object.keys(kept)) if (/^(npm:)?pg-copy-streams@/.test(name)) delete kept[name];
      }
      const lacking = JSON.stringify({ ...rest, specifiers, npm });
      await Deno.writeTextFile(`${folder}/deno.lock`, lacking);
      await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
      await Deno.writeTextFile(`${folder}/main.ts`, 'import "pg-copy-streams";\n');
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["cache", "--frozen", "main.ts"],
        cwd: folder,
        env: { NO_COLOR: "1" },
        stdout: "null",
        stderr: "piped",
      }).output();
      const said = new TextDecoder().decode(stderr);
      assert(code !== 0, said);
      assertMatch(said, /lockfile is out of date/i);
      assertEquals(await Deno.readTextFile(`${folder}/deno.lock`), lacking);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

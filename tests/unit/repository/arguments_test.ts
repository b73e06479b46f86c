import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatUsage, parseArguments } from "../../arguments.ts";

const ROOT = new URL("../../../", import.meta.url);
const USAGE = {
  command: "deno task try",
  summary: "Tries it.",
  flags: {
    rows: { help: "sales", placeholder: "N", min: 1 },
    only: { help: "one kind", placeholder: "NAME", choices: ["kill", "network"] },
    url: { help: "where", placeholder: "URL" },
    keep: { help: "removes nothing" },
  },
  argument: { name: "FILE", help: "what to write" },
} as const;

describe("parseArguments()", () => {
  it("returns the values of the flags that were given", () => {
    assertEquals(parseArguments([], USAGE), { flags: {}, argument: undefined });
    assertEquals(parseArguments(["--rows", "5", "--only=kill", "--url", "http://h", "--keep", "x"], USAGE), {
      flags: { rows: 5, only: "kill", url: "http://h", keep: true },
      argument: "x",
    });
  });

  it("returns undefined when they ask for help, whatever else they contain", () => {
    assertEquals([["--help"], ["--rows", "x", "-h"]].map((args) => parseArguments(args, USAGE)), [
      undefined,
      undefined,
    ]);
  });

  const mistakes: [args: string[], message: string][] = [
    [["--row", "5"], "--row"],
    [["--rows", "many"], "Cannot use --rows many: it must be a whole number from 1 on"],
    [["--rows", "0"], "whole number from 1"],
    [["--rows"], "--rows"],
    [["--rows", "--keep"], "--rows"],
    [["--only", "luck"], "Cannot use --only luck: it must be one of kill, network"],
    [["--url="], "Cannot use --url without a value"],
    [["--keep=no"], "--keep"],
    [["a", "b"], "Unexpected argument b"],
  ];
  for (const [args, message] of mistakes) {
    it(`throws TypeError for ${args.join(" ")}`, () => {
      assertThrows(() => parseArguments(args, USAGE), TypeError, message);
    });
  }
});

describe("formatUsage()", () => {
  it("lists argument and flags", () => {
    assertEquals(
      formatUsage(USAGE),
      `Usage: deno task try [FILE] [flags]

Tries it.

  FILE         what to write
  --rows N     sales
  --only NAME  one kind: kill, network
  --url URL    where
  --keep       removes nothing
  --help       prints this`,
    );
  });
});

/** Scripts with flags, and whether they check them all themselves. */
const SCRIPTS: [script: string, isStrict: boolean][] = [
  ["tests/bench/main.ts", true],
  ["tests/bench/ingest/main.ts", true],
  ["tests/bench/usual/main.ts", true],
  ["tests/bench/spark/main.ts", true],
  ["tests/faults/main.ts", true],
  ["tests/e2e/run.ts", true],
  ["tests/compose/run.ts", true],
  ["tests/docs.ts", true],
  ["tests/release/main.ts", true],
  ["tests/supply_chain/sbom/main.ts", true],
  ["tests/supply_chain/audit/main.ts", true],
  ["tests/run.ts", false],
  ["tests/spark/run.ts", false],
  ["tests/dags/run.ts", false],
];

describe("scripts of deno.json's tasks", () => {
  for (const [script, isStrict] of SCRIPTS) {
    it(`${script} prints its usage for --help${isStrict ? ", and refuses an unknown flag" : ""}`, async () => {
      const run = async (flag: string) => {
        const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
        const { command } = Object.values<{ command: string }>(tasks).find(({ command }) =>
          command.split(" ").includes(script)
        )!;
        // tests/run.ts appears in several tasks, with folders that --help makes pointless.
        const args = command.slice(0, command.indexOf(script) + script.length).split(" ").slice(1);
        const output = await new Deno.Command(Deno.execPath(), { args: [...args, flag], cwd: ROOT }).output();
        const decoder = new TextDecoder();
        return {
          code: output.code,
          stdout: decoder.decode(output.stdout),
          stderr: decoder.decode(output.stderr),
        };
      };
      const help = await run("--help");
      assertEquals(help.code, 0, help.stderr);
      assertMatch(help.stdout, /^Usage: deno task [a-z0-9:]+ /);
      if (!isStrict) return;
      const refused = await run("--xyzzy");
      assertEquals([refused.code, refused.stdout], [2, ""], refused.stderr);
      assertStringIncludes(refused.stderr, "--xyzzy");
      assert(refused.stderr.includes(help.stdout.trim()), refused.stderr);
    });
  }
});

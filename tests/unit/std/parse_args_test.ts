/** Behaviour that both providers of `@std/cli` must have; runs with the selected one. */
import { parseArgs } from "@std/cli/parse-args";
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const OPTIONS: { string: string[]; boolean: string[]; collect: string[] } = {
  string: ["name", "map"],
  boolean: ["force", "quiet"],
  collect: ["map"],
};
const EMPTY = { force: false, quiet: false, map: [], _: [] };

describe("parseArgs()", () => {
  const cases: [string, string[], Record<string, unknown>][] = [
    ["nothing is given", [], EMPTY],
    ["a value follows a space", ["--name", "a"], { ...EMPTY, name: "a" }],
    ["a value follows an equals sign", ["--name=a=b"], { ...EMPTY, name: "a=b" }],
    ["a value is empty", ["--name="], { ...EMPTY, name: "" }],
    ["a value is missing at the end", ["--name"], { ...EMPTY, name: "" }],
    ["a value is missing before an option", ["--name", "--force"], { ...EMPTY, name: "", force: true }],
    ["an option is repeated", ["--name=a", "--name=b"], { ...EMPTY, name: "b" }],
    ["a collected option is repeated", ["--map", "a=b", "--map=c=d"], { ...EMPTY, map: ["a=b", "c=d"] }],
    ["a switch is given", ["--force"], { ...EMPTY, force: true }],
    ["a switch precedes a positional argument", ["--force", "file"], { ...EMPTY, force: true, _: ["file"] }],
    ["positional arguments are given", ["a", "--name", "x", "b"], { ...EMPTY, name: "x", _: ["a", "b"] }],
    ["a double dash ends the options", ["a", "--", "--name", "b"], { ...EMPTY, _: ["a", "--name", "b"] }],
    ["a text looks like a number", ["--name", "007"], { ...EMPTY, name: "007" }],
  ];
  for (const [when, args, expected] of cases) {
    it(`parses arguments when ${when}`, () => {
      const parsed: Record<string, unknown> = parseArgs(args, {
        ...OPTIONS,
        unknown: (_arg: string, key?: string) => key === undefined,
      });
      for (const [name, value] of Object.entries(expected)) assertEquals(parsed[name], value, name);
    });
  }

  it("calls unknown() for undeclared options", () => {
    const seen: string[] = [];
    const unknown = (arg: string, key?: string) => {
      if (key !== undefined) seen.push(arg.split("=")[0]!);
      return key === undefined;
    };
    const parsed: Record<string, unknown> = parseArgs(["--other=1", "--force", "--more"], {
      ...OPTIONS,
      unknown,
    });
    assertEquals(seen, ["--other", "--more"]);
    assertEquals(parsed.force, true);
  });
});

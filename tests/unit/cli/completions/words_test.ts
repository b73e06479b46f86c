import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { defineCommand } from "../../../../cli/command.ts";
import { describeCommands } from "../../../../cli/completions/words.ts";
import { toggle } from "../../../../cli/options.ts";

const HELP = {
  flag: "help",
  help: "Show this help",
  placeholder: undefined,
  multiple: false,
  values: [],
  path: undefined,
};

function describeOne(
  options: Parameters<typeof defineCommand>[0]["options"],
  positionals?: { placeholder: string; min: number; max: number },
) {
  const command = defineCommand({
    name: "try",
    summary: "Tries",
    options,
    ...(positionals ? { positionals } : {}),
    run: () => Promise.resolve(),
  });
  const [{ options: described, argument }] = describeCommands([command]) as [
    ReturnType<typeof describeCommands>[number],
  ];
  assertEquals(described.at(-1), HELP);
  return { options: described.slice(0, -1), argument };
}

describe("describeCommands()", () => {
  it("takes the values of an option from its schema", () => {
    const schema = z.enum(["text", "json"]);
    for (const each of [schema, schema.optional(), schema.default("text")]) {
      const { options } = describeOne({ logFormat: { help: "Format", placeholder: "FORMAT", schema: each } });
      assertEquals(options, [{
        flag: "log-format",
        help: "Format",
        placeholder: "FORMAT",
        multiple: false,
        values: ["text", "json"],
        path: undefined,
      }]);
    }
  });

  it("takes paths from the placeholder, and no value for a switch", () => {
    const schema = z.string().optional();
    const { options } = describeOne({
      home: { help: "", placeholder: "FOLDER", schema },
      store: { help: "", placeholder: "FOLDER|URL", schema },
      file: { help: "", placeholder: "FILE", schema },
      profile: { help: "", placeholder: "PROFILE", schema },
      quiet: { help: "", schema: toggle },
    });
    assertEquals(options.map(({ path }) => path), ["folder", "folder", "file", undefined, undefined]);
    assertEquals(options.at(-1)!.placeholder, undefined);
  });

  const positionals: [placeholder: string, max: number, expected: unknown][] = [
    ["FILE…", 9, { placeholder: "FILE…", values: [], path: "file", more: true }],
    ['a|b "QUERY"|-', 2, { placeholder: 'a|b "QUERY"|-', values: ["a", "b"], path: undefined, more: false }],
  ];
  for (const [placeholder, max, expected] of positionals) {
    it(`understands the arguments ${placeholder}`, () => {
      assertEquals(describeOne({}, { placeholder, min: 1, max }).argument, expected);
    });
  }

  it("has no argument for a command without any", () => {
    assertEquals(describeOne({}).argument, undefined);
  });
});

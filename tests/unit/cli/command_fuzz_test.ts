import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type Command, flagName, parseCommandLine, variableName } from "../../../cli/command.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const FOLDER = new URL("../../../cli/commands/", import.meta.url);
const commands: Command[] = [];
for await (const { name } of Deno.readDir(FOLDER)) {
  if (!name.endsWith(".ts")) continue;
  const { default: command } = await import(new URL(name, FOLDER).href);
  if (command?.run) commands.push(command);
}

const options = [...new Set(commands.flatMap((command) => Object.keys(command.options)))];
/** Property names of every object, and words that are not flags. */
const EDGE_NAMES = [
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "_", "", "-", "é", "rows.x", "no-rows", "x"],
  ...["help", "version", "ROWS", "row\n", "a\0b"],
];
const VALUES = [
  ...[
    "",
    " ",
    "0",
    "1",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "1_000",
    "_",
    "NaN",
    "Infinity",
    "٣",
    "true",
    "false",
    "no",
  ],
  ...[
    "9".repeat(40),
    "x".repeat(700),
    "2026-11-24",
    "2026-02-30",
    "0000-00-00",
    "2026-11-24T00:00",
    "text",
  ],
  ...[
    "json",
    "csv",
    "clean",
    "ingest",
    "a=b",
    "region=x",
    "sale_id=",
    "=",
    "1/2",
    "0/0",
    "3/2",
    "utf-8",
    "latin-17",
  ],
  ...[
    "../x",
    "..",
    "a/b",
    "\0",
    "\n",
    "\u202e",
    "s3://bucket/a",
    "s3://A",
    "file:///%zz",
    "gs://b",
    "data:x",
    "--",
  ],
  ...["__proto__", "constructor", "postgres://u:p@h/d", "http://h", "mysql://h", "postgres", "SELECT 1"],
];

const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...options.map(flagName)) },
  fc.constantFrom(...EDGE_NAMES),
  fc.string({ maxLength: 8 }),
);
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...VALUES) },
  fc.string({ unit: "binary", maxLength: 8 }),
);
const argument = fc.oneof(
  fc.tuple(word, value).map(([name, text]) => [`--${name}=${text}`]),
  fc.tuple(word, value).map(([name, text]) => [`--${name}`, text]),
  fc.tuple(word).map(([name]) => [`--${name}`]),
  fc.tuple(word).map(([name]) => [`-${name}`]),
  value.map((text) => [text]),
);
const args = fc.array(argument, { maxLength: 6 }).map((groups) => groups.flat());
const VARIABLES = [
  ...options.map(variableName),
  ...[
    "SALESFLOW_POSTGRES_URL",
    "SALESFLOW_CLICKHOUSE_URL",
    "SALESFLOW_POSTGRES_URL_FILE",
    "SALESFLOW_S3_ENDPOINT",
  ],
  ...["AWS_REGION", "SALESFLOW_RETRIES", "SALESFLOW_TIMEOUT_SECONDS"],
];
const environment = fc.dictionary(fc.constantFrom(...VARIABLES), value, {
  maxKeys: 4,
  noNullPrototype: false,
});

/** Every message must name the option, variable or argument to fix. */
const NAMES_SOURCE =
  /(^|[ (])--?[^ ]|SALESFLOW_[A-Z_0-9]+|AWS_[A-Z_]+|^Unexpected argument |^Unknown option |^Missing argument |^Cannot (open the store|keep runs in) /;

describe("parseCommandLine() of every command", () => {
  it("is tested with all commands", () => {
    const names = commands.map(({ name }) => name);
    for (const name of ["run", "ingest", "sql", "up", "doctor", "report"]) assert(names.includes(name), name);
    assert(commands.length >= 14 && options.length > 15);
  });

  for (const command of commands) {
    it(`accepts any input or throws a UsageError that names each mistake: ${command.name}`, () => {
      let [accepted, rejected] = [0, 0];
      const property = fc.property(args, environment, (typed, variables) => {
        try {
          const { values } = parseCommandLine(command, typed, (name) => variables[name]);
          assertEquals(Object.keys(values), Object.keys(command.options));
          accepted++;
        } catch (error) {
          assert(error instanceof UsageError, `${error}`);
          assertEquals(error.exitCode, 2);
          for (const mistake of error.mistakes) {
            assertMatch(mistake, NAMES_SOURCE);
            assert(mistake.length < 1_000, mistake);
          }
          rejected++;
        }
      });
      fc.assert(property, { numRuns: 400, seed: 20261124 });
      assert(accepted > 0 || (command.positionals?.min ?? 0) > 1, "nothing was accepted");
      assert(rejected > 50, `${rejected} rejected`);
    });
  }
});

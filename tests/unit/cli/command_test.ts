import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { z } from "zod";
import {
  commandHelp,
  defineCommand,
  flagName,
  parseCommandLine,
  variableName,
} from "../../../cli/command.ts";
import { fraction, toggle, wholeNumber } from "../../../cli/options.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const command = defineCommand({
  name: "test",
  summary: "Does nothing",
  positionals: { placeholder: "FILE…", min: 1, max: 2 },
  options: {
    rows: { help: "Rows", placeholder: "N", schema: wholeNumber(1, 1_000).default(5), defaultText: "5" },
    maxRejected: { help: "Share", placeholder: "SHARE", schema: fraction(0, 1).default(0.1) },
    noDateRange: { help: "Any day", schema: toggle },
    map: {
      help: "Names",
      placeholder: "A=B",
      multiple: true,
      schema: z.array(z.string()).default([]),
      flagOnly: true,
    },
    shard: { help: "Shard", placeholder: "K/N", schema: z.string().optional(), flagOnly: true },
  },
  databases: true,
  run: () => Promise.resolve(),
});

function parse(args: string[], environment: Record<string, string> = {}) {
  return parseCommandLine(command, args, (name) => environment[name]);
}

const DEFAULTS = { rows: 5, maxRejected: 0.1, noDateRange: false, map: [], shard: undefined };

describe("parseCommandLine()", () => {
  const cases: [
    when: string,
    args: string[],
    environment: Record<string, string>,
    values: Record<string, unknown>,
  ][] = [
    ["nothing is given", [], {}, {}],
    ["flags are given", ["--rows", "7", "--max-rejected=0.25", "--no-date-range"], {}, {
      rows: 7,
      maxRejected: 0.25,
      noDateRange: true,
    }],
    ["a switch is on", ["--no-date-range=on"], {}, { noDateRange: true }],
    ["a switch is off", ["--no-date-range=off"], {}, { noDateRange: false }],
    ["a switch has a value", ["--no-date-range=yes"], {}, { noDateRange: true }],
    ["a switch is turned off", ["--no-date-range=no"], { SALESFLOW_NO_DATE_RANGE: "1" }, {}],
    ["a word after -- looks like a switch", ["--", "--no-date-range"], {}, {}],
    ["the environment has values", [], { SALESFLOW_ROWS: "8", SALESFLOW_NO_DATE_RANGE: "1" }, {
      rows: 8,
      noDateRange: true,
    }],
    [
      "a flag and the environment differ",
      ["--rows=9"],
      { SALESFLOW_ROWS: "8", SALESFLOW_MAX_REJECTED: "1" },
      {
        rows: 9,
        maxRejected: 1,
      },
    ],
    ["the environment is empty", [], { SALESFLOW_ROWS: "", SALESFLOW_NO_DATE_RANGE: "" }, {}],
    ["the environment says no", [], { SALESFLOW_NO_DATE_RANGE: "false" }, {}],
    ["a switch is given although the environment says no", ["--no-date-range"], {
      SALESFLOW_NO_DATE_RANGE: "0",
    }, {
      noDateRange: true,
    }],
    ["an option is given twice", ["--rows=1", "--rows=2"], {}, { rows: 2 }],
    ["a list is given", ["--map", "a=b", "--map=c=d"], {}, { map: ["a=b", "c=d"] }],
    ["a variable of an option for the command line only is set", [], {
      SALESFLOW_SHARD: "1/2",
      SALESFLOW_MAP: "a=b",
    }, {}],
    ["digits are grouped", ["--rows", "1_000"], {}, { rows: 1_000 }],
  ];
  for (const [when, args, environment, values] of cases) {
    it(`returns the values when ${when}`, () => {
      assertEquals(parse(["file", ...args], environment).values as unknown, { ...DEFAULTS, ...values });
    });
  }

  it("returns positional arguments, also ones that look like options after a double dash", () => {
    assertEquals(parse(["a", "--rows=1", "b"]).positionals, ["a", "b"]);
    assertEquals(parse(["--", "--rows", "-x"]).positionals, ["--rows", "-x"]);
  });

  const mistakes: [what: string, args: string[], environment: Record<string, string>, messages: string[]][] =
    [
      ["an unknown option", ["f", "--row=1"], {}, ["Unknown option --row. Did you mean --rows?"]],
      ["an unknown option that resembles no other", ["f", "--frobnicate"], {}, [
        "Unknown option --frobnicate.",
      ]],
      ["a short option", ["f", "-r"], {}, ["Unknown option -r."]],
      ["too few arguments", [], {}, ["Missing argument FILE…"]],
      ["too many arguments", ["a", "b", "c"], {}, ["Unexpected argument c: test takes at most 2"]],
      ["a value that is not a number", ["f", "--rows=ten"], {}, [
        "Cannot use --rows ten: it must be a whole number from 1 to 1,000",
      ]],
      ["a value outside its bounds", ["f", "--rows", "0"], {}, [
        "--rows 0: it must be a whole number from 1 to 1,000",
      ]],
      ["a fraction for a whole number", ["f", "--rows", "1.5"], {}, ["--rows 1.5"]],
      ["a missing value", ["f", "--rows"], {}, ["Cannot use --rows without a value"]],
      ["a negative number", ["f", "--max-rejected=-1"], {}, ["--max-rejected -1"]],
      ["a number with an exponent", ["f", "--max-rejected=1e-1"], {}, ["it must be a number from 0 to 1"]],
      ["an invalid variable by its name", ["f"], { SALESFLOW_ROWS: "x" }, [
        "Cannot use SALESFLOW_ROWS x",
      ]],
      ["all mistakes at once", ["a", "--rows=x", "--max-rejected=2", "--bogus"], {
        SALESFLOW_POSTGRES_URL: "mysql://h",
      }, [
        "--bogus",
        "--rows x",
        "--max-rejected 2",
        "SALESFLOW_POSTGRES_URL",
      ]],
      ["a switch that is neither on nor off", ["f", "--no-date-range=maybe"], {}, [
        "Cannot use --no-date-range maybe: it must be true or false",
      ]],
      ["a variable of a switch that is neither on nor off", ["f"], { SALESFLOW_NO_DATE_RANGE: "maybe" }, [
        "Cannot use SALESFLOW_NO_DATE_RANGE maybe: it must be true or false",
      ]],
      ["invalid database URLs", ["f"], { SALESFLOW_CLICKHOUSE_URL: "x", SALESFLOW_POSTGRES_URL: "y" }, [
        "SALESFLOW_POSTGRES_URL",
        "SALESFLOW_CLICKHOUSE_URL",
      ]],
    ];
  for (const [what, args, environment, messages] of mistakes) {
    it(`reports ${what}`, () => {
      const error = assertThrows(() => parse(args, environment), UsageError);
      assertEquals(error.mistakes.length, messages.length, error.message);
      messages.forEach((message, index) => assertStringIncludes(error.mistakes[index]!, message));
      assertEquals(error.exitCode, 2);
    });
  }

  it("truncates long values", () => {
    const error = assertThrows(() => parse(["f", `--rows=${"x".repeat(10_000)}`]), UsageError);
    assert(error.message.length < 300);
  });

  it("returns values or throws a UsageError for any words", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "--rows",
        "--rows=",
        "--rows=5",
        "--map",
        "--no-date-range",
        "--",
        "-",
        "--=",
        "--__proto__=1",
      ),
      fc.string({ maxLength: 6 }),
      fc.string({ maxLength: 6 }).map((text) => `--${text}`),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (args) => {
        try {
          const { values } = parse(args);
          assert(values.rows >= 1 && values.rows <= 1_000);
        } catch (error) {
          assert(error instanceof UsageError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("commandHelp()", () => {
  const help = commandHelp(command);

  it("contains usage, options, defaults and variables", () => {
    for (
      const part of [
        "Does nothing",
        "Usage: salesflow test FILE… [options]",
        "--rows N",
        "(default: 5)",
        "[SALESFLOW_ROWS]",
        "--no-date-range  ",
        "--help",
      ]
    ) assertStringIncludes(help, part);
  });

  it("names no variable for options that are not read from the environment", () => {
    assert(!help.includes("SALESFLOW_SHARD") && !help.includes("SALESFLOW_MAP"));
  });
});

describe("flagName()", () => {
  it("converts camelCase to kebab-case", () => {
    assertEquals([flagName("maxRejected"), flagName("rows")], ["max-rejected", "rows"]);
  });
});

describe("variableName()", () => {
  it("converts camelCase to a prefixed upper-case name", () => {
    assertEquals([variableName("maxRejected"), variableName("asOf")], [
      "SALESFLOW_MAX_REJECTED",
      "SALESFLOW_AS_OF",
    ]);
  });
});

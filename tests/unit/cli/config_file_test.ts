import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CONFIG_KEYS, parseConfigFile } from "../../../cli/config_file.ts";
import { UsageError } from "../../../lib/console/errors.ts";

const parse = (text: string) => Object.fromEntries(parseConfigFile("/s.yaml", text).values);

describe("CONFIG_KEYS", () => {
  it("has settings, but not what is read before the file", () => {
    for (const key of ["rows", "max_rejected", "postgres_url_file", "retries"]) {
      assert(CONFIG_KEYS.includes(key), key);
    }
    for (const key of ["config", "env_file", "std", "invocation"]) assert(!CONFIG_KEYS.includes(key), key);
  });
});

describe("parseConfigFile()", () => {
  const cases: [what: string, text: string, values: Record<string, string>][] = [
    ["nothing", "", {}],
    ["only comments", "# rows: 5\n", {}],
    ["numbers as they are written", "rows: 1000000\nmax_rejected: 0.10\nseed: 007\n", {
      SALESFLOW_ROWS: "1000000",
      SALESFLOW_MAX_REJECTED: "0.10",
      SALESFLOW_SEED: "007",
    }],
    ["words, quoted or not", "log_format: json\nstore: \"s3://b/p\"\nhome: 'a b'\n", {
      SALESFLOW_LOG_FORMAT: "json",
      SALESFLOW_STORE: "s3://b/p",
      SALESFLOW_HOME: "a b",
    }],
    ["switches and dates", "quiet: true\nno_date_range: false\nas_of: 2026-11-24\n", {
      SALESFLOW_QUIET: "true",
      SALESFLOW_NO_DATE_RANGE: "false",
      SALESFLOW_AS_OF: "2026-11-24",
    }],
    ["no value", "rows:\nseed: ~\nhome: ''\n", {}],
  ];
  for (const [what, text, values] of cases) {
    it(`reads ${what}`, () => assertEquals(parse(text), values));
  }

  const mistakes: [what: string, text: string, messages: string[]][] = [
    ["unknown settings", "seed: 1\nrow: 5\nSALESFLOW_ROWS: 5\n", [
      "/s.yaml, line 2: unknown setting row. Did you mean rows?",
      "/s.yaml, line 3: unknown setting SALESFLOW_ROWS.",
    ]],
    ["lists and maps", "rows: [1]\nseed:\n  a: geheim\n", [
      "/s.yaml, line 1: rows must be a single value",
      "/s.yaml, line 2: seed must be a single value",
    ]],
    ["text that is no list of settings", "geheim\n", [
      "/s.yaml: it must have a setting per line, such as rows: 100000",
    ]],
    ["a setting given twice", "rows: 1\nrows: 2\n", [
      "/s.yaml, line 2: this is not valid YAML (duplicate key)",
    ]],
    ["broken YAML", 'rows: "geheim\n', ["/s.yaml, line 2: this is not valid YAML (missing char)"]],
  ];
  for (const [what, text, messages] of mistakes) {
    it(`refuses ${what}, with the line and without values`, () => {
      const error = assertThrows(() => parse(text), UsageError);
      assertEquals(error.mistakes.map((each) => each.replace(/\. Did you mean (?!rows).*/, ".")), messages);
      assert(!error.message.includes("geheim"));
    });
  }
});

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mergeSettings, nameOrigins, originOf, parseEnvFile } from "../../../cli/settings_files.ts";

describe("parseEnvFile()", () => {
  it("takes the program's variables, quoted or not, and leaves out all others", () => {
    const text = [
      "# passwords",
      "POSTGRES_PASSWORD=x",
      "SALESFLOW_DB_PASSWORD=of compose.yaml",
      "SALESFLOW_ROWS=500 # a comment",
      "export SALESFLOW_STORE='s3://b/a#b'",
      'AWS_REGION="eu-west-1"',
      "SALESFLOW_QUIET=",
      "SALESFLOW_CONFIG=/read/before",
      "SALESFLOW_ROW=5",
    ].join("\n");
    assertEquals(Object.fromEntries(parseEnvFile("/a/.env", text).values), {
      SALESFLOW_ROWS: "500",
      SALESFLOW_STORE: "s3://b/a#b",
      AWS_REGION: "eu-west-1",
      // Unknown: the program warns of it.
      SALESFLOW_ROW: "5",
    });
  });
});

describe("mergeSettings()", () => {
  const file = (path: string, values: Record<string, string>) => ({
    path,
    values: new Map(Object.entries(values)),
  });
  const merge = (environment: Record<string, string>, first: Record<string, string>, second = {}) => {
    const added = mergeSettings((name) => environment[name], [file(".env", first), file("yaml", second)]);
    return Object.fromEntries([...added].map(([name, { value, path }]) => [name, `${value} of ${path}`]));
  };

  it("adds what neither the environment nor an earlier file sets", () => {
    assertEquals(
      merge(
        { SALESFLOW_A: "1", SALESFLOW_B: "" },
        { SALESFLOW_A: "2", SALESFLOW_B: "2", SALESFLOW_C: "2" },
        { SALESFLOW_A: "3", SALESFLOW_C: "3", SALESFLOW_D: "3" },
      ),
      { SALESFLOW_B: "2 of .env", SALESFLOW_C: "2 of .env", SALESFLOW_D: "3 of yaml" },
    );
  });

  it("takes a URL and its file from one place, and all AWS keys, too", () => {
    const url = "SALESFLOW_POSTGRES_URL";
    assertEquals(merge({ [`${url}_FILE`]: "/f" }, { [url]: "postgres://a" }), {});
    assertEquals(merge({}, { [url]: "postgres://a" }, { [`${url}_FILE`]: "/f" }), {
      [url]: "postgres://a of .env",
    });
    const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
    assertEquals(merge({ AWS_PROFILE: "p" }, keys), {});
    assertEquals(merge({}, keys), {
      AWS_ACCESS_KEY_ID: "id of .env",
      AWS_SECRET_ACCESS_KEY: "secret of .env",
    });
  });
});

describe("originOf() and nameOrigins()", () => {
  it("know nothing of what no file has set", () => {
    assertEquals(originOf("SALESFLOW_ROWS"), undefined);
    assertEquals(nameOrigins(["Cannot use SALESFLOW_ROWS x"]), ["Cannot use SALESFLOW_ROWS x"]);
  });
});

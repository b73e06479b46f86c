import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeSettings, updateReference } from "../../../cli/settings.ts";
import { KNOWN_VARIABLES } from "../../../cli/variables.ts";
import { loadCommands } from "../../cli/command.ts";

const settings = describeSettings(await loadCommands());

describe("describeSettings()", () => {
  it("has every variable of the program once, except the one that it sets itself", () => {
    const variables = settings.map(({ variable }) => variable).filter((name) =>
      name.startsWith("SALESFLOW_")
    );
    const known = KNOWN_VARIABLES.filter((name) => name !== "SALESFLOW_INVOCATION");
    assertEquals(variables.toSorted(), known.toSorted());
  });

  it("describes options as they are declared", () => {
    assertEquals(settings.find(({ flag }) => flag === "--max-rejected"), {
      variable: "SALESFLOW_MAX_REJECTED",
      key: "max_rejected",
      flag: "--max-rejected",
      help: "Maximum share of rejected rows",
      defaultText: "0.1",
      secret: false,
    });
  });

  it("marks what may contain a password", () => {
    const secret = settings.filter(({ secret }) => secret).map(({ variable }) => variable);
    for (const name of ["SALESFLOW_POSTGRES_URL", "SALESFLOW_CLICKHOUSE_URL", "AWS_SECRET_ACCESS_KEY"]) {
      assert(secret.includes(name), name);
    }
  });
});

describe("docs/configuration.md", () => {
  it("has the reference of all settings; `deno task docs` writes it", async () => {
    const text = await Deno.readTextFile(new URL("../../../docs/configuration.md", import.meta.url));
    assertEquals(text, updateReference(text, settings));
    for (const { variable } of settings) assert(text.includes(`\n| \`${variable}\` |`), variable);
  });
});

describe("updateReference()", () => {
  it("throws TypeError when the text has no place for it", () => {
    assertThrows(() => updateReference("# Configuration\n", settings), TypeError, "deno task docs");
  });
});

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Command, variableName } from "../../../cli/command.ts";
import { findUnknownVariables, KNOWN_VARIABLES } from "../../../cli/variables.ts";

describe("KNOWN_VARIABLES", () => {
  it("contains the variable of every option of every command", async () => {
    const folder = new URL("../../../cli/commands/", import.meta.url);
    for await (const { name } of Deno.readDir(folder)) {
      const { default: command }: { default: Command } = await import(new URL(name, folder).href);
      for (const [option, { flagOnly }] of Object.entries(command.options)) {
        assert(
          flagOnly || KNOWN_VARIABLES.includes(variableName(option)),
          `${variableName(option)} of ${name}`,
        );
      }
    }
  });
});

describe("findUnknownVariables()", () => {
  it("omits known variables, and those of other parts and other programs", () => {
    const names = [
      "SALESFLOW_ROWS",
      "SALESFLOW_SPARK_JARS",
      "SALESFLOW_TASK_RETRIES",
      "SALESFLOW_POSTGRES_PORT_5432_TCP",
      "HOME",
    ];
    assertEquals(findUnknownVariables(names), []);
  });

  it("returns unknown variables, with a suggestion if there is one", () => {
    assertEquals(findUnknownVariables(["SALESFLOW_SEDE", "SALESFLOW_XYZZY"]), [
      "SALESFLOW_SEDE. Did you mean SALESFLOW_SEED?",
      "SALESFLOW_XYZZY.",
    ]);
  });
});

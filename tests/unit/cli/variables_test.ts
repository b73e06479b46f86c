import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Command, variableName } from "../../../cli/command.ts";
import { unknownVariables, VARIABLES } from "../../../cli/variables.ts";

describe("VARIABLES", () => {
  it("holds the variable of every option of every command", async () => {
    const folder = new URL("../../../cli/commands/", import.meta.url);
    for await (const { name } of Deno.readDir(folder)) {
      const { default: command }: { default: Command } = await import(new URL(name, folder).href);
      for (const [option, { flagOnly }] of Object.entries(command.options)) {
        assert(flagOnly || VARIABLES.includes(variableName(option)), `${variableName(option)} of ${name}`);
      }
    }
  });
});

describe("unknownVariables()", () => {
  it("unknownVariables() leaves out what is known, of other parts, or of other programs", () => {
    const names = ["SALESFLOW_ROWS", "SALESFLOW_SPARK_JARS", "SALESFLOW_POSTGRES_PORT_5432_TCP", "HOME"];
    assertEquals(unknownVariables(names), []);
  });

  it("unknownVariables() tells what may have been meant", () => {
    assertEquals(unknownVariables(["SALESFLOW_SEDE", "SALESFLOW_XYZZY"]), [
      "SALESFLOW_SEDE. Did you mean SALESFLOW_SEED?",
      "SALESFLOW_XYZZY.",
    ]);
  });
});

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { STAGES } from "../../../lib/pipeline/stage.ts";

async function filesOf(path: string): Promise<Set<string>> {
  const files = await Array.fromAsync(Deno.readDir(new URL(`../../../${path}`, import.meta.url)));
  return new Set(files.map(({ name }) => name));
}

describe("STAGES", () => {
  it("names folders of lib/ that each hold a file with the stage's name", async () => {
    for (const stage of [...STAGES, "ingest"]) {
      assertEquals((await filesOf(`lib/${stage}/`)).has(`${stage}.ts`), true, stage);
    }
  });

  it("names subcommands", async () => {
    const commands = await filesOf("cli/commands/");
    assertEquals([...STAGES, "ingest"].filter((stage) => !commands.has(`${stage}.ts`)), []);
  });
});

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, logLines, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const command = (...more: string[]) => home.args("run", "--rows", "10", "--as-of", AS_OF, ...more);

describe("salesflow run", () => {
  it("runs only the stages up to --to, and connects to no database that they do not need", async () => {
    assertDone(await run(command("--to", "clean"), UNREACHABLE_DATABASES));
    for (const stage of ["generate", "clean"]) {
      assertEquals((await home.readJson(`${AS_OF}/stages/${stage}.json`)).status, "done", stage);
    }
    assertEquals(await home.exists(`${AS_OF}/stages/migrate.json`), false);
  });

  it("resumes after the last completed stage, and exits with 75 when PostgreSQL is unreachable", async () => {
    const { code, stdout, stderr } = await run(command(), UNREACHABLE_DATABASES);
    assertEquals([code, stdout], [75, ""], stderr);
    const lines = logLines(stderr);
    const resumed = lines.find(({ logger }) => logger === "salesflow.run");
    assertEquals(resumed?.message, "resuming at load: it is the next stage");
    assertEquals(lines.at(-1)!.logger, "salesflow.migrate");
    assertEquals((await home.readJson(`${AS_OF}/stages/generate.json`)).attempt, 1);
  });

  it("keeps the parameters of a run that is repeated without them", async () => {
    const repeat = home.args("run", "--as-of", AS_OF, "--to", "clean", "--from", "generate");
    const { stderr } = await run(repeat, UNREACHABLE_DATABASES);
    assertEquals(logLines(stderr)[0]!.message, `run ${AS_OF} keeps --rows 10`);
    const { parameters } = await home.readJson(`${AS_OF}/run.json`);
    assertEquals((parameters as Record<string, unknown>).rows, 10);
    assertDone(await run(command("--to", "clean"), UNREACHABLE_DATABASES));
  });

  it("starts over when the parameters differ", async () => {
    const { stderr } = await run(command("--to", "clean", "--seed", "5"), UNREACHABLE_DATABASES);
    assert(!stderr.includes("resuming"), stderr);
    assertEquals((await home.readJson(`${AS_OF}/stages/generate.json`)).attempt, 4);
  });
});

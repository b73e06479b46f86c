import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, run, start, useHome, waitForFile } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

/** Arguments of a generate command that takes long enough to be interrupted. */
const long = (run: string, ...more: string[]) =>
  home.args("generate", "--rows", "30000000", "--as-of", AS_OF, "--run-id", run, ...more);

describe("salesflow on a signal", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`exits with 75 on ${signal}, leaves no dataset, and can be run again`, async () => {
      const id = signal.toLowerCase();
      const running = start(long(id));
      await waitForFile(`${home.path}/runs/${id}/raw/part-00000.csv`, running);
      running.child.kill(signal);
      const { code, stdout, stderr } = await running.ended;
      assertEquals([code, stdout], [75, ""], stderr);
      assertStringIncludes(stderr, `Stopped by ${signal}`);
      assertStringIncludes(stderr, "run the same command again");
      assert(!await home.exists(`${id}/raw/manifest.json`));
      const record = await home.readJson(`${id}/stages/generate.json`);
      assertEquals([record.status, (record.error as { exit_code: number }).exit_code], ["failed", 75]);
      const cleaned = await run(home.args("clean", "--run-id", id));
      assertEquals(cleaned.code, 1);
      assertStringIncludes(cleaned.stderr, `There is no raw data of run ${id}`);
      assertDone(await run(long(id, "--rows", "500")));
      assertDone(await run(home.args("clean", "--run-id", id)));
    });
  }
});

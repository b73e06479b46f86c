import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { checkFreshness } from "../../../lib/ingest/freshness.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-freshness-" });
afterAll(() => Deno.remove(folder, { recursive: true }));

/** Creates files that were last changed at these times. */
async function inputsOf(...times: string[]) {
  const paths = await Promise.all(times.map(async (time, index) => {
    const path = `${folder}/${index}.csv`;
    await Deno.writeTextFile(path, "");
    await Deno.utime(path, new Date(time), new Date(time));
    return path;
  }));
  return await findInputs(paths, folder, "names");
}

describe("checkFreshness()", () => {
  it("passes when one file is of the earliest day, in Moscow, or of a later one", async () => {
    const inputs = await inputsOf("2026-10-01T12:00:00Z", "2026-11-15T21:00:00Z");
    await checkFreshness(inputs, "2026-11-24", 8);
    await checkFreshness(inputs, "2026-11-01", 0);
  });

  it("ends with 75 when all files are older, and names the newest", async () => {
    const inputs = await inputsOf("2026-11-15T20:59:59Z", "2026-10-01T12:00:00Z");
    const error = await assertRejects(() => checkFreshness(inputs, "2026-11-24", 8), SalesflowError);
    assertEquals([error.exitCode, error.stage], [75, "ingest"]);
    for (const part of ["0.csv, is of 2026-11-15", "2026-11-16 or later"]) {
      assertStringIncludes(error.message, part);
    }
    assertStringIncludes(error.remedy!, "again when the new export is there");
  });

  it("takes what comes through a pipe for new", async () => {
    await checkFreshness(await findInputs(["-"], folder, "given"), "2026-11-24", 0);
  });

  it("ends with 75 when there is no file any more", async () => {
    const inputs = await inputsOf("2026-11-24T12:00:00Z");
    await Deno.remove(`${folder}/0.csv`);
    const error = await assertRejects(() => checkFreshness(inputs, "2026-11-24", 8), SalesflowError);
    assertEquals(error.exitCode, 75);
  });
});

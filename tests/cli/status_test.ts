import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, run, runOnTerminal, useHome } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const EXPORT =
  "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n1,1,1,1,2026-11-24,10.00,North\n";

describe("salesflow status", () => {
  it("shows all runs or the details of one, as a table or as JSON", async () => {
    const file = `${home.path}/export.csv`;
    await Deno.writeTextFile(file, EXPORT);
    assertDone(await run(home.args("ingest", file, "--run-id", "export")));
    const dirtyArgs = ["--rows", "1000", "--defect-rate", "0.5", "--as-of", AS_OF, "--run-id", "dirty"];
    assertDone(await run(home.args("generate", ...dirtyArgs)));
    assertEquals((await run(home.args("clean", "--run-id", "dirty"))).code, 1);
    assertDone(await run(home.args("clean", "--run-id", "dirty", "--max-rejected", "0.5")));
    const table = await run(home.args("status"));
    assertEquals([table.code, table.stderr], [0, ""]);
    for (const part of ["run", AS_OF, "dirty", "export", "ingested", "clean", "done"]) {
      assertStringIncludes(table.stdout, part);
    }
    const all = JSON.parse((await run(home.args("status", "--json"))).stdout);
    const ids = all.map(({ run_id }: { run_id: string }) => run_id);
    assertEquals(ids, ids.toSorted());
    const [dirty] = JSON.parse((await run(home.args("status", "--json", "--run-id=dirty"))).stdout);
    assertEquals(Object.keys(dirty), await documentedFields("status --json"));
    for (const stage of dirty.stages) {
      assertEquals(Object.keys(stage), await documentedFields("Record of a stage"));
    }
    assertEquals(dirty.run, await home.readJson("dirty/run.json"));
    assertEquals(dirty.stages.map(({ stage, status }: Record<string, string>) => [stage, status]), [
      ["generate", "done"],
      ["clean", "done"],
    ]);
    assertMatch(
      (await run(home.args("status", "--run-id", "dirty"))).stdout,
      /clean +│ done +│ +2 │ +1,\d\d\d │ +[\d,]+ │ +\d+\.\d\d s │ \d{4}-\d\d-\d\d \d\d:\d\d UTC │/,
    );
  });

  it("reports that there are no runs, or no such run", async () => {
    const empty = await run(["status", "--home", `${home.path}/empty`]);
    assertEquals([empty.code, empty.stderr], [0, ""]);
    assertStringIncludes(empty.stdout, "There are no runs");
    assertEquals((await run(["status", "--json", "--home", `${home.path}/empty`])).stdout, "[]\n");
    const nobody = await run(home.args("status", "--run-id", "nobody"));
    assertEquals([nobody.code, nobody.stdout], [2, ""]);
    assertStringIncludes(nobody.stderr, "There is no run nobody");
  });

  it("shows a stage as outdated when its input is newer", async () => {
    const args = (name: string) => home.args(name, "--run-id", "stale", "--as-of", AS_OF);
    assertDone(await run([...args("generate"), "--rows", "10"]));
    assertDone(await run(args("clean")));
    assertDone(await run([...args("generate"), "--rows", "20"]));
    assertMatch((await run(home.args("status", "--run-id", "stale"))).stdout, /clean +│ outdated/);
    assertMatch((await run(home.args("status"))).stdout, /stale +│.*│ clean +│ outdated/);
  });

  it("shows the other runs when the records of one are unreadable", async () => {
    await Deno.mkdir(`${home.path}/runs/torn`);
    await Deno.writeTextFile(`${home.path}/runs/torn/run.json`, "{");
    const { code, stdout } = await run(home.args("status"));
    assertEquals(code, 0);
    assertMatch(stdout, /torn +│.*│ unreadable │/);
    assertMatch(stdout, /^torn: Cannot parse runs\/torn\/run\.json/m);
    assertMatch(stdout, /dirty +│/);
    assertEquals((await run(home.args("status", "--run-id", "torn"))).code, 1);
    await Deno.remove(`${home.path}/runs/torn`, { recursive: true });
  });

  it("fits a terminal of 80 columns", async () => {
    for (const more of [[], ["--run-id", "dirty"]]) {
      const { screen } = await runOnTerminal(home.args("status", ...more), {}, { columns: 80 });
      const lines = screen.split("\r\n");
      assertMatch(lines[more.length / 2]!, /^┌/);
      for (const line of lines) assert(line.length <= 80, line);
    }
  });

  it("shows the error of a failed stage", async () => {
    assertDone(await run(home.args("generate", "--rows", "100", "--as-of", AS_OF, "--run-id", "whole")));
    await run(home.args("clean", "--run-id", "whole", "--max-rejected", "0"));
    const { stdout } = await run(home.args("status", "--run-id", "whole"));
    assertMatch(stdout, /clean: \d+ of \d+ rows would be rejected/);
  });
});

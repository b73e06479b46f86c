import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, logLines, run, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const EXPORT =
  "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n1,1,1,1,2026-11-24,10.00,North\n";

describe("salesflow generate", () => {
  it("takes values from flags, then from the environment, then from defaults", async () => {
    const env = {
      SALESFLOW_HOME: home.path,
      SALESFLOW_ROWS: "300",
      SALESFLOW_DEFECT_RATE: "0",
      SALESFLOW_AS_OF: AS_OF,
      SALESFLOW_RUN_ID: "precedence",
      SALESFLOW_PRODUCTS: "7",
    };
    assertDone(await run(["generate", "--rows", "200", "--products=9"], env));
    const { parameters } = await home.readJson("precedence/run.json");
    assertEquals(parameters, { seed: 1, rows: 200, defect_rate: 0, products: 9, customers: 67 });
    assertEquals((await home.readJson("precedence/raw/manifest.json")).rows, 200);
  });

  it("derives the as-of date from the run id only when that is a date", async () => {
    assertDone(await run(home.args("generate", "--rows", "10", "--run-id", "2026-03-01")));
    assertEquals((await home.readJson("2026-03-01/run.json")).as_of, "2026-03-01");
    assertDone(await run(home.args("generate", "--rows", "10", "--run-id", "2026-02-31")));
    assertMatch(String((await home.readJson("2026-02-31/run.json")).as_of), /^20\d\d-(?!02-31)\d\d-\d\d$/);
  });

  it("produces the same data as one process when shards run in parallel", async () => {
    const args = home.args("generate", "--rows", "3000", "--as-of", AS_OF, "--partitions", "5");
    assertDone(await run([...args, "--run-id", "whole"]));
    const shards = await Promise.all(
      [1, 2, 3].map((number) => run([...args, "--run-id", "sharded", "--shard", `${number}/3`])),
    );
    shards.forEach(assertDone);
    assertEquals((await home.readJson("sharded/stages/generate.json")).status, "done");
    const [whole, sharded] = [
      await home.readJson("whole/raw/manifest.json"),
      await home.readJson("sharded/raw/manifest.json"),
    ];
    assertEquals(sharded.fingerprint, whole.fingerprint);
    assertEquals(sharded.facts, whole.facts);
  });

  it("is unfinished until the last shard is done, and the remedy repeats the run's parameters", async () => {
    const args = home.args("generate", "--rows", "3000", "--seed", "7", "--as-of", AS_OF, "--run-id", "half");
    assertDone(await run([...args, "--shard", "1/2"]));
    assertEquals((await home.readJson("half/stages/generate.json")).status, "running");
    const [{ stages }] = JSON.parse(
      (await run(home.args("status", "--json", "--run-id=half"))).stdout,
    );
    assertEquals(stages[0].status, "interrupted");
    const cleaned = await run(home.args("clean", "--run-id", "half"));
    assertEquals(cleaned.code, 1);
    const { remedy } = logLines(cleaned.stderr).at(-1)!;
    assertStringIncludes(
      String(remedy),
      `--run-id half --as-of ${AS_OF} --seed 7 --rows 3000 --defect-rate 0.02`,
    );
  });

  it("refuses to replace ingested sales", async () => {
    const file = `${home.path}/own.csv`;
    await Deno.writeTextFile(file, EXPORT);
    assertDone(await run(home.args("ingest", file, "--run-id", "own")));
    const { code, stderr } = await run(home.args("generate", "--rows", "10", "--run-id", "own"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Run own was ingested");
  });

  it("leaves ingested sales as they are with --keep-ingested", async () => {
    const file = `${home.path}/kept.csv`;
    await Deno.writeTextFile(file, EXPORT);
    assertDone(await run(home.args("ingest", file, "--run-id", "kept")));
    const before = await home.readJson("kept/raw/manifest.json");
    const args = home.args("generate", "--keep-ingested", "--rows", "10", "--shard", "1/2");
    const kept = await run([...args, "--run-id", "kept"]);
    assertDone(kept);
    assertStringIncludes(kept.stderr, "run kept keeps the sales that were ingested");
    assertEquals(await home.readJson("kept/raw/manifest.json"), before);
    assertEquals(await home.exists("kept/stages/generate.json"), false);
    assertDone(await run([...args, "--run-id", "new"]));
    assertEquals(await home.exists("new/stages/generate.json"), true);
  });
});

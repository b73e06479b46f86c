import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Ended, logLines, run, runOnTerminal, start, whenThere } from "./command.ts";

const AS_OF = "2026-11-24";

let home: string;
beforeAll(async () => {
  home = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(home, { recursive: true }));

const inHome = (...args: string[]) => [...args, "--home", home];

async function json(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(`${home}/runs/${path}`));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(`${home}/runs/${path}`).then(() => true, () => false);
}

function assertDone({ code, stdout, stderr }: Ended): void {
  assertEquals([code, stdout], [0, ""], stderr);
}

describe("salesflow generate and clean", () => {
  it("log JSON lines on standard error when it is no terminal, and keep records", async () => {
    const generated = await run(inHome("generate", "--rows", "2000", "--as-of", AS_OF));
    assertDone(generated);
    const cleaned = await run(inHome("clean", "--as-of", AS_OF));
    assertDone(cleaned);
    const [line] = logLines(cleaned.stderr);
    assertEquals([line!.logger, line!.run_id, line!.rows_out], ["salesflow.clean", AS_OF, 2_000]);
    const record = await json(`${AS_OF}/stages/clean.json`);
    assertEquals([record.status, record.attempt, record.rows_out, record.error], ["done", 1, 2_000, null]);
    assertEquals(record.facts, (await json(`${AS_OF}/clean/manifest.json`)).facts);
  });

  it("log text when asked to, and nothing when quiet", async () => {
    const args = inHome("generate", "--rows", "100", "--as-of", AS_OF, "--run-id", "quiet");
    const [text, quiet] = [await run([...args, "--log-format", "text"]), await run([...args, "--quiet"])];
    assertDone(text);
    assertMatch(text.stderr, /^\d\d:\d\d:\d\d generate: 0 rows in, \d+ rows out, [\d.]+ s, \d+ rows\/s\n$/);
    assertEquals(quiet, { code: 0, stdout: "", stderr: "" });
    assertEquals((await json("quiet/stages/generate.json")).attempt, 2);
  });

  it("take values from flags, then from the environment, then from defaults", async () => {
    const env = {
      SALESFLOW_HOME: home,
      SALESFLOW_ROWS: "300",
      SALESFLOW_DEFECT_RATE: "0",
      SALESFLOW_AS_OF: AS_OF,
      SALESFLOW_RUN_ID: "precedence",
      SALESFLOW_PRODUCTS: "7",
    };
    assertDone(await run(["generate", "--rows", "200", "--products=9"], env));
    const { parameters } = await json("precedence/run.json");
    assertEquals(parameters, { seed: 20261124, rows: 200, defect_rate: 0, products: 9, customers: 50_000 });
    assertEquals((await json("precedence/raw/manifest.json")).rows, 200);
  });

  it("take the as-of date from the run's name only when it is a date", async () => {
    assertDone(await run(inHome("generate", "--rows", "10", "--run-id", "2026-03-01")));
    assertEquals((await json("2026-03-01/run.json")).as_of, "2026-03-01");
    assertDone(await run(inHome("generate", "--rows", "10", "--run-id", "2026-02-31")));
    assertMatch(String((await json("2026-02-31/run.json")).as_of), /^20\d\d-(?!02-31)\d\d-\d\d$/);
  });

  it("end with 1 when there is no run, or no raw data, and say what to do", async () => {
    const none = await run(inHome("clean", "--run-id", "none"));
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, "There is no run none");
    assertStringIncludes(none.stderr, "Run generate or ingest first");
    assert(!await exists("none"));
  });

  it("end with 1 when too much is refused, keep the reason in the records, and go on when allowed", async () => {
    const args = inHome(
      "generate",
      "--rows",
      "1000",
      "--defect-rate",
      "0.5",
      "--as-of",
      AS_OF,
      "--run-id",
      "dirty",
    );
    assertDone(await run(args));
    const refused = await run(inHome("clean", "--run-id", "dirty"));
    assertEquals([refused.code, refused.stdout], [1, ""]);
    const error = logLines(refused.stderr).at(-1)!;
    assertEquals([error.level, error.logger, error.exit_code], ["ERROR", "salesflow.clean", 1]);
    assertMatch(String(error.message), /^\d+ of \d+ rows would be rejected[^\n]+$/);
    assert((error.examples as unknown[]).length > 0);
    const told = await run(inHome("clean", "--run-id", "dirty", "--log-format", "text"));
    assertMatch(
      told.stderr,
      /^error: clean: \d+ of \d+ rows would be rejected[^\n]+\n {2}malformed_row, part-/m,
    );
    assertStringIncludes(refused.stderr, "--max-rejected");
    const record = await json("dirty/stages/clean.json");
    assertEquals([record.status, (record.error as { exit_code: number }).exit_code], ["failed", 1]);
    assert(!await exists("dirty/clean/manifest.json"));
    assertDone(await run(inHome("clean", "--run-id", "dirty", "--max-rejected", "0.5")));
    assertEquals((await json("dirty/stages/clean.json")).attempt, 3);
  });

  it("refuse another as-of date than the run's", async () => {
    assertDone(await run(inHome("generate", "--rows", "10", "--as-of", AS_OF, "--run-id", "dated")));
    const { code, stderr } = await run(inHome("clean", "--run-id", "dated", "--as-of", "2026-11-23"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Run dated is as of ${AS_OF}, not 2026-11-23`);
  });

  it("make shards in processes of their own, side by side", async () => {
    const args = inHome("generate", "--rows", "3000", "--as-of", AS_OF, "--partitions", "5");
    assertDone(await run([...args, "--run-id", "whole"]));
    const shards = await Promise.all(
      [1, 2, 3].map((number) => run([...args, "--run-id", "sharded", "--shard", `${number}/3`])),
    );
    shards.forEach(assertDone);
    assertEquals((await json("sharded/stages/generate.json")).status, "done");
    const [whole, sharded] = [await json("whole/raw/manifest.json"), await json("sharded/raw/manifest.json")];
    assertEquals(sharded.fingerprint, whole.fingerprint);
    assertEquals(sharded.facts, whole.facts);
  });
});

describe("salesflow generate in shards", () => {
  it("is not done before the last shard is, and what is missing is said with the run's parameters", async () => {
    const args = inHome("generate", "--rows", "3000", "--seed", "7", "--as-of", AS_OF, "--run-id", "half");
    assertDone(await run([...args, "--shard", "1/2"]));
    assertEquals((await json("half/stages/generate.json")).status, "running");
    const [{ stages }] = JSON.parse((await run(inHome("status", "--format=json", "--run-id=half"))).stdout);
    assertEquals(stages[0].status, "interrupted");
    const cleaned = await run(inHome("clean", "--run-id", "half"));
    assertEquals(cleaned.code, 1);
    const { remedy } = logLines(cleaned.stderr).at(-1)!;
    assertStringIncludes(
      String(remedy),
      `--run-id half --as-of ${AS_OF} --seed 7 --rows 3000 --defect-rate 0.02`,
    );
  });
});

describe("salesflow generate and ingest", () => {
  it("do not replace a run of the other kind", async () => {
    const generated = await run(inHome("generate", "--rows", "10", "--as-of", AS_OF, "--run-id", "kind"));
    assertDone(generated);
    const before = await json("kind/raw/manifest.json");
    const file = `${home}/kind.csv`;
    const header = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";
    await Deno.writeTextFile(file, `${header}\n1,1,1,1,2026-11-24,10.00,North\n`);
    const ingested = await run(inHome("ingest", file, "--run-id", "kind"));
    assertEquals(ingested.code, 2);
    assertStringIncludes(ingested.stderr, "Run kind was generated");
    assertStringIncludes(ingested.stderr, "another --run-id");
    assertEquals(await json("kind/raw/manifest.json"), before);
    const own = await run(inHome("ingest", file, "--run-id", "own"));
    assertDone(own);
    assertStringIncludes(own.stderr, "next: salesflow run --run-id own");
    const replaced = await run(inHome("generate", "--rows", "10", "--run-id", "own"));
    assertEquals(replaced.code, 2);
    assertStringIncludes(replaced.stderr, "Run own was ingested");
  });
});

describe("salesflow ingest", () => {
  it("takes an export whose name, columns and encoding are its own", async () => {
    const file = `${home}/Выгрузка №1.csv`;
    // "Запад" in windows-1251.
    const west = Uint8Array.of(0xc7, 0xe0, 0xef, 0xe0, 0xe4);
    const head = new TextEncoder().encode(
      "order;customer_id;product_id;quantity;sale_date;total;region\r\n5;1;1;1;24.11.2026;1 234,50;",
    );
    await Deno.writeFile(file, Uint8Array.from([...head, ...west]));
    const args = ["ingest", file, "--map", "sale_id=order", "--map=sale_amount=total", "--run-id", "export"];
    assertDone(await run(inHome(...args, "--as-of", AS_OF, "--encoding", "windows-1251")));
    assertDone(await run(inHome("clean", "--run-id", "export")));
    const part = await Deno.readTextFile(`${home}/runs/export/clean/part-00000.csv`);
    assertStringIncludes(part, "\n5,1,1,1,2026-11-24,1234.50,West\n");
  });

  it("ends with 2 for a file that is not there, and touches nothing", async () => {
    const before = await json("export/raw/manifest.json");
    const { code, stderr } = await run(inHome("ingest", `${home}/none.csv`, "--run-id", "export"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, "There is no file");
    assertEquals(await json("export/raw/manifest.json"), before);
  });
});

describe("salesflow status", () => {
  it("shows runs as a table or as JSON, one of them in detail", async () => {
    const table = await run(inHome("status"));
    assertEquals([table.code, table.stderr], [0, ""]);
    for (const part of ["run", AS_OF, "dirty", "export", "ingested", "clean", "done"]) {
      assertStringIncludes(table.stdout, part);
    }
    const all = JSON.parse((await run(inHome("status", "--format", "json"))).stdout);
    const ids = all.map(({ run_id }: { run_id: string }) => run_id);
    assertEquals(ids, ids.toSorted());
    const [dirty] = JSON.parse((await run(inHome("status", "--format=json", "--run-id=dirty"))).stdout);
    assertEquals(dirty.run, await json("dirty/run.json"));
    assertEquals(dirty.stages.map(({ stage, status }: Record<string, string>) => [stage, status]), [
      ["generate", "done"],
      ["clean", "done"],
    ]);
    assertMatch((await run(inHome("status", "--run-id", "dirty"))).stdout, /clean +│ done +│ native │ +3 │/);
  });

  it("says so when there are no runs", async () => {
    const empty = await run(["status", "--home", `${home}/empty`]);
    assertEquals([empty.code, empty.stderr], [0, ""]);
    assertStringIncludes(empty.stdout, "There are no runs");
    assertEquals((await run(["status", "--format", "json", "--home", `${home}/empty`])).stdout, "[]\n");
    const nobody = await run(inHome("status", "--run-id", "nobody"));
    assertEquals([nobody.code, nobody.stdout], [2, ""]);
    assertStringIncludes(nobody.stderr, "There is no run nobody");
  });

  it("shows stages whose input is newer as outdated", async () => {
    const args = (name: string) => inHome(name, "--run-id", "stale", "--as-of", AS_OF);
    assertDone(await run([...args("generate"), "--rows", "10"]));
    assertDone(await run(args("clean")));
    assertDone(await run([...args("generate"), "--rows", "20"]));
    assertMatch((await run(inHome("status", "--run-id", "stale"))).stdout, /clean +│ outdated/);
    assertMatch((await run(inHome("status"))).stdout, /stale +│.*│ clean +│ outdated/);
  });

  it("shows the other runs when the records of one cannot be read", async () => {
    await Deno.mkdir(`${home}/runs/torn`);
    await Deno.writeTextFile(`${home}/runs/torn/run.json`, "{");
    const { code, stdout } = await run(inHome("status"));
    assertEquals(code, 0);
    assertMatch(stdout, /torn +│.*Cannot understand runs\/torn\/run\.json/);
    assertMatch(stdout, /dirty +│/);
    assertEquals((await run(inHome("status", "--run-id", "torn"))).code, 1);
    await Deno.remove(`${home}/runs/torn`, { recursive: true });
  });

  it("shows a failed stage with its reason", async () => {
    await run(inHome("clean", "--run-id", "whole", "--max-rejected", "0"));
    const { stdout } = await run(inHome("status", "--run-id", "whole"));
    assertMatch(stdout, /clean: \d+ of \d+ rows would be rejected/);
  });
});

describe("salesflow when it is disturbed", () => {
  const long = (run: string, ...more: string[]) =>
    inHome("generate", "--rows", "30000000", "--as-of", AS_OF, "--run-id", run, ...more);

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends with 75 at ${signal}, leaves no dataset, and can be run again`, async () => {
      const id = signal.toLowerCase();
      const running = start(long(id));
      await whenThere(`${home}/runs/${id}/raw/part-00000.csv`, running);
      running.child.kill(signal);
      const { code, stdout, stderr } = await running.ended;
      assertEquals([code, stdout], [75, ""], stderr);
      assertStringIncludes(stderr, `Stopped by ${signal}`);
      assertStringIncludes(stderr, "run the same command again");
      assert(!await exists(`${id}/raw/manifest.json`));
      const record = await json(`${id}/stages/generate.json`);
      assertEquals([record.status, (record.error as { exit_code: number }).exit_code], ["failed", 75]);
      const cleaned = await run(inHome("clean", "--run-id", id));
      assertEquals(cleaned.code, 1);
      assertStringIncludes(cleaned.stderr, `There is no raw data of run ${id}`);
      assertDone(await run(long(id, "--rows", "500")));
      assertDone(await run(inHome("clean", "--run-id", id)));
    });
  }

  it("is refused with 75 while another command works on the run, and works as soon as that one is dead", async () => {
    const running = start(long("long"));
    await whenThere(`${home}/runs/long/raw/part-00000.csv`, running);
    const working = JSON.parse((await run(inHome("status", "--format=json", "--run-id=long"))).stdout);
    assertEquals(working[0].stages[0].status, "running");
    const others = await Promise.all([
      run(inHome("clean", "--run-id", "long")),
      run(inHome("generate", "--rows", "5", "--run-id", "long")),
      run(inHome("generate", "--rows", "5", "--run-id", "long", "--shard", "1/2")),
      run(inHome("generate", "--rows", "5", "--as-of", AS_OF, "--run-id", "other")),
    ]);
    assertEquals(others.map(({ code }) => code), [75, 75, 75, 0]);
    for (const { stderr } of others.slice(0, 3)) {
      assertStringIncludes(stderr, "Another salesflow command is working on run long");
    }
    running.child.kill("SIGKILL");
    await running.ended;
    assert(!await exists("long/raw/manifest.json"));
    const unfinished = JSON.parse((await run(inHome("status", "--format=json", "--run-id=long"))).stdout);
    assertEquals(unfinished[0].stages[0].status, "interrupted");
    assertDone(await run(long("long", "--rows", "500")));
    const left = await Array.fromAsync(Deno.readDir(`${home}/runs/long/raw`), ({ name }) => name);
    assertEquals(left.sort(), [
      "defects.json",
      "manifest.json",
      "part-00000.csv",
      "part-00001.csv",
      "part-00002.csv",
      "part-00003.csv",
      "products.csv",
    ]);
  });

  it("says so when the store cannot be written", async () => {
    await Deno.writeTextFile(`${home}/file`, "no folder");
    const { code, stdout, stderr } = await run(["generate", "--rows", "5", "--home", `${home}/file`]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `Cannot keep runs in ${home}/file: it is a file`);
  });
});

describe("salesflow on a terminal", () => {
  it("draws a bar with rows, speed and time left, then clears it and logs text", async () => {
    const { code, screen } = await runOnTerminal(
      inHome("generate", "--rows", "600000", "--as-of", AS_OF, "--run-id", "bar"),
    );
    assertEquals(code, 0, screen);
    assertMatch(screen, /generate +[█░]+ \d+% \| [\d,]+ rows \| [\d,]+ rows\/s \| [\dhms ]+ left/);
    assertMatch(screen, /\d\d:\d\d:\d\d generate: 0 rows in, \d+ rows out/);
    // The cursor is shown again and the bar's line is erased before the last line.
    assert(screen.lastIndexOf("\x1b[?25h") > screen.lastIndexOf("% |"));
    assert(screen.lastIndexOf("\x1b[2K") > screen.lastIndexOf("% |"));
    assert(!screen.includes('{"@timestamp"'));
  });

  it("counts without a bar when the whole is unknown", async () => {
    const file = `${home}/long.csv`;
    const header = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n";
    await Deno.writeTextFile(file, header + "1,1,1,1,2026-11-24,10.00,North\n".repeat(60_000));
    const { code, screen } = await runOnTerminal(inHome("ingest", file, "--run-id", "counted"));
    assertEquals(code, 0, screen);
    assertMatch(screen, /ingest +[\d,]+ rows \| [\d,]+ rows\/s/);
    assert(!/%|NaN|█/.test(screen), screen);
  });

  it("draws no bar on a terminal that cannot move its cursor", async () => {
    const args = inHome("generate", "--rows", "600000", "--as-of", AS_OF, "--run-id", "dumb");
    const { code, screen } = await runOnTerminal(args, { TERM: "dumb" });
    assertEquals(code, 0, screen);
    assertMatch(screen, /generate: 0 rows in/);
    assert(!screen.includes("█") && !screen.includes("\x1b"), screen);
  });

  it("draws nothing when quiet, and logs JSON when asked to", async () => {
    const args = inHome("generate", "--rows", "1000", "--as-of", AS_OF, "--run-id", "bar");
    const [quiet, json] = await Promise.all([
      runOnTerminal([...args, "--quiet"]),
      runOnTerminal([...args, "--log-format", "json", "--run-id", "bar2"]),
    ]);
    assertEquals([quiet.code, json.code], [0, 0]);
    assert(!quiet.screen.includes("generate"), quiet.screen);
    assertStringIncludes(json.screen, '{"@timestamp"');
    assert(!json.screen.includes("█"));
  });
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, logLines, run, runOnTerminal, start, useHome, waitForFile } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

/** Arguments of a generate command that takes long enough to be interrupted. */
const long = (run: string, ...more: string[]) =>
  home.args("generate", "--rows", "30000000", "--as-of", AS_OF, "--run-id", run, ...more);

describe("salesflow", () => {
  it("logs JSON lines to stderr when it is not a terminal, and writes stage records", async () => {
    const generated = await run(home.args("generate", "--rows", "2000", "--as-of", AS_OF));
    assertDone(generated);
    const cleaned = await run(home.args("clean", "--as-of", AS_OF));
    assertDone(cleaned);
    const [line] = logLines(cleaned.stderr);
    assertEquals([line!.logger, line!.run_id, line!.rows_out], ["salesflow.clean", AS_OF, 2_000]);
    const record = await home.readJson(`${AS_OF}/stages/clean.json`);
    assertEquals([record.status, record.attempt, record.rows_out, record.error], ["done", 1, 2_000, null]);
    assertEquals(record.facts, (await home.readJson(`${AS_OF}/clean/manifest.json`)).facts);
  });

  it("logs text with --log-format text, and nothing with --quiet", async () => {
    const args = home.args("generate", "--rows", "100", "--as-of", AS_OF, "--run-id", "quiet");
    const [text, quiet] = [await run([...args, "--log-format", "text"]), await run([...args, "--quiet"])];
    assertDone(text);
    assertMatch(text.stderr, /^\d\d:\d\d:\d\d UTC generate: \d+ rows, \d+\.\d\d s(, [\d,]+ rows\/s)?\n$/);
    assertEquals(quiet, { code: 0, stdout: "", stderr: "" });
    assertEquals((await home.readJson("quiet/stages/generate.json")).attempt, 2);
  });

  it("exits with 2 when the home is a file", async () => {
    await Deno.writeTextFile(`${home.path}/file`, "no folder");
    const { code, stdout, stderr } = await run(["generate", "--rows", "5", "--home", `${home.path}/file`]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `Cannot store runs in ${home.path}/file: it is a file`);
  });
});

describe("salesflow while another command works on the same run", () => {
  it("exits with 75, and succeeds once the other command is killed", async () => {
    const running = start(long("long"));
    await waitForFile(`${home.path}/runs/long/raw/part-00000.csv`, running);
    const working = JSON.parse((await run(home.args("status", "--json", "--run-id=long"))).stdout);
    assertEquals(working[0].stages[0].status, "running");
    const others = await Promise.all([
      run(home.args("clean", "--run-id", "long")),
      run(home.args("generate", "--rows", "5", "--run-id", "long")),
      run(home.args("generate", "--rows", "5", "--run-id", "long", "--shard", "1/2")),
      run(home.args("generate", "--rows", "5", "--as-of", AS_OF, "--run-id", "other")),
    ]);
    assertEquals(others.map(({ code }) => code), [75, 75, 75, 0]);
    for (const { stderr } of others.slice(0, 3)) {
      assertStringIncludes(stderr, "Another salesflow command is working on run long");
    }
    running.child.kill("SIGKILL");
    await running.ended;
    assert(!await home.exists("long/raw/manifest.json"));
    const unfinished = JSON.parse((await run(home.args("status", "--json", "--run-id=long"))).stdout);
    assertEquals(unfinished[0].stages[0].status, "interrupted");
    assertDone(await run(long("long", "--rows", "500")));
    const left = await Array.fromAsync(Deno.readDir(`${home.path}/runs/long/raw`), ({ name }) => name);
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
});

describe("salesflow on a terminal", () => {
  it("draws a progress bar with rows and speed, then clears it and logs text", async () => {
    const { code, screen } = await runOnTerminal(
      home.args("generate", "--rows", "600000", "--as-of", AS_OF, "--run-id", "bar"),
    );
    assertEquals(code, 0, screen);
    assertMatch(screen, /generate +[█░]+ +\d+% \| +[\d,]+ rows \| [\d,]+ rows\/s/);
    assertStringIncludes(screen, " UTC \x1b[36mgenerate\x1b[39m: ");
    assertMatch(screen, /\d\d:\d\d:\d\d UTC .*: [\d,]+ rows, /);
    assert(!/NF|LL|Infinity/.test(screen), screen);
    // The cursor is shown again and the bar is erased before the last line.
    assert(screen.lastIndexOf("\x1b[?25h") > screen.lastIndexOf("% |"));
    assert(screen.lastIndexOf("\x1b[2K") > screen.lastIndexOf("% |"));
    assert(!screen.includes('{"@timestamp"'));
  });

  it("counts rows without a bar when the total is unknown", async () => {
    const file = `${home.path}/long.csv`;
    const header = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n";
    await Deno.writeTextFile(file, header + "1,1,1,1,2026-11-24,10.00,North\n".repeat(60_000));
    const { code, screen } = await runOnTerminal(home.args("ingest", file, "--run-id", "counted"));
    assertEquals(code, 0, screen);
    assertMatch(screen, /ingest +[\d,]+ rows \| [\d,]+ rows\/s/);
    assert(!/%|NaN|█/.test(screen), screen);
  });

  it("draws no bar when TERM=dumb", async () => {
    const args = home.args("generate", "--rows", "600000", "--as-of", AS_OF, "--run-id", "dumb");
    const { code, screen } = await runOnTerminal(args, { TERM: "dumb" });
    assertEquals(code, 0, screen);
    assertMatch(screen, /UTC generate: [\d,]+ rows, /);
    assert(!screen.includes("█") && !screen.includes("\x1b"), screen);
  });

  it("draws nothing with --quiet, and logs JSON with --log-format json", async () => {
    const args = home.args("generate", "--rows", "1000", "--as-of", AS_OF, "--run-id", "bar");
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

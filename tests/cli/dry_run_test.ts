import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, run, runOnTerminal, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const command = (...more: string[]) => home.args("run", "--dry-run", "--as-of", AS_OF, ...more);

/** All files below the home with their times of change. */
async function snapshot(folder = home.path): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    found.push(`${path} ${(await Deno.stat(path)).mtime?.getTime()}`);
    if (isDirectory) found.push(...await snapshot(path));
  }
  return found.sort();
}

describe("salesflow run --dry-run", () => {
  it("shows the stages of a new run and writes nothing", async () => {
    const { code, stdout, stderr } = await run(command("--rows", "2000", "--to", "clean"));
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^Run 2026-11-24 as of 2026-11-24, generated: .*rows 2,000/);
    assertMatch(stdout, /generate │ not started │ the run is new/);
    assertEquals(await snapshot(), []);
  });

  it("shows where an existing run would resume, and what it keeps", async () => {
    const args = ["run", "--rows", "10", "--as-of", AS_OF, "--to", "clean"];
    assertDone(await run(home.args(...args), UNREACHABLE_DATABASES));
    const before = await snapshot();
    const { code, stdout } = await run(command(), UNREACHABLE_DATABASES);
    assertEquals(code, 0);
    assertMatch(stdout, /load +│ not started │ it is the next stage/);
    assertMatch(stdout, /^Used as they are: generate, clean$/m);
    assertEquals(await snapshot(), before);
  });

  it("says that a run after load depends on embedded tables, and exits with 75 when servers do not answer", async () => {
    const records = `${home.path}/runs/${AS_OF}/stages`;
    const record = JSON.parse(await Deno.readTextFile(`${records}/clean.json`));
    const later = (minutes: number) =>
      new Date(Date.parse(record.finished_at) + minutes * 60_000).toISOString();
    const load = { ...record, stage: "load", started_at: later(1), finished_at: later(2) };
    await Deno.writeTextFile(`${records}/load.json`, JSON.stringify(load));
    const embedded = JSON.parse((await run([...command(), "--json"])).stdout);
    assertEquals([embedded.depends_on_tables, embedded.stages[1].stage], [true, "aggregate"]);
    assertMatch((await run(command())).stdout, /^If the embedded tables meanwhile hold another run/m);
    const { code, stdout } = await run(command(), UNREACHABLE_DATABASES);
    assertEquals([code, stdout], [75, ""]);
  });

  it("refuses what run refuses", async () => {
    const { code, stdout, stderr } = await run(command("--from", "load", "--run-id", "nobody"));
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /There is no run nobody/);
  });

  it("fits a terminal of 80 columns", async () => {
    const { screen } = await runOnTerminal(command(), {}, { columns: 80 });
    const lines = screen.split("\r\n").filter((line) => /^[┌│└]/.test(line));
    assert(lines.length > 5, screen);
    for (const line of lines) assert(line.length <= 80, line);
  });
});

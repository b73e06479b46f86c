import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { assertDone, denoArguments, run, useHome } from "./command.ts";

const AS_OF = "2026-11-24";
const home = useHome();

const EXPORT =
  "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n1,1,1,1,2026-11-24,10.00,North\n";

describe("salesflow ingest", () => {
  it("imports an export with its own column names and encoding", async () => {
    const file = `${home.path}/Выгрузка №1.csv`;
    // "Запад" in windows-1251.
    const west = Uint8Array.of(0xc7, 0xe0, 0xef, 0xe0, 0xe4);
    const head = new TextEncoder().encode(
      "order;customer_id;product_id;quantity;sale_date;total;region\r\n5;1;1;1;24.11.2026;1 234,50;",
    );
    await Deno.writeFile(file, Uint8Array.from([...head, ...west]));
    const args = ["ingest", file, "--map", "sale_id=order", "--map=sale_amount=total", "--run-id", "export"];
    assertDone(await run(home.args(...args, "--as-of", AS_OF, "--encoding", "windows-1251")));
    assertDone(await run(home.args("clean", "--run-id", "export")));
    const part = await Deno.readTextFile(`${home.path}/runs/export/clean/part-00000.csv`);
    assertStringIncludes(part, "\n5,1,1,1,2026-11-24,1234.50,West\n");
  });

  it("reads standard input", async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: denoArguments(home.args("ingest", "-", "--run-id", "stdin", "--as-of", AS_OF)),
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(Uint8Array.from(gzipSync(EXPORT)));
    await writer.close();
    assertEquals((await child.status).code, 0);
    const manifest: unknown = await home.readJson("stdin/raw/manifest.json");
    const { rows, facts } = manifest as { rows: number; facts: { files: string[] } };
    assertEquals([rows, facts.files], [1, ["stdin"]]);
  });

  it("waits with 75 for an export that is new enough", async () => {
    const [source, file] = [`${home.path}/shop.yaml`, `${home.path}/inbox-1.csv`];
    const columns = EXPORT.split("\n", 1)[0]!.split(",").map((name) => `  ${name}: ${name}\n`).join("");
    await Deno.writeTextFile(
      source,
      `version: 1\nfiles: [inbox-*.csv]\nnewest_within_days: 8\ncolumns:\n${columns}`,
    );
    const ingest = () => run(home.args("ingest", "--source", source, "--run-id", "late", "--as-of", AS_OF));
    const none = await ingest();
    assertEquals(none.code, 75, none.stderr);
    await Deno.writeTextFile(file, EXPORT);
    await Deno.utime(file, new Date("2026-11-01T12:00:00Z"), new Date("2026-11-01T12:00:00Z"));
    const old = await ingest();
    assertEquals(old.code, 75, old.stderr);
    assertStringIncludes(old.stderr, "inbox-1.csv, is of 2026-11-01");
    const status = JSON.parse((await run(home.args("status", "--json", "--run-id", "late"))).stdout);
    assertEquals(status[0].stages.map((each: { stage: string }) => each.stage), ["ingest"]);
    const generating = await run(home.args("run", "--to", "clean", "--rows", "10", "--run-id", "late"));
    assertEquals(generating.code, 2);
    assertStringIncludes(generating.stderr, "The last ingest of run late failed: The newest export");
    await Deno.utime(file, new Date("2026-11-24T06:00:00Z"), new Date("2026-11-24T06:00:00Z"));
    assertDone(await ingest());
    assertEquals(await home.exists("late/raw/manifest.json"), true);
  });

  it("exits with 2 and changes nothing when the file does not exist", async () => {
    const before = await home.readJson("export/raw/manifest.json");
    const { code, stderr } = await run(home.args("ingest", `${home.path}/none.csv`, "--run-id", "export"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, "There is no file");
    assertEquals(await home.readJson("export/raw/manifest.json"), before);
  });

  it("leaves no record of a wrong file name, so that the run can be generated", async () => {
    assertEquals((await run(home.args("ingest", `${home.path}/none.csv`, "--run-id", "typo"))).code, 2);
    assertEquals(await home.exists("typo/run.json"), false);
    assertEquals(await home.exists("typo/stages/ingest.json"), false);
    assertDone(await run(home.args("run", "--to", "clean", "--rows", "10", "--run-id", "typo")));
  });

  it("replaces generated sales, which can be made again, and says so", async () => {
    const args = ["--as-of", AS_OF, "--run-id", "kind"];
    assertDone(await run(home.args("run", "--to", "clean", "--rows", "10", ...args)));
    const file = `${home.path}/kind.csv`;
    await Deno.writeTextFile(file, EXPORT);
    const ingested = await run(home.args("ingest", file, ...args));
    assertDone(ingested);
    assertStringIncludes(ingested.stderr, "the generated sales of run kind are replaced");
    assertDone(await run(home.args("run", "--to", "clean", ...args)));
    assertEquals((await home.readJson("kind/clean/manifest.json")).rows, 1);
  });

  it("logs the next command", async () => {
    const file = `${home.path}/next.csv`;
    await Deno.writeTextFile(file, EXPORT);
    const ingested = await run(home.args("ingest", file, "--run-id", "next"));
    assertDone(ingested);
    assertStringIncludes(ingested.stderr, "next: salesflow run --run-id next");
    const env = { SALESFLOW_INVOCATION: "/{a}/deno task salesflow" };
    const again = await run(home.args("ingest", file, "--run-id", "next-2"), env);
    assertDone(again);
    assertStringIncludes(again.stderr, "next: /{a}/deno task salesflow run --run-id next-2");
  });
});

import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import type { StageContext } from "../../../lib/pipeline/stage.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Findings } from "../../../lib/verify/checks.ts";
import { measureFiles } from "../../../lib/verify/measure_files.ts";
import { changeText, forgePart, makeSales, writeRunFiles } from "../../integration/tables/harness.ts";

describe("measureFiles()", () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-verify-" });
    store = openStore(folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));
  beforeEach(() =>
    writeRunFiles(store, {
      runId: "run",
      parts: [makeSales(3), makeSales(2, { from: 4 })],
      rejected: [[0, 5, "malformed_row", "broken"]],
      duplicates: 1,
    })
  );

  function context(changes: Partial<StageContext> = {}): StageContext {
    const signal = new AbortController().signal;
    const urls = { postgresUrl: "", clickhouseUrl: "" };
    return { runId: "run", asOf: "2026-11-24", store, signal, progress() {}, ...urls, ...changes };
  }

  async function failedChecks(): Promise<string[]> {
    const findings = new Findings();
    await measureFiles(context(), findings);
    return findings.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  }

  it("measureFiles() returns manifests and sums, and reports progress", async () => {
    const findings = new Findings();
    const reported: [number, number | undefined][] = [];
    const progress = (rows: number, total?: number) => void reported.push([rows, total]);
    const { raw, clean, rejected, sum } = await measureFiles(context({ progress }), findings);
    assertEquals([raw.rows, clean.rows, rejected.rows], [7, 5, 1]);
    // makeSales() gives amounts of 1, 2, 3 … kopecks and quantities of 1, 2, 3 …
    assertEquals([sum.rows, sum.cents, sum.quantity], [5, 9n, 9n]);
    assertEquals(reported, [[3, 5], [5, 5]]);
    assertEquals(findings.checks.map(({ name, ok }) => [name, ok]), [
      ["rows: raw/manifest.json = raw/ recounted", true],
      ["rows: clean/manifest.json = clean/ recounted", true],
      ["rows: rejected/manifest.json = rejected/ recounted", true],
    ]);
  });

  it("measureFiles() fails a check when a part has other bytes than its manifest", async () => {
    await changeText(store, "runs/run/rejected/part-00000.csv", (text) => text.replace("broken", "BROKEN"));
    await changeText(store, "runs/run/clean/part-00001.csv", (text) => text.replace("0.02", "0.03"));
    assertEquals(await failedChecks(), [
      "clean/part-00001.csv: manifest = file",
      "rejected/part-00000.csv: manifest = file",
    ]);
  });

  it("measureFiles() fails a check when the manifest has another row count than the files", async () => {
    await forgePart(store, "run", "raw", (text) => text + "one,more\n");
    assertEquals(await failedChecks(), [
      "raw/part-00000.csv: manifest = file",
      "rows: raw/manifest.json = raw/ recounted",
    ]);
  });

  it("measureFiles() throws when a clean part is not canonical or a dataset is missing", async () => {
    await forgePart(store, "run", "clean", (text) => text.replace("0.02", "0.2"));
    await assertRejects(
      () => measureFiles(context(), new Findings()),
      SalesflowError,
      "clean/part-00000.csv is not canonical at line 3",
    );
    await store.remove("runs/run/clean");
    await assertRejects(() => measureFiles(context(), new Findings()), SalesflowError, "clean");
  });

  it("measureFiles() throws the signal's reason when it is aborted", async () => {
    const signal = AbortSignal.abort(new Error("stopped"));
    await assertRejects(() => measureFiles(context({ signal }), new Findings()), Error, "stopped");
  });
});

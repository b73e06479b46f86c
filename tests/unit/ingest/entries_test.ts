import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { openEntries } from "../../../lib/ingest/entries.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";
import { sourceOfMap } from "../../../lib/ingest/source/column_copier.ts";
import { SALE_HEADER } from "../../../lib/domain/sale.ts";
import { sha256 } from "../store/harness.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-entries-" });
afterAll(() => Deno.remove(folder, { recursive: true }));
const SEARCH = { source: sourceOfMap({}, undefined), copies: true };
const TEXT = `${SALE_HEADER}\n1,1,1,1,2026-11-24,10.00,North\n`;

async function inputOf(name: string, content: Uint8Array) {
  await Deno.writeFile(`${folder}/${name}`, content);
  return (await findInputs([name], folder, "given"))[0]!;
}

describe("openEntries()", () => {
  it("yields the export, and returns size and checksum of the file as it is", async () => {
    const content = Uint8Array.from(gzipSync(TEXT));
    const entries = openEntries(await inputOf("a.csv.gz", content), SEARCH);
    const first = await entries.next();
    assertEquals(first.done, false);
    if (first.done) return;
    assertEquals([first.value.name, first.value.path], ["a.csv.gz", `${folder}/a.csv.gz`]);
    assertEquals((await Array.fromAsync(first.value.export.chunks)).length, 1);
    assertEquals(await entries.next(), {
      done: true,
      value: { name: "a.csv.gz", bytes: content.length, sha256: sha256(content) },
    });
  });

  it("ends with 75 when the file grows while it is read", async () => {
    const input = await inputOf("grows.csv", new TextEncoder().encode(TEXT));
    const entries = openEntries(input, SEARCH);
    const first = await entries.next();
    if (first.done) throw new Error("there is no export");
    await Deno.writeTextFile(input.path, "2,1,1,1,2026-11-24,10.00,North\n", { append: true });
    await Array.fromAsync(first.value.export.chunks);
    const error = await assertRejects(() => entries.next(), SalesflowError, "changed while it was read");
    assertEquals([error.exitCode, error.stage], [75, "ingest"]);
  });

  it("ends when the signal aborts, though nothing comes", async () => {
    const reason = new SalesflowError("Stopped by SIGTERM", { exitCode: 75 });
    const pending = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    async function* bytes() {
      yield new TextEncoder().encode(TEXT);
      asked.resolve();
      await pending.promise;
    }
    const input = {
      path: "pipe",
      name: "pipe",
      readOnce: true,
      open: () => Promise.resolve({ bytes: bytes() }),
      stat: () => Promise.resolve(undefined),
    };
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { export: { chunks } } of openEntries(input, SEARCH, { signal: stop.signal })) {
        for await (const _ of chunks);
      }
    })();
    const error = assertRejects(() => reading, SalesflowError);
    await asked.promise;
    stop.abort(reason);
    assertEquals(await error, reason);
    pending.resolve();
  });

  it("looks only at headers when it is told so, and leaves nothing open or behind", async () => {
    const input = await inputOf("b.csv", new TextEncoder().encode(TEXT));
    const names: string[] = [];
    for await (const { name } of openEntries(input, SEARCH, { headersOnly: true })) names.push(name);
    assertEquals(names, ["b.csv"]);
  });
});

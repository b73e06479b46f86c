import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { lookUpIds } from "../../../../cli/source/id.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";
import { makeTestStore } from "../../store/harness.ts";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
const [OLD, NEW] = [String(2n ** 62n), String(2n ** 62n + 1n)];
await store.writeText("runs/2026-11-17/ids/part-00000.csv", `number,text\n${OLD},old\n`);
await store.writeText("runs/2026-11-24/ids/part-00000.csv", `number,text\n${NEW},"new, ""quoted"""\n`);
await store.writeText("runs/2026-11-25/run.json", "{}");

describe("lookUpIds()", () => {
  it("finds numbers in all runs, or in one", async () => {
    assertEquals(await lookUpIds(store, undefined, [NEW, OLD]), [`${NEW}  new, "quoted"`, `${OLD}  old`]);
    assertEquals(await lookUpIds(store, "2026-11-17", [OLD]), [`${OLD}  old`]);
    const error = await assertRejects(() => lookUpIds(store, "2026-11-17", [NEW]), SalesflowError, NEW);
    assertEquals(error.exitCode, 2);
  });

  it("computes the numbers of texts", async () => {
    assertEquals(await lookUpIds(store, undefined, ["A-1"]), [`${toSurrogateKey("A-1").digits}  A-1`]);
  });

  it("refuses numbers that stand for no text", async () => {
    await assertRejects(() => lookUpIds(store, undefined, ["17"]), SalesflowError, "the number 17");
  });
});

import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { readManifest } from "../../../lib/dataset/dataset.ts";
import { checkExports, ingest } from "../../../lib/ingest/ingest.ts";
import { findInputs, folderOf } from "../../../lib/ingest/inputs.ts";
import { loadSource } from "../../../lib/ingest/source/load_source.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import { goTool, VERSITYGW } from "../../faults/go_tool.ts";
import { makeContext, makeTestStore, readRows, RUN_ID, type TestStore } from "../../unit/store/harness.ts";
import { Bucket } from "../store/s3/versitygw.ts";

const KEYS = { id: "reader", secret: "marked-s3-31cd" };
const INBOX = `s3://${Bucket.NAME}/inbox`;
const tool = await goTool(VERSITYGW);

/** The service is built with Go; without it, the tests are skipped. */
const suite = tool ? describe : describe.skip;

const SOURCE = `version: 1
files: ["2026-*.csv", more/]
columns: {sale_id: Order, customer_id: {value: "7"}, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {column: Town, lookup: towns.csv}}
`;

suite("ingest() of exports in a bucket", () => {
  let bucket: Bucket;
  let place: TestStore;
  let env: Record<string, string>;

  beforeAll(async () => {
    bucket = await Bucket.start(tool!, KEYS);
    place = await makeTestStore();
    env = {
      SALESFLOW_S3_ENDPOINT: bucket.endpoint,
      AWS_ACCESS_KEY_ID: KEYS.id,
      AWS_SECRET_ACCESS_KEY: KEYS.secret,
      AWS_REGION: "us-east-1",
    };
    for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
    const inbox = openStore(INBOX);
    await inbox.writeText("shop.yaml", SOURCE);
    await inbox.writeText("towns.csv", "town,region\nKazan,East\n");
    const header = "Order,SKU,Date,Total,Town\n";
    await inbox.writeText("2026-11-10.csv", `${header}1,5,2026-11-09,5.00,Kazan\n`);
    await inbox.writeText("2026-11-17.csv", `${header}2,5,2026-11-16,3.00,Kazan\n`);
    await inbox.writeText("2025.csv", "not an export of ours\n");
    await inbox.writeText("more/old.csv", `${header}3,5,2026-11-02,1.00,Kazan\n`);
  });
  afterAll(async () => {
    for (const name of Object.keys(env)) Deno.env.delete(name);
    await bucket.close();
    await place.remove();
  });

  it("reads source file, lookup, globs and folders there", async () => {
    const rules = await loadSource(`${INBOX}/shop.yaml`);
    const inputs = await findInputs(rules.source.files, folderOf(`${INBOX}/shop.yaml`), "names");
    const options = { inputs, rules, workers: 1 };
    await checkExports(options, new AbortController().signal);
    await ingest(makeContext(place.store), options);
    assertEquals(await readRows(place.store, "raw"), [
      "1,7,5,1,2026-11-09,5.00,East",
      "2,7,5,1,2026-11-16,3.00,East",
      "3,7,5,1,2026-11-02,1.00,East",
    ]);
    const raw = await readManifest(place.store, RUN_ID, "raw");
    assertEquals(raw!.facts.files, ["2026-11-10.csv", "2026-11-17.csv", "old.csv"]);
  });

  it("finds one object, and says when there is none", async () => {
    const one = await findInputs([`${INBOX}/2026-11-17.csv`], place.folder, "given");
    assertEquals(one.map(({ path }) => path), [`${INBOX}/2026-11-17.csv`]);
    await assertRejects(
      () => findInputs([`${INBOX}/none.csv`], place.folder, "given"),
      UsageError,
      "none.csv",
    );
  });
});

import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openDatabases } from "../../../cli/databases.ts";

const { signal } = new AbortController();
const URLS = { postgresUrl: "postgres://shop@127.0.0.1:1/shop", clickhouseUrl: "http://127.0.0.1:1" };

describe("openDatabases()", () => {
  let home: string;
  beforeAll(async () => {
    home = await Deno.makeTempDir({ prefix: "salesflow-databases-" });
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  const cases: [
    when: string,
    needs: { postgres?: boolean; clickhouse?: boolean },
    urls: { postgresUrl: string | undefined; clickhouseUrl: string | undefined },
  ][] = [
    ["both databases are configured", { postgres: true, clickhouse: true }, URLS],
    ["the needed database is configured", { postgres: true }, { ...URLS, clickhouseUrl: undefined }],
    ["no database is needed", {}, { postgresUrl: undefined, clickhouseUrl: undefined }],
  ];
  for (const [when, needs, urls] of cases) {
    it(`returns the configured URLs and starts nothing when ${when}`, async () => {
      const { close, ...opened } = await openDatabases(home, needs, urls, signal, false);
      await close();
      const { postgresUrl = "", clickhouseUrl = "" } = urls;
      assertEquals(opened, { postgresUrl, clickhouseUrl });
      assertEquals([...Deno.readDirSync(home)], []);
    });
  }
});

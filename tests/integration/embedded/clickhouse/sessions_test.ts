import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Embedded, startEmbedded } from "../../../../lib/embedded/embedded.ts";
import { waitUntilStopped } from "../harness.ts";

describe("Sessions", () => {
  let home: string;
  let databases: Embedded<"clickhouse">;

  beforeAll(async () => {
    home = await Deno.makeTempDir();
    databases = await startEmbedded(home, { engines: ["clickhouse"] });
  });

  afterAll(async () => {
    await databases.close();
    await waitUntilStopped(home);
    await Deno.remove(home, { recursive: true });
  });

  /** Sends a statement with URL parameters; returns its result, or the error code. */
  async function send(params: Record<string, string>, body: string): Promise<string> {
    const url = new URL(databases.clickhouseUrl);
    const authorization = `Basic ${btoa(`${url.username}:${url.password}`)}`;
    url.username = url.password = "";
    url.search = String(new URLSearchParams(params));
    const response = await fetch(url, { method: "POST", body, headers: { authorization } });
    const text = await response.text();
    const code = response.headers.get("X-ClickHouse-Exception-Code");
    return code === null ? text.trim() : `error ${code}`;
  }

  const QUERY = "SELECT a, getSetting('max_threads') FROM mine";

  it("run() keeps temporary tables and settings in the session named by session_id", async () => {
    const session = { session_id: "s-1" };
    await send(session, "CREATE TEMPORARY TABLE mine AS SELECT 7 AS a");
    await send(session, "SET max_threads = 5");
    assertEquals(await send(session, QUERY), "7\t5");
    assertEquals(await send({ ...session, query: QUERY }, ""), "7\t5");
    for (const other of [{}, { session_id: "s-2" }]) assertEquals(await send(other, QUERY), "error 60");
  });

  it("run() closes the session when close_session is set", async () => {
    const session = { session_id: "s-3" };
    await send(session, "CREATE TEMPORARY TABLE mine AS SELECT 7 AS a");
    assertEquals(await send({ ...session, close_session: "1" }, "SELECT 1"), "1");
    assertEquals(await send(session, QUERY), "error 60");
  });

  it("run() throws when session_check is set and the session does not exist", async () => {
    assertEquals(await send({ session_id: "s-4", session_check: "1" }, "SELECT 1"), "error 372");
  });

  it("run() throws when a concurrent request uses the session", async () => {
    const session = { session_id: "s-5" };
    await send(session, "SELECT 1");
    const results = await Promise.all([1, 2].map(() => send(session, "SELECT sleep(0.5)")));
    assertEquals(results.sort(), ["0", "error 373"]);
  });

  it("run() throws when the session's timeout is invalid or above one hour", async () => {
    assertEquals(await send({ session_id: "s-6", session_timeout: "soon" }, "SELECT 1"), "error 374");
    assertEquals(await send({ session_id: "s-6", session_timeout: "3601" }, "SELECT 1"), "error 374");
    assertEquals(await send({ session_id: "s-6", session_timeout: "3600" }, "SELECT 1"), "1");
  });
});

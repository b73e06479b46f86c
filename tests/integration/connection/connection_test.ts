import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { withClickHouse } from "../../../lib/clickhouse/session.ts";
import { exitCodeOf, messageChain, SalesflowError } from "../../../lib/console/errors.ts";
import type { DatabaseLimits } from "../../../lib/connection/limits.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { verify } from "../../../lib/verify/verify.ts";
import {
  formatTotals,
  makeSales,
  SELECT_TOTALS,
  SHORT_LIMITS,
  Testbed,
  writeRunFiles,
} from "../tables/harness.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const PASSWORD = "never-shown-7c2f";
const TLS = fileURLToPath(new URL("./tls/", import.meta.url));
const SALES = makeSales(20_000);
/** Short timeouts for tests with a stalled network. */
const QUICK: DatabaseLimits = { ...SHORT_LIMITS, retries: 1, stallTimeoutMs: 300, statementTimeoutMs: 1500 };

/** Returns the URL with some parts replaced. */
function withParts(
  url: string,
  changes: Partial<Pick<URL, "password" | "username" | "pathname" | "port" | "search" | "hostname">>,
): string {
  const result = new URL(url);
  Object.assign(result, changes);
  return result.href;
}

describe("withPostgres() and withClickHouse()", () => {
  let testbed: Testbed;
  const signal = new AbortController().signal;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await migrate(testbed.context("run"));
    await writeRunFiles(testbed.store, { runId: "run", parts: [SALES] });
    await load(testbed.context("run"));
    await aggregate(testbed.context("run"));
  });
  afterAll(() => testbed.close());

  /** Returns the TLS version of a connection, or "none". */
  function queryTls(url: string, limits = SHORT_LIMITS) {
    return withPostgres(
      { url, stage: "test", signal, limits },
      (db) => db.one("SELECT coalesce(version, 'none') AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
    );
  }

  function queryClickHouse(url: string, limits = SHORT_LIMITS) {
    return withClickHouse({ url, stage: "test", signal, limits }, (db) => db.rows("SELECT 1"));
  }

  const failures: { name: string; query: () => Promise<unknown>; message: RegExp; exitCode: number }[] = [
    {
      name: "withPostgres() rejects a wrong password",
      query: () => queryTls(withParts(testbed.postgresUrl, { password: PASSWORD })),
      message: /rejected the user name or password/,
      exitCode: 1,
    },
    {
      name: "withPostgres() rejects a missing password",
      query: () => queryTls(withParts(testbed.postgresUrl, { password: "" })),
      message: /rejected the user name or password/,
      exitCode: 1,
    },
    {
      name: "withPostgres() reports a missing database",
      query: () => queryTls(withParts(testbed.postgresUrl, { pathname: "/nowhere" })),
      message: /has no such database/,
      exitCode: 1,
    },
    {
      name: "withPostgres() ends with 75 when the server is down",
      query: () => queryTls(withParts(testbed.postgresUrl, { port: "1", password: PASSWORD })),
      message: /cannot be reached/,
      exitCode: 75,
    },
    {
      name: "withPostgres() ends with 75 when the host name cannot be resolved",
      query: () =>
        queryTls(withParts(testbed.postgresUrl, { hostname: "nowhere.invalid", password: PASSWORD })),
      message: /nowhere\.invalid.*(cannot be resolved|cannot be reached)/,
      exitCode: 75,
    },
    {
      name: "withPostgres() rejects a server without TLS when the URL requires TLS",
      query: () => queryTls(withParts(testbed.postgresUrl, { search: "?sslmode=require" })),
      message: /does not support TLS/,
      exitCode: 1,
    },
    {
      name: "withClickHouse() rejects a wrong password",
      query: () => queryClickHouse(withParts(testbed.clickhouseUrl, { password: PASSWORD })),
      message: /rejected the user name or password/,
      exitCode: 1,
    },
    {
      name: "withClickHouse() ends with 75 when the server is down",
      query: () => queryClickHouse(withParts(testbed.clickhouseUrl, { port: "1", password: PASSWORD })),
      message: /cannot be reached/,
      exitCode: 75,
    },
    {
      name: "withClickHouse() ends with 75 when the host name cannot be resolved",
      query: () =>
        queryClickHouse(
          withParts(testbed.clickhouseUrl, { hostname: "nowhere.invalid", password: PASSWORD }),
        ),
      message: /cannot be resolved|cannot be reached/,
      exitCode: 75,
    },
  ];
  for (const { name, query, message, exitCode } of failures) {
    it(`${name}, without showing the password`, async () => {
      const error = await assertRejects(query, SalesflowError);
      assert(message.test(error.message), error.message);
      assertEquals(exitCodeOf(error), exitCode);
      assert(error.remedy);
      const everything = [...messageChain(error), error.stack, error.remedy, Deno.inspect(error)].join("\n");
      assert(!everything.includes(PASSWORD));
      for (const url of [testbed.postgresUrl, testbed.clickhouseUrl]) {
        assert(!everything.includes(new URL(url).password));
      }
    });
  }

  it("withPostgres() retries up to its limit while the server is starting", async () => {
    let attempts = 0;
    const work = withPostgres(
      { url: testbed.postgresUrl, stage: "test", signal, limits: SHORT_LIMITS },
      async (db) => {
        attempts++;
        await db.query("DO $$ BEGIN RAISE EXCEPTION 'starting up' USING ERRCODE = '57P03'; END $$");
      },
    );
    assertEquals((await assertRejects(() => work, SalesflowError, "starting up")).exitCode, 75);
    assertEquals(attempts, 1 + SHORT_LIMITS.retries);
  });

  it("withPostgres() does not retry or convert errors that are not of PostgreSQL", async () => {
    let attempts = 0;
    const run = (work: () => Promise<never>) =>
      withPostgres({ url: testbed.postgresUrl, stage: "test", signal, limits: SHORT_LIMITS }, () => {
        attempts++;
        return work();
      });
    const error = new TypeError("of the work");
    assertEquals(await assertRejects(() => run(() => Promise.reject(error)), TypeError), error);
    assertEquals(attempts, 1);
  });

  it("withPostgres() uses its own date format and time zone, whatever the role has set", async () => {
    const selectDates = () =>
      withPostgres(
        { url: testbed.postgresUrl, stage: "test", signal, limits: SHORT_LIMITS },
        (db) => db.one("SELECT '2026-10-25'::date AS day, '2026-10-25 00:30+00'::timestamptz AS moment"),
      );
    const { user } = await withPostgres(
      { url: testbed.postgresUrl, stage: "test", signal, limits: SHORT_LIMITS },
      (db) => db.one("SELECT quote_ident(current_user) AS user"),
    );
    await testbed.values(`ALTER ROLE ${user} SET datestyle = 'SQL, DMY'`);
    await testbed.values(`ALTER ROLE ${user} SET timezone = 'Pacific/Kiritimati'`);
    try {
      assertEquals(await selectDates(), { day: "2026-10-25", moment: "2026-10-25 00:30:00+00" });
    } finally {
      await testbed.values(`ALTER ROLE ${user} RESET ALL`);
    }
  });

  it("withPostgres() ends with 75 when a statement exceeds its timeout", async () => {
    const limits = { ...SHORT_LIMITS, statementTimeoutMs: 100 };
    const work = withPostgres(
      { url: testbed.postgresUrl, stage: "test", signal, limits },
      (db) => db.query("SELECT pg_sleep(60)"),
    );
    assertEquals((await assertRejects(() => work, SalesflowError, "took too long")).exitCode, 75);
  });

  it("withPostgres() cancels the statement on the server when it is aborted", async () => {
    const stop = new AbortController();
    const work = withPostgres(
      { url: testbed.postgresUrl, stage: "sleeper", signal: stop.signal },
      async (db) => {
        setTimeout(() => stop.abort(new SalesflowError("stopped")), 0);
        await db.query("SELECT pg_sleep(60)");
      },
    );
    await assertRejects(() => work, SalesflowError, "stopped");
    assertEquals(
      await testbed.values(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'salesflow sleeper' AND state = 'active'",
      ),
      [["0"]],
    );
  });

  it("withPostgres() stops waiting for an unresponsive server when it is aborted", async () => {
    const unresponsive = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const stop = new AbortController();
    const url = withParts(testbed.postgresUrl, { port: String((unresponsive.addr as Deno.NetAddr).port) });
    const work = withPostgres({ url, stage: "test", signal: stop.signal }, () => Promise.resolve());
    const conn = await unresponsive.accept();
    stop.abort(new SalesflowError("stopped"));
    await assertRejects(() => work, SalesflowError, "stopped");
    conn.close();
    unresponsive.close();
  });

  describe("through an unreliable network", () => {
    const proxies: TcpProxy[] = [];
    afterAll(async () => {
      for (const proxy of proxies) await proxy.close();
    });
    function startProxy(url: string): TcpProxy {
      const proxy = new TcpProxy(url);
      proxies.push(proxy);
      return proxy;
    }

    it("load() retries when the connection is closed during COPY", async () => {
      const proxy = startProxy(testbed.postgresUrl);
      proxy.setFault({ cutAfter: 300_000 });
      await load(testbed.context("run", { postgresUrl: proxy.url() }), { limits: SHORT_LIMITS });
      assert(proxy.connections >= 2);
      assertEquals((await testbed.sql(SELECT_TOTALS))[0]!.totals, formatTotals(SALES));
      assertEquals(await testbed.findStagingTables(), []);
    });

    it("load() ends with 75 when the connection stalls during COPY", async () => {
      const proxy = startProxy(testbed.postgresUrl);
      proxy.setFault({ freezeAfter: 300_000 });
      const error = await assertRejects(
        () =>
          load(testbed.context("run", { postgresUrl: proxy.url() + "?connect_timeout=1" }), {
            limits: QUICK,
          }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 75);
      await proxy.close();
      await load(testbed.context("run"));
      assertEquals(await testbed.findStagingTables(), []);
    });

    it("transfer() retries when the connection to ClickHouse is closed during INSERT", async () => {
      const proxy = startProxy(testbed.clickhouseUrl);
      proxy.setFault({ cutAfter: 8_000 });
      await transfer(testbed.context("run", { clickhouseUrl: proxy.url() }), { limits: SHORT_LIMITS });
      assert(proxy.connections >= 2);
      await verify(testbed.context("run"));
      assertEquals(await testbed.findStagingTables(), []);
    });

    it("transfer() retries when the connection to PostgreSQL is closed", async () => {
      const proxy = startProxy(testbed.postgresUrl);
      proxy.setFault({ cutAfter: 1_200 });
      await transfer(testbed.context("run", { postgresUrl: proxy.url() }), { limits: SHORT_LIMITS });
      assert(proxy.connections >= 2);
      await verify(testbed.context("run"));
      assertEquals(await testbed.findStagingTables(), []);
    });

    it("transfer() ends with 75 when ClickHouse does not respond", async () => {
      const proxy = startProxy(testbed.clickhouseUrl);
      proxy.setFault({ freezeAfter: 3_000 });
      const error = await assertRejects(
        () =>
          transfer(testbed.context("run", { clickhouseUrl: proxy.url() }), {
            limits: { ...QUICK, statementTimeoutMs: 400 },
          }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 75);
      assertStringIncludes(error.message, "ClickHouse");
      await proxy.close();
      await transfer(testbed.context("run"));
      assertEquals(await testbed.findStagingTables(), []);
    });
  });

  describe("with TLS", () => {
    /** Makes the server use a certificate. */
    async function useCertificate(name: string): Promise<void> {
      const [[folder]] = await testbed.values("SHOW data_directory") as [[string]];
      const { uid, gid } = await Deno.stat(folder);
      for (const kind of ["pem", "key"]) {
        await Deno.copyFile(`${TLS}${name}.${kind}`, `${folder}/server.${kind}`);
        await Deno.chmod(`${folder}/server.${kind}`, 0o600);
        if (Deno.uid() === 0) await Deno.chown(`${folder}/server.${kind}`, uid, gid);
      }
      await testbed.postgres(async (db) => {
        await db.query("ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
        await db.query("ALTER SYSTEM SET ssl_key_file = 'server.key'");
        await db.query("ALTER SYSTEM SET ssl = on");
        await db.query("SELECT pg_reload_conf()");
      });
      // The postmaster reloads asynchronously.
      for (let attempts = 0; attempts < 500; attempts++) {
        const served = await testbed.postgres((db) => db.one("SELECT current_setting('ssl') AS ssl"));
        if (served.ssl === "on") return;
      }
      throw new Error("the server did not enable TLS");
    }

    const cases: { mode: string; ca?: string; host?: string; as: string; works: boolean }[] = [
      { mode: "require", as: "server", works: true },
      { mode: "require", ca: "other_ca.pem", as: "server", works: false },
      { mode: "verify-ca", ca: "ca.pem", as: "server", works: true },
      { mode: "verify-ca", ca: "other_ca.pem", as: "server", works: false },
      { mode: "verify-full", ca: "ca.pem", as: "server", works: true },
      { mode: "verify-full", ca: "ca.pem", as: "server", host: "localhost", works: true },
      { mode: "verify-full", as: "server", works: false },
      { mode: "verify-full", ca: "other_ca.pem", as: "server", works: false },
      { mode: "require", as: "stranger", works: true },
      { mode: "verify-ca", ca: "ca.pem", as: "stranger", works: true },
      { mode: "verify-full", ca: "ca.pem", as: "stranger", works: false },
      { mode: "verify-full", ca: "ca.pem", as: "stranger", host: "localhost", works: false },
    ];
    let serving = "";
    for (const { mode, ca, host, as, works } of cases) {
      const what = `sslmode=${mode}${ca ? ` and ${ca}` : ""}, host ${
        host ?? "127.0.0.1"
      }, certificate of ${as}`;
      it(`withPostgres() ${works ? "encrypts" : "fails"} with ${what}`, async () => {
        if (serving !== as) await useCertificate(as);
        serving = as;
        const search = `?sslmode=${mode}${ca ? `&sslrootcert=${encodeURIComponent(TLS + ca)}` : ""}`;
        const url = withParts(testbed.postgresUrl, { search, ...(host ? { hostname: host } : {}) });
        if (works) {
          assert((await queryTls(url)).tls!.startsWith("TLS"));
          return;
        }
        const error = await assertRejects(() => queryTls(url), SalesflowError, "failed TLS verification");
        assertEquals(error.exitCode, 1);
      });
    }

    it("withPostgres() does not encrypt when the URL does not require TLS", async () => {
      assertEquals((await queryTls(testbed.postgresUrl)).tls, "none");
    });

    for (const { ca, as, host, works } of cases.filter(({ mode }) => mode === "verify-full")) {
      const what = `${ca ?? "the system's authorities"}, host ${host ?? "127.0.0.1"}, certificate of ${as}`;
      it(`withClickHouse() ${works ? "encrypts" : "fails"} with ${what}`, async () => {
        const [cert, key] = await Promise.all(
          ["pem", "key"].map((kind) => Deno.readTextFile(`${TLS}${as}.${kind}`)),
        );
        const proxy = new TcpProxy(testbed.clickhouseUrl, { cert: cert!, key: key! });
        try {
          const { username, password } = new URL(testbed.clickhouseUrl);
          const search = ca ? `?sslrootcert=${encodeURIComponent(TLS + ca)}` : "";
          const url = `https://${username}:${password}@${host ?? "127.0.0.1"}:${proxy.port}/${search}`;
          if (works) {
            assertEquals(await queryClickHouse(url), [["1"]]);
            return;
          }
          const error = await assertRejects(
            () => queryClickHouse(url),
            SalesflowError,
            "failed TLS verification",
          );
          assertEquals(error.exitCode, 1);
        } finally {
          await proxy.close();
        }
      });
    }
  });
});

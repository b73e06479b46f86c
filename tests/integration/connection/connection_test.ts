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
import { IMPATIENT, manySales, Place, TOTALS, totalsOf, writeRunFiles } from "../tables/harness.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const PASSWORD = "never-shown-7c2f";
const TLS = fileURLToPath(new URL("./tls/", import.meta.url));
const SALES = manySales(20_000);
/** A stream that stands still for this long is given up. */
const QUICK: DatabaseLimits = { ...IMPATIENT, retries: 1, stallMs: 300, statementMs: 1500 };

function changed(
  url: string,
  changes: Partial<Pick<URL, "password" | "username" | "pathname" | "port" | "search" | "hostname">>,
): string {
  const result = new URL(url);
  Object.assign(result, changes);
  return result.href;
}

describe("withPostgres() and withClickHouse()", () => {
  let place: Place;
  const signal = new AbortController().signal;
  beforeAll(async () => {
    place = await Place.open();
    await migrate(place.context("run"));
    await writeRunFiles(place.store, { runId: "run", parts: [SALES] });
    await load(place.context("run"));
    await aggregate(place.context("run"));
  });
  afterAll(() => place.close());

  function ask(url: string, limits = IMPATIENT) {
    return withPostgres(
      { url, stage: "test", signal, limits },
      (db) => db.one("SELECT coalesce(version, 'none') AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
    );
  }

  function askClickHouse(url: string, limits = IMPATIENT) {
    return withClickHouse({ url, stage: "test", signal, limits }, (db) => db.rows("SELECT 1"));
  }

  const refusals: { name: string; asks: () => Promise<unknown>; says: RegExp; exitCode: number }[] = [
    {
      name: "withPostgres() says so when the password is wrong",
      asks: () => ask(changed(place.postgresUrl, { password: PASSWORD })),
      says: /refuses the user or the password/,
      exitCode: 1,
    },
    {
      name: "withPostgres() says so when there is no password",
      asks: () => ask(changed(place.postgresUrl, { password: "" })),
      says: /refuses the user or the password/,
      exitCode: 1,
    },
    {
      name: "withPostgres() says so when there is no such database",
      asks: () => ask(changed(place.postgresUrl, { pathname: "/nowhere" })),
      says: /has no such database/,
      exitCode: 1,
    },
    {
      name: "withPostgres() gives up for now when nobody listens",
      asks: () => ask(changed(place.postgresUrl, { port: "1", password: PASSWORD })),
      says: /cannot be reached/,
      exitCode: 75,
    },
    {
      name: "withPostgres() gives up for now when the host is unknown",
      asks: () => ask(changed(place.postgresUrl, { hostname: "nowhere.invalid", password: PASSWORD })),
      says: /nowhere\.invalid.*(cannot be found by name|cannot be reached)/,
      exitCode: 75,
    },
    {
      name: "withPostgres() refuses a server without TLS when the URL asks for it",
      asks: () => ask(changed(place.postgresUrl, { search: "?sslmode=require" })),
      says: /does not speak TLS/,
      exitCode: 1,
    },
    {
      name: "withClickHouse() says so when the password is wrong",
      asks: () => askClickHouse(changed(place.clickhouseUrl, { password: PASSWORD })),
      says: /refuses the user or the password/,
      exitCode: 1,
    },
    {
      name: "withClickHouse() gives up for now when nobody listens",
      asks: () => askClickHouse(changed(place.clickhouseUrl, { port: "1", password: PASSWORD })),
      says: /cannot be reached/,
      exitCode: 75,
    },
    {
      name: "withClickHouse() gives up for now when the host is unknown",
      asks: () =>
        askClickHouse(changed(place.clickhouseUrl, { hostname: "nowhere.invalid", password: PASSWORD })),
      says: /cannot be found by name|cannot be reached/,
      exitCode: 75,
    },
  ];
  for (const { name, asks, says, exitCode } of refusals) {
    it(`${name}, never showing it`, async () => {
      const error = await assertRejects(asks, SalesflowError);
      assert(says.test(error.message), error.message);
      assertEquals(exitCodeOf(error), exitCode);
      assert(error.remedy);
      const everything = [...messageChain(error), error.stack, error.remedy, Deno.inspect(error)].join("\n");
      assert(!everything.includes(PASSWORD));
      for (const url of [place.postgresUrl, place.clickhouseUrl]) {
        assert(!everything.includes(new URL(url).password));
      }
    });
  }

  it("withPostgres() tries again, up to its limit, while the server refuses connections for now", async () => {
    let tries = 0;
    const work = withPostgres(
      { url: place.postgresUrl, stage: "test", signal, limits: IMPATIENT },
      async (db) => {
        tries++;
        await db.query("DO $$ BEGIN RAISE EXCEPTION 'starting up' USING ERRCODE = '57P03'; END $$");
      },
    );
    assertEquals((await assertRejects(() => work, SalesflowError, "starting up")).exitCode, 75);
    assertEquals(tries, 1 + IMPATIENT.retries);
  });

  it("withPostgres() tries once when the error is for good, and passes errors of others through", async () => {
    let tries = 0;
    const run = (work: () => Promise<never>) =>
      withPostgres({ url: place.postgresUrl, stage: "test", signal, limits: IMPATIENT }, () => {
        tries++;
        return work();
      });
    const ours = new TypeError("ours");
    assertEquals(await assertRejects(() => run(() => Promise.reject(ours)), TypeError), ours);
    assertEquals(tries, 1);
  });

  it("withPostgres() writes dates and times in its own way when the owner of the database has another", async () => {
    const shown = () =>
      withPostgres(
        { url: place.postgresUrl, stage: "test", signal, limits: IMPATIENT },
        (db) => db.one("SELECT '2026-10-25'::date AS day, '2026-10-25 00:30+00'::timestamptz AS moment"),
      );
    const { user } = await withPostgres(
      { url: place.postgresUrl, stage: "test", signal, limits: IMPATIENT },
      (db) => db.one("SELECT quote_ident(current_user) AS user"),
    );
    await place.values(`ALTER ROLE ${user} SET datestyle = 'SQL, DMY'`);
    await place.values(`ALTER ROLE ${user} SET timezone = 'Pacific/Kiritimati'`);
    try {
      assertEquals(await shown(), { day: "2026-10-25", moment: "2026-10-25 00:30:00+00" });
    } finally {
      await place.values(`ALTER ROLE ${user} RESET ALL`);
    }
  });

  it("withPostgres() gives up a statement that takes too long, with exit code 75", async () => {
    const limits = { ...IMPATIENT, statementMs: 100 };
    const work = withPostgres(
      { url: place.postgresUrl, stage: "test", signal, limits },
      (db) => db.query("SELECT pg_sleep(60)"),
    );
    assertEquals((await assertRejects(() => work, SalesflowError, "took too long")).exitCode, 75);
  });

  it("withPostgres() stops the server's work when it is aborted", async () => {
    const stop = new AbortController();
    const work = withPostgres(
      { url: place.postgresUrl, stage: "sleeper", signal: stop.signal },
      async (db) => {
        setTimeout(() => stop.abort(new SalesflowError("stopped")), 0);
        await db.query("SELECT pg_sleep(60)");
      },
    );
    await assertRejects(() => work, SalesflowError, "stopped");
    assertEquals(
      await place.values(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'salesflow sleeper' AND state = 'active'",
      ),
      [["0"]],
    );
  });

  it("withPostgres() stops waiting for a server that does not answer when it is aborted", async () => {
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const stop = new AbortController();
    const url = changed(place.postgresUrl, { port: String((silent.addr as Deno.NetAddr).port) });
    const work = withPostgres({ url, stage: "test", signal: stop.signal }, () => Promise.resolve());
    const conn = await silent.accept();
    stop.abort(new SalesflowError("stopped"));
    await assertRejects(() => work, SalesflowError, "stopped");
    conn.close();
    silent.close();
  });

  describe("behind a network that fails", () => {
    const proxies: TcpProxy[] = [];
    afterAll(async () => {
      for (const proxy of proxies) await proxy.close();
    });
    function through(url: string): TcpProxy {
      const proxy = new TcpProxy(url);
      proxies.push(proxy);
      return proxy;
    }

    it("load() starts again when the connection is reset in the middle of COPY", async () => {
      const proxy = through(place.postgresUrl);
      proxy.begin({ cutAfter: 300_000 });
      await load(place.context("run", { postgresUrl: proxy.url() }), { limits: IMPATIENT });
      assert(proxy.connections >= 2);
      assertEquals((await place.sql(TOTALS))[0]!.totals, totalsOf(SALES));
      assertEquals(await place.leftovers(), []);
    });

    it("load() gives up with exit code 75 when the network swallows everything in the middle of COPY", async () => {
      const proxy = through(place.postgresUrl);
      proxy.begin({ freezeAfter: 300_000 });
      const error = await assertRejects(
        () =>
          load(place.context("run", { postgresUrl: proxy.url() + "?connect_timeout=1" }), { limits: QUICK }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 75);
      await proxy.close();
      await load(place.context("run"));
      assertEquals(await place.leftovers(), []);
    });

    it("transfer() starts again when ClickHouse's connection is reset in the middle of the rows", async () => {
      const proxy = through(place.clickhouseUrl);
      proxy.begin({ cutAfter: 8_000 });
      await transfer(place.context("run", { clickhouseUrl: proxy.url() }), { limits: IMPATIENT });
      assert(proxy.connections >= 2);
      await verify(place.context("run"));
      assertEquals(await place.leftovers(), []);
    });

    it("transfer() starts again when PostgreSQL's connection is reset", async () => {
      const proxy = through(place.postgresUrl);
      proxy.begin({ cutAfter: 1_200 });
      await transfer(place.context("run", { postgresUrl: proxy.url() }), { limits: IMPATIENT });
      assert(proxy.connections >= 2);
      await verify(place.context("run"));
      assertEquals(await place.leftovers(), []);
    });

    it("transfer() gives up with exit code 75 when ClickHouse never answers", async () => {
      const proxy = through(place.clickhouseUrl);
      proxy.begin({ freezeAfter: 3_000 });
      const error = await assertRejects(
        () =>
          transfer(place.context("run", { clickhouseUrl: proxy.url() }), {
            limits: { ...QUICK, statementMs: 400 },
          }),
        SalesflowError,
      );
      assertEquals(error.exitCode, 75);
      assertStringIncludes(error.message, "ClickHouse");
      await proxy.close();
      await transfer(place.context("run"));
      assertEquals(await place.leftovers(), []);
    });
  });

  describe("with TLS", () => {
    /** Makes the server prove itself by this certificate from now on. */
    async function serveAs(name: string): Promise<void> {
      const [[folder]] = await place.values("SHOW data_directory") as [[string]];
      const { uid, gid } = await Deno.stat(folder);
      for (const kind of ["pem", "key"]) {
        await Deno.copyFile(`${TLS}${name}.${kind}`, `${folder}/server.${kind}`);
        await Deno.chmod(`${folder}/server.${kind}`, 0o600);
        if (Deno.uid() === 0) await Deno.chown(`${folder}/server.${kind}`, uid, gid);
      }
      await place.postgres(async (db) => {
        await db.query("ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
        await db.query("ALTER SYSTEM SET ssl_key_file = 'server.key'");
        await db.query("ALTER SYSTEM SET ssl = on");
        await db.query("SELECT pg_reload_conf()");
      });
      // The postmaster reloads soon, not at once.
      for (let tries = 0; tries < 500; tries++) {
        const served = await place.postgres((db) => db.one("SELECT current_setting('ssl') AS ssl"));
        if (served.ssl === "on") return;
      }
      throw new Error("the server never turned TLS on");
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
      it(`withPostgres() ${works ? "encrypts" : "refuses"} with ${what}`, async () => {
        if (serving !== as) await serveAs(as);
        serving = as;
        const search = `?sslmode=${mode}${ca ? `&sslrootcert=${encodeURIComponent(TLS + ca)}` : ""}`;
        const url = changed(place.postgresUrl, { search, ...(host ? { hostname: host } : {}) });
        if (works) {
          assert((await ask(url)).tls!.startsWith("TLS"));
          return;
        }
        const error = await assertRejects(() => ask(url), SalesflowError, "did not prove who it is");
        assertEquals(error.exitCode, 1);
      });
    }

    it("withPostgres() does not encrypt when the URL does not ask for it", async () => {
      assertEquals((await ask(place.postgresUrl)).tls, "none");
    });

    for (const { ca, as, host, works } of cases.filter(({ mode }) => mode === "verify-full")) {
      const what = `${ca ?? "the system's authorities"}, host ${host ?? "127.0.0.1"}, certificate of ${as}`;
      it(`withClickHouse() ${works ? "encrypts" : "refuses"} with ${what}`, async () => {
        const [cert, key] = await Promise.all(
          ["pem", "key"].map((kind) => Deno.readTextFile(`${TLS}${as}.${kind}`)),
        );
        const proxy = new TcpProxy(place.clickhouseUrl, { cert: cert!, key: key! });
        try {
          const { username, password } = new URL(place.clickhouseUrl);
          const search = ca ? `?sslrootcert=${encodeURIComponent(TLS + ca)}` : "";
          const url = `https://${username}:${password}@${host ?? "127.0.0.1"}:${proxy.port}/${search}`;
          if (works) {
            assertEquals(await askClickHouse(url), [["1"]]);
            return;
          }
          const error = await assertRejects(
            () => askClickHouse(url),
            SalesflowError,
            "did not prove who it is",
          );
          assertEquals(error.exitCode, 1);
        } finally {
          await proxy.close();
        }
      });
    }
  });
});

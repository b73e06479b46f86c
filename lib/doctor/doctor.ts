/** Doctor: checks everything a run needs, one finding at a time, and goes on after a broken one. */
import { statfs } from "node:fs/promises";
import { withClickHouse } from "../clickhouse/session.ts";
import type { DatabaseUrls } from "../config.ts";
import { messageChain, SalesflowError } from "../errors.ts";
import type { DatabaseLimits } from "../limits.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { withPostgres } from "../postgres/session.ts";
import { FileStore } from "../store/file_store.ts";
import type { Store } from "../store/store.ts";

/** What a check found. */
export interface Finding {
  state: "fine" | "warning" | "broken";
  subject: string;
  found: string;
  /** What to do about it. */
  remedy?: string;
}

/** What is to be examined. */
export interface DoctorOptions {
  store: Store;
  home: string;
  urls: DatabaseUrls;
  signal: AbortSignal;
  /** Opens the databases, starting embedded ones where none are configured. */
  open(): Promise<{ postgresUrl: string; clickhouseUrl: string; close(): Promise<void> }>;
  /** Called with each finding as it comes. */
  onFinding(finding: Finding): void;
}

/** A run of 1,000,000 sales takes about 0.5 GB in files and tables. */
const WANTED_DISK_BYTES = 2e9;
/** Oldest server versions that have everything the SQL uses. */
const OLDEST_POSTGRES = 140_000;
const OLDEST_CLICKHOUSE = [23, 8] as const;

/** One try: whoever examines wants the answer now. */
const LIMITS: DatabaseLimits = { ...DEFAULT_LIMITS, retries: 0, statementMs: 10_000 };

type Check = () => Promise<Omit<Finding, "subject">>;

function broken(error: unknown): Omit<Finding, "subject"> {
  const remedy = error instanceof SalesflowError ? error.remedy : undefined;
  return { state: "broken", found: messageChain(error).join(": "), ...(remedy ? { remedy } : {}) };
}

async function checkStore(store: Store): Promise<Omit<Finding, "subject">> {
  const path = `runs/.doctor-${crypto.randomUUID()}`;
  try {
    await store.writeText(path, "salesflow");
    const read = await store.readText(path);
    if (read !== "salesflow") {
      return { state: "broken", found: `${store.url} does not return what was written` };
    }
  } catch (error) {
    return {
      ...broken(error),
      remedy: `Make ${store.url} writable for this user, or choose another --store.`,
    };
  } finally {
    await store.remove(path).catch(() => {});
  }
  return { state: "fine", found: `${store.url} can be written and read` };
}

async function checkDisk(folder: string): Promise<Omit<Finding, "subject">> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free in ${folder}`;
  if (free >= WANTED_DISK_BYTES) return { state: "fine", found };
  return { state: "warning", found, remedy: "A run of 1,000,000 sales takes about 0.5 GB; keep 2 GB free." };
}

async function checkPostgres(url: string, signal: AbortSignal): Promise<Omit<Finding, "subject">> {
  return await withPostgres({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const facts = await db.one(`SELECT current_setting('server_version') AS version,
      current_setting('server_version_num') AS number, pg_is_in_recovery() AS replica,
      has_database_privilege(current_database(), 'CREATE') AS creates,
      to_regclass('shop.sales') IS NOT NULL AS migrated`);
    const found = `version ${facts.version} at ${db.server}`;
    if (Number(facts.number) < OLDEST_POSTGRES) {
      return { state: "broken", found, remedy: "Use PostgreSQL 14 or newer." };
    }
    if (facts.replica === "t") {
      return {
        state: "broken",
        found: `${found} is a read-only replica`,
        remedy: "Use the primary server's address.",
      };
    }
    if (facts.migrated === "t") return { state: "fine", found: `${found}, tables are there` };
    if (facts.creates === "t") return { state: "fine", found: `${found}, tables can be made` };
    return {
      state: "broken",
      found: `${found}: there is no schema shop, and this user may not make it`,
      remedy: "Run salesflow migrate as an owner of the database, or grant this user CREATE on it.",
    };
  });
}

async function checkClickHouse(url: string, signal: AbortSignal): Promise<Omit<Finding, "subject">> {
  return await withClickHouse({ url, stage: "doctor", signal, limits: LIMITS }, async (db) => {
    const [row] = await db.rows(
      "SELECT version(), count() FROM system.tables WHERE database = 'shop' AND name = 'sales_aggregates'",
    );
    const [version = "", tables] = row ?? [];
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const found = `version ${version} at ${db.server}`;
    const old = major < OLDEST_CLICKHOUSE[0] ||
      (major === OLDEST_CLICKHOUSE[0] && minor < OLDEST_CLICKHOUSE[1]);
    if (old) {
      return { state: "broken", found, remedy: `Use ClickHouse ${OLDEST_CLICKHOUSE.join(".")} or newer.` };
    }
    return {
      state: "fine",
      found: `${found}, ${tables === "1" ? "tables are there" : "tables are not made yet"}`,
    };
  });
}

/** Runs all checks. Never throws because of what it finds. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const { store, home, urls, signal, open, onFinding } = options;
  const findings: Finding[] = [];
  const check = async (subject: string, work: Check) => {
    const finding = { subject, ...await work().catch(broken) };
    findings.push(finding);
    onFinding(finding);
  };
  await check("configuration", () => {
    const where = (url: string | undefined) => (url ? "configured" : "embedded");
    return Promise.resolve({
      state: "fine",
      found: `PostgreSQL ${where(urls.postgresUrl)}, ClickHouse ${where(urls.clickhouseUrl)}`,
    });
  });
  await check("store", () => checkStore(store));
  if (store instanceof FileStore) await check("disk", () => checkDisk(store.localPath("runs")));
  let databases: Awaited<ReturnType<typeof open>> | undefined;
  if (!urls.postgresUrl || !urls.clickhouseUrl) {
    await check("embedded databases", async () => {
      databases = await open();
      return { state: "fine", found: `they start in ${home}` };
    });
  } else databases = await open();
  try {
    if (databases) {
      const { postgresUrl, clickhouseUrl } = databases;
      await check("PostgreSQL", () => checkPostgres(postgresUrl, signal));
      await check("ClickHouse", () => checkClickHouse(clickhouseUrl, signal));
    }
  } finally {
    await databases?.close();
  }
  return findings;
}

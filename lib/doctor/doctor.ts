/** Doctor: checks everything a run needs, one finding at a time, and goes on after a broken one. */
import type { DatabaseUrls } from "../connection/database_urls.ts";
import { cacheFolder } from "../embedded/engines/cache_folder.ts";
import { FileStore } from "../store/file_store.ts";
import type { Store } from "../store/store.ts";
import { checkClickHouse, checkPostgres } from "./databases.ts";
import { checkDisks, type FreeBytes } from "./disk.ts";
import { broken, type Finding, type Outcome } from "./finding.ts";

/** What is to be examined. */
export interface DoctorOptions {
  store: Store;
  home: string;
  urls: DatabaseUrls;
  signal: AbortSignal;
  /** Opens one of the databases, starting the embedded one where none is configured. */
  open(database: "postgres" | "clickhouse"): Promise<
    { postgresUrl: string; clickhouseUrl: string; close(): Promise<void> }
  >;
  /** Called with each finding as it comes. */
  onFinding(finding: Finding): void;
  /** Free bytes of a folder. @default {what the system says} */
  free?: FreeBytes;
}

async function checkStore(store: Store): Promise<Outcome> {
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

/** Places where a run writes on this machine. */
function places({ store, home, urls }: DoctorOptions): Map<string, string> {
  const found = new Map<string, string>();
  if (store instanceof FileStore) found.set("store", store.localPath("runs"));
  if (!urls.postgresUrl || !urls.clickhouseUrl) {
    found.set("embedded databases", home);
    found.set("database engines", cacheFolder());
  }
  return found;
}

/** Runs all checks. Never throws because of what it finds. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const { store, urls, signal, open, onFinding, free } = options;
  const findings: Finding[] = [];
  const add = (finding: Finding) => {
    findings.push(finding);
    onFinding(finding);
  };
  const where = (url: string | undefined) => (url ? "configured" : "embedded");
  add({
    subject: "configuration",
    state: "fine",
    found: `PostgreSQL ${where(urls.postgresUrl)}, ClickHouse ${where(urls.clickhouseUrl)}`,
  });
  add({ subject: "store", ...await checkStore(store).catch(broken) });
  try {
    for (const finding of await checkDisks(places(options), free)) add(finding);
  } catch (error) {
    add({ subject: "disk", ...broken(error) });
  }
  // Each for itself: what is wrong with one must not hide what is wrong with the other.
  const check = async (subject: string, database: "postgres" | "clickhouse") => {
    const examine = async (): Promise<Outcome> => {
      const { postgresUrl, clickhouseUrl, close } = await open(database);
      try {
        return database === "postgres"
          ? await checkPostgres(postgresUrl, signal)
          : await checkClickHouse(clickhouseUrl, signal);
      } finally {
        await close();
      }
    };
    add({ subject, ...await examine().catch(broken) });
  };
  await check("PostgreSQL", "postgres");
  await check("ClickHouse", "clickhouse");
  return findings;
}

/** Doctor: checks everything a run needs, and continues after a failed check. */
import type { DatabaseUrls } from "../connection/database_urls.ts";
import { cacheFolder } from "../embedded/engines/cache_folder.ts";
import { FileStore } from "../store/file_store.ts";
import type { Store } from "../store/store.ts";
import { checkClickHouse, checkPostgres } from "./databases.ts";
import { checkDisks, type MeasureFreeBytes } from "./disk.ts";
import { type CheckResult, failedCheck, type Finding } from "./finding.ts";

/** Options of {@linkcode doctor}: what to check. */
export interface DoctorOptions {
  /** Store of the runs. */
  store: Store;
  /** Folder of the embedded databases. */
  home: string;
  /** Configured database URLs. */
  urls: DatabaseUrls;
  /** Stops the checks. */
  signal: AbortSignal;
  /** Opens one of the databases. Starts the embedded one if no URL is configured. */
  openDatabase(database: "postgres" | "clickhouse"): Promise<
    { postgresUrl: string; clickhouseUrl: string; close(): Promise<void> }
  >;
  /** Called with each finding as soon as it is known. */
  onFinding(finding: Finding): void;
  /** Returns the free bytes of a folder. @default {statfs(2)} */
  measureFreeBytes?: MeasureFreeBytes;
}

async function checkStore(store: Store): Promise<CheckResult> {
  const path = `runs/.doctor-${crypto.randomUUID()}`;
  try {
    await store.writeText(path, "salesflow");
    const text = await store.readText(path);
    if (text !== "salesflow") {
      return { state: "failed", message: `${store.url} does not return what was written to it` };
    }
  } catch (error) {
    return {
      ...failedCheck(error),
      remedy: `Make ${store.url} writable for this user, or choose another --store.`,
    };
  } finally {
    await store.remove(path).catch(() => {});
  }
  return { state: "ok", message: `${store.url} is readable and writable` };
}

/** Returns the folders on this machine that a run writes to, by the names to report. */
function localFolders({ store, home, urls }: DoctorOptions): Map<string, string> {
  const folders = new Map<string, string>();
  if (store instanceof FileStore) folders.set("store", store.localPath("runs"));
  if (!urls.postgresUrl || !urls.clickhouseUrl) {
    folders.set("embedded databases", home);
    folders.set("database engines", cacheFolder());
  }
  return folders;
}

/** Runs all checks and returns their findings. A failed check is a finding, never an error. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const { store, urls, signal, openDatabase, onFinding, measureFreeBytes } = options;
  const findings: Finding[] = [];
  const add = (finding: Finding) => {
    findings.push(finding);
    onFinding(finding);
  };
  const kind = (url: string | undefined) => (url ? "configured" : "embedded");
  add({
    subject: "configuration",
    state: "ok",
    message: `PostgreSQL ${kind(urls.postgresUrl)}, ClickHouse ${kind(urls.clickhouseUrl)}`,
  });
  add({ subject: "store", ...await checkStore(store).catch(failedCheck) });
  try {
    for (const finding of await checkDisks(localFolders(options), measureFreeBytes)) add(finding);
  } catch (error) {
    add({ subject: "disk", ...failedCheck(error) });
  }
  // The databases are opened one by one, so that the failure of one does not hide that of the other.
  const checkDatabase = async (subject: string, database: "postgres" | "clickhouse") => {
    const openAndCheck = async (): Promise<CheckResult> => {
      const { postgresUrl, clickhouseUrl, close } = await openDatabase(database);
      try {
        return database === "postgres"
          ? await checkPostgres(postgresUrl, signal)
          : await checkClickHouse(clickhouseUrl, signal);
      } finally {
        await close();
      }
    };
    add({ subject, ...await openAndCheck().catch(failedCheck) });
  };
  await checkDatabase("PostgreSQL", "postgres");
  await checkDatabase("ClickHouse", "clickhouse");
  return findings;
}

/** Doctor: checks everything a run needs, and continues after a failed check. */
import type { DatabaseUrls } from "../connection/database_urls.ts";
import { cacheFolder } from "../embedded/engines/cache_folder.ts";
import { findMissingEngines } from "../embedded/engines/engines.ts";
import { type EngineName, ENGINES } from "../embedded/engines/packages.ts";
import { FileStore } from "../store/file_store.ts";
import type { Store } from "../store/store.ts";
import { checkClickHouse, checkPostgres } from "./databases.ts";
import { checkDisks, DISK_NEEDS, type DiskNeed, type MeasureDisk } from "./disk.ts";
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
  /** Measures the disk of a folder. @default {statfs(2)} */
  measureDisk?: MeasureDisk;
}

async function checkStore(store: Store): Promise<CheckResult> {
  const path = `runs/.doctor-${crypto.randomUUID()}`;
  try {
    await store.writeText(path, "salesflow");
    const text = await store.readText(path);
    if (text !== "salesflow") {
      return { state: "failed", message: `${store.url} does not return what was written to it` };
    }
  } finally {
    await store.remove(path).catch(() => {});
  }
  return { state: "ok", message: `${store.url} is readable and writable` };
}

/** Returns what a run of the default size needs on the disks of this machine. It writes nothing to the temporary folder. */
async function findDiskNeeds({ store, home, urls }: DoctorOptions): Promise<DiskNeed[]> {
  const needs: DiskNeed[] = [];
  if (store instanceof FileStore) {
    needs.push({
      name: "store",
      folder: store.localPath("runs"),
      bytes: DISK_NEEDS.files,
      setting: "--store",
    });
  }
  const embedded: EngineName[] = ENGINES.filter((engine) => !urls[`${engine}Url`]);
  if (embedded.length === 0) return needs;
  const sum = (bytes: Record<EngineName, number>, engines: readonly EngineName[]) =>
    engines.reduce((total, engine) => total + bytes[engine], 0);
  const bytes = sum(DISK_NEEDS.databases, embedded);
  needs.push({ name: "embedded databases", folder: home, bytes, setting: "--home" });
  const cache = cacheFolder();
  // On a platform without engines, the checks of the databases say so.
  const missing = await findMissingEngines(embedded, cache).catch(() => []);
  if (missing.length > 0) {
    const bytes = sum(DISK_NEEDS.engines, missing);
    needs.push({ name: "database engines", folder: cache, bytes, setting: "SALESFLOW_CACHE" });
  }
  return needs;
}

/** Runs all checks and returns their findings. A failed check is a finding, never an error. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const { store, urls, signal, openDatabase, onFinding, measureDisk } = options;
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
    for (const finding of await checkDisks(await findDiskNeeds(options), measureDisk)) add(finding);
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

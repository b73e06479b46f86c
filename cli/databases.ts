/** The databases of one call of the command: those that are configured, and embedded ones in the place of others. */
import type { DatabaseUrls } from "../lib/connection/database_urls.ts";
import { logger } from "../lib/console/log.ts";
import { startProgress } from "../lib/console/progress.ts";
import { unencryptedServers } from "../lib/connection/unencrypted_servers.ts";

/** URLs of the databases, embedded ones started where none are configured, and how to let go of them. */
export async function openDatabases(
  home: string,
  needs: { postgres?: boolean; clickhouse?: boolean },
  urls: DatabaseUrls,
  signal: AbortSignal,
  draw: boolean,
): Promise<{ postgresUrl: string; clickhouseUrl: string; close(): Promise<void> }> {
  const { postgresUrl = "", clickhouseUrl = "" } = urls;
  const plain = unencryptedServers({
    postgresUrl: needs.postgres ? postgresUrl : "",
    clickhouseUrl: needs.clickhouse ? clickhouseUrl : "",
  });
  if (plain.length > 0) {
    logger("databases").warn("passwords and rows cross the network unencrypted: {servers}", {
      servers: plain.join(", "),
    });
  }
  const missing = {
    postgres: !!needs.postgres && !postgresUrl,
    clickhouse: !!needs.clickhouse && !clickhouseUrl,
  };
  if (!missing.postgres && !missing.clickhouse) return { postgresUrl, clickhouseUrl, close: async () => {} };
  const { startEmbedded } = await import("../lib/embedded/embedded.ts");
  const fetching = startProgress("engines", draw, "bytes");
  const engines = (["postgres", "clickhouse"] as const).filter((engine) => missing[engine]);
  const embedded = await startEmbedded(home, {
    engines,
    signal,
    onProgress: ({ doneBytes, totalBytes }) => fetching.update(doneBytes, totalBytes || undefined),
  }).finally(() => fetching.stop());
  return {
    postgresUrl: postgresUrl || embedded.postgresUrl,
    clickhouseUrl: clickhouseUrl || embedded.clickhouseUrl,
    close: () => embedded.close(),
  };
}

/** The databases of a command: the configured ones, or embedded ones. */
import type { DatabaseUrls } from "../lib/connection/database_urls.ts";
import { logger } from "../lib/console/log.ts";
import { findUnencryptedServers } from "../lib/connection/unencrypted_servers.ts";

/**
 * Returns the URLs of the needed databases, and starts an embedded one for each that has no configured URL. `close()`
 * stops the embedded ones unless other commands use them.
 *
 * @param draw whether to draw a progress bar while engines are downloaded
 */
export async function openDatabases(
  home: string,
  needs: { postgres?: boolean; clickhouse?: boolean },
  urls: DatabaseUrls,
  signal: AbortSignal,
  draw: boolean,
): Promise<{ postgresUrl: string; clickhouseUrl: string; close(): Promise<void> }> {
  const { postgresUrl = "", clickhouseUrl = "" } = urls;
  const unencrypted = findUnencryptedServers({
    postgresUrl: needs.postgres ? postgresUrl : "",
    clickhouseUrl: needs.clickhouse ? clickhouseUrl : "",
  });
  if (unencrypted.length > 0) {
    logger("databases").warn("unencrypted connections send passwords and rows in plain text: {servers}", {
      servers: unencrypted.join(", "),
    });
  }
  const missing = {
    postgres: !!needs.postgres && !postgresUrl,
    clickhouse: !!needs.clickhouse && !clickhouseUrl,
  };
  if (!missing.postgres && !missing.clickhouse) return { postgresUrl, clickhouseUrl, close: async () => {} };
  const { startEmbedded } = await import("../lib/embedded/embedded.ts");
  const { DownloadProgress } = await import("../lib/embedded/engines/download_progress.ts");
  const download = new DownloadProgress(draw);
  const engines = (["postgres", "clickhouse"] as const).filter((engine) => missing[engine]);
  const embedded = await startEmbedded(home, {
    engines,
    signal,
    onProgress: (progress) => download.update(progress),
  }).finally(() => download.stop());
  return {
    postgresUrl: postgresUrl || embedded.postgresUrl,
    clickhouseUrl: clickhouseUrl || embedded.clickhouseUrl,
    close: () => embedded.close(),
  };
}

/** Which connections go over a network in the clear. */
import { parseClickHouseUrl } from "./clickhouse_url.ts";
import type { DatabaseUrls } from "./database_urls.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** This machine, or the folder of a socket on it. */
const LOOPBACK = /^(\/|localhost$|.*\.localhost$|127(\.\d+){3}$|\[?::1\]?$|\[?::ffff:127\.)/i;

/**
 * Servers on other machines whose URLs ask for no encryption, as messages name them, each with what to do. Also those of
 * a private network, where that may be meant: only a person can tell.
 */
export function unencryptedServers({ postgresUrl, clickhouseUrl }: Partial<DatabaseUrls>): string[] {
  const found: string[] = [];
  if (postgresUrl) {
    const { host, ssl, server } = parsePostgresUrl(postgresUrl);
    if (!ssl && !LOOPBACK.test(host)) found.push(`PostgreSQL at ${server} (add sslmode=verify-full)`);
  }
  if (clickhouseUrl) {
    const { url, server } = parseClickHouseUrl(clickhouseUrl);
    const { protocol, hostname } = new URL(url);
    if (protocol === "http:" && !LOOPBACK.test(hostname)) {
      found.push(`ClickHouse at ${server} (use https://)`);
    }
  }
  return found;
}

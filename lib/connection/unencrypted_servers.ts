/** Finds database servers on other machines whose connections are not encrypted. */
import { parseClickHouseUrl } from "./clickhouse_url.ts";
import type { DatabaseUrls } from "./database_urls.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** Loopback hosts, and the folder of a Unix socket. */
const LOOPBACK = /^(\/|localhost$|.*\.localhost$|127(\.\d+){3}$|\[?::1\]?$|\[?::ffff:127\.)/i;

/**
 * Returns the servers on other machines whose URLs do not ask for encryption, formatted for messages, each with what to change.
 * Includes servers in private networks, where this may be intended: a URL does not tell.
 */
export function findUnencryptedServers({ postgresUrl, clickhouseUrl }: Partial<DatabaseUrls>): string[] {
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

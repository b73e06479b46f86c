/** Settings of the embedded PostgreSQL: durable, and tuned to load a million rows on a small machine. */

const SETTINGS: Record<string, string> = {
  // Local connections only, and no socket file: its path may be too long for the system.
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "50",
  password_encryption: "scram-sha-256",
  // Committed data survives a power failure.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // Without replication, COPY into a table created in the same transaction skips the write-ahead log.
  wal_level: "minimal",
  max_wal_senders: "0",
  // Loading a million rows fits between two checkpoints.
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  wal_compression: "on",
  wal_buffers: "16MB",
  shared_buffers: "256MB",
  maintenance_work_mem: "256MB",
  work_mem: "64MB",
  effective_cache_size: "1GB",
  random_page_cost: "1.1", // for SSDs
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C", // startPostgres() parses the log
  cluster_name: "salesflow",
};

/** Returns the settings as arguments of `postgres`. */
export function settingArguments(port: number): string[] {
  return Object.entries({ ...SETTINGS, port: String(port) })
    .flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

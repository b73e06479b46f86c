/**
 * Chooses the user that runs PostgreSQL. PostgreSQL refuses to run as root, so root needs another one:
 *
 * 1. Another user in a user namespace. Outside it the process is still root, so any folder works.
 * 2. Where namespaces are forbidden (most containers): a real unprivileged user, which then owns the data. A folder
 *    that this user cannot enter is replaced by one under /var/lib/salesflow, and a file in it points there.
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";

/** Where root puts files that the other user must reach. */
const SHARED_FOLDER = "/var/lib/salesflow";
/** The conventional ids of the unprivileged user, in case /etc/passwd does not list one. */
const NOBODY = { uid: 65534, gid: 65534 };
/** File that points to the folder used instead. */
const MOVED_FILE = "moved-to.txt";

/** How PostgreSQL's programs are run. */
export interface ServerUser {
  /** Words before the program on the command line. */
  prefix: readonly string[];
  /** Owner of the processes if it is not the current user. */
  identity: { uid?: number; gid?: number };
  /** PostgreSQL's programs, in a folder that this user can enter. */
  programs: string;
  /** Data folder, one that this user can enter. */
  folder: string;
}

async function succeeds(command: readonly string[], identity: ServerUser["identity"] = {}): Promise<boolean> {
  const [program = "", ...args] = command;
  try {
    const { success } = await new Deno.Command(program, {
      args,
      cwd: "/",
      ...identity,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

async function run(...command: string[]): Promise<void> {
  const [program = "", ...args] = command;
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  })
    .output();
  if (!success) {
    throw new SalesflowError(
      `Cannot prepare a folder for PostgreSQL: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}

/** Returns the owner of a file or folder; undefined when it does not exist. */
async function findOwner(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await Deno.stat(path);
    return { uid: uid ?? 0, gid: gid ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Returns the first of `names` listed in /etc/passwd, or {@linkcode NOBODY}. */
async function findUser(...names: string[]): Promise<{ uid: number; gid: number }> {
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  for (const name of names) {
    const found = lines.find((fields) => fields[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  return NOBODY;
}

/** Creates a folder in the shared one that every user can enter, regardless of the umask. */
async function createPublicFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const path of [SHARED_FOLDER, folder]) await Deno.chmod(path, 0o755);
}

/** Returns the programs if `identity` can run them, or a copy that it can run. */
async function reachablePrograms(programs: string, identity: ServerUser["identity"]): Promise<string> {
  if (await succeeds([join(programs, "bin", "postgres"), "--version"], identity)) return programs;
  const copy = join(SHARED_FOLDER, "engines", basename(dirname(programs)));
  if (await findOwner(copy)) return copy;
  const temporary = `${copy}.${Deno.pid}`;
  await createPublicFolder(dirname(copy));
  await run("cp", "-R", programs, temporary);
  await run("chmod", "-R", "a+rX,go-w", temporary);
  await Deno.rename(temporary, copy);
  return copy;
}

/** Returns the path under /var/lib that is used instead of a folder which only root can enter. */
function substitutePath(folder: string): string {
  return join(SHARED_FOLDER, "homes", createHash("sha256").update(folder).digest("hex").slice(0, 16));
}

/** Returns the folder used instead of this one, if there is one. Data left by a deleted home does not count. */
async function findSubstitute(folder: string): Promise<string | undefined> {
  const substitute = substitutePath(folder);
  const isUsed = await findOwner(join(folder, MOVED_FILE)) && await findOwner(join(substitute, "data"));
  return isUsed ? substitute : undefined;
}

/** Returns a folder that `identity` owns and can enter: the requested one or a substitute. */
async function reachableFolder(folder: string, identity: Required<ServerUser["identity"]>): Promise<string> {
  const owner = `${identity.uid}:${identity.gid}`;
  const existing = await findSubstitute(folder);
  if (existing) return existing;
  await run("chown", "-R", owner, folder);
  if (await succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", folder], identity)) return folder;
  if (await findOwner(join(folder, "data"))) {
    throw new SalesflowError(`Cannot run PostgreSQL on ${folder}: user ${identity.uid} cannot enter it`, {
      remedy:
        "Set SALESFLOW_HOME to a folder that every user can enter, or run salesflow as an ordinary user.",
    });
  }
  await run("chown", "-R", `${Deno.uid()}:${Deno.gid()}`, folder);
  const substitute = substitutePath(folder);
  await run("rm", "-rf", substitute);
  await createPublicFolder(dirname(substitute));
  await Deno.mkdir(substitute, { mode: 0o700 });
  await run("chown", owner, substitute);
  await Deno.writeTextFile(join(folder, MOVED_FILE), `${substitute}\n`);
  return substitute;
}

/**
 * Returns a command prefix that runs a program as a named user in a user namespace; undefined where namespaces are
 * forbidden.
 */
async function namespacePrefix(): Promise<string[] | undefined> {
  const { uid, gid } = await findUser("nobody");
  const prefix = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  return await succeeds([...prefix, "true"]) ? prefix : undefined;
}

/** Returns how PostgreSQL is run when the current user is not root: as that user. */
async function currentUser(programs: string, folder: string, uid: number): Promise<ServerUser> {
  const data = join(folder, "data");
  const owner = await findOwner(data);
  if (owner && owner.uid !== uid) {
    throw new SalesflowError(
      `Cannot run PostgreSQL on ${data}: it belongs to user ${owner.uid}, you are ${uid}`,
      { remedy: "Run salesflow as that user, or set SALESFLOW_HOME to another folder." },
    );
  }
  if (await succeeds(["id", "-un"])) return { prefix: [], identity: {}, programs, folder };
  // Containers often run under an id without a user name; PostgreSQL requires a name.
  const prefix = await namespacePrefix();
  if (prefix) return { prefix, identity: {}, programs, folder };
  throw new SalesflowError(`Cannot run PostgreSQL: the system has no name for your user id ${uid}`, {
    remedy: "Add the user to /etc/passwd, or allow user namespaces.",
  });
}

/**
 * Chooses the user that runs PostgreSQL.
 *
 * @param programs folder with PostgreSQL's `bin`, `lib` and `share`
 * @param folder data folder; must exist, and has the cluster in `data` once it was created
 * @throws {SalesflowError} when no user can run PostgreSQL on this folder
 */
export async function chooseServerUser(programs: string, folder: string): Promise<ServerUser> {
  const uid = Deno.uid();
  if (uid === null) throw new SalesflowError("Cannot run PostgreSQL: this system has no user ids");
  if (uid !== 0) return await currentUser(programs, folder, uid);
  const substitute = await findSubstitute(folder);
  const owner = await findOwner(join(substitute ?? folder, "data"));
  const otherOwner = owner && owner.uid !== 0 ? owner : undefined;
  const prefix = otherOwner ? undefined : await namespacePrefix();
  if (prefix) {
    await Deno.chown(folder, 0, Deno.gid()); // an attempt without namespaces may have given it to another user
    return { prefix, identity: {}, programs, folder };
  }
  const identity = otherOwner ?? await findUser("postgres", "nobody");
  return {
    prefix: [],
    identity,
    programs: await reachablePrograms(programs, identity),
    folder: await reachableFolder(folder, identity),
  };
}

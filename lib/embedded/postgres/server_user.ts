/**
 * Who runs PostgreSQL. It refuses to run as root, for good reasons, so that root needs a stand-in:
 *
 * 1. Another user inside a user namespace. Outside it is still root, so that any folder will do.
 * 2. Where namespaces are forbidden (most containers): a real user without privileges, with data that belong
 *    to it. Folders that this user cannot enter are replaced by folders under /var/lib/salesflow, and a file
 *    says so.
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";

/** Where root keeps what another user must reach. */
const SHARED_FOLDER = "/var/lib/salesflow";
/** The user that owns nothing, in case the system does not name one. */
const NOBODY = { uid: 65534, gid: 65534 };
/** Tells in the folder that its content is elsewhere. */
const MOVED = "moved-to.txt";

/** How to run PostgreSQL's programs here. */
export interface ServerUser {
  /** What stands before the program on the command line. */
  prefix: readonly string[];
  /** Whose processes they are, if not ours. */
  identity: { uid?: number; gid?: number };
  /** PostgreSQL's programs, somewhere this user can reach. */
  programs: string;
  /** The folder for its data, likewise. */
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
      `Cannot prepare a place for PostgreSQL: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await Deno.stat(folder);
    return { uid: uid ?? 0, gid: gid ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The first of `names` in /etc/passwd. */
async function findUser(...names: string[]): Promise<{ uid: number; gid: number }> {
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  for (const name of names) {
    const found = lines.find((fields) => fields[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  return NOBODY;
}

/** Makes a folder below the shared one that everybody can enter, whatever the umask. */
async function makeOpenFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const path of [SHARED_FOLDER, folder]) await Deno.chmod(path, 0o755);
}

/** Programs that `identity` can run: where they are, or a copy. */
async function reachablePrograms(programs: string, identity: ServerUser["identity"]): Promise<string> {
  if (await succeeds([join(programs, "bin", "postgres"), "--version"], identity)) return programs;
  const copy = join(SHARED_FOLDER, "engines", basename(dirname(programs)));
  if (await ownerOf(copy)) return copy;
  const fresh = `${copy}.${Deno.pid}`;
  await makeOpenFolder(dirname(copy));
  await run("cp", "-R", programs, fresh);
  await run("chmod", "-R", "a+rX,go-w", fresh);
  await Deno.rename(fresh, copy);
  return copy;
}

/** The folder under /var/lib that stands in for a folder which only root can enter. */
function standIn(folder: string): string {
  return join(SHARED_FOLDER, "homes", createHash("sha256").update(folder).digest("hex").slice(0, 16));
}

/**
 * The folder that stands in for this one, if there is one. What a deleted home has left is not taken for it.
 */
async function standInOf(folder: string): Promise<string | undefined> {
  const away = standIn(folder);
  return await ownerOf(join(folder, MOVED)) && await ownerOf(join(away, "data")) ? away : undefined;
}

/** A folder that `identity` owns and can enter: the wanted one, or one that stands in for it. */
async function reachableFolder(folder: string, identity: Required<ServerUser["identity"]>): Promise<string> {
  const owner = `${identity.uid}:${identity.gid}`;
  const known = await standInOf(folder);
  if (known) return known;
  await run("chown", "-R", owner, folder);
  if (await succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", folder], identity)) return folder;
  if (await ownerOf(join(folder, "data"))) {
    throw new SalesflowError(`Cannot run PostgreSQL on ${folder}: user ${identity.uid} cannot enter it`, {
      remedy:
        "Set SALESFLOW_HOME to a folder that every user can enter, or run salesflow as an ordinary user.",
    });
  }
  await run("chown", "-R", `${Deno.uid()}:${Deno.gid()}`, folder);
  const away = standIn(folder);
  await run("rm", "-rf", away);
  await makeOpenFolder(dirname(away));
  await Deno.mkdir(away, { mode: 0o700 });
  await run("chown", owner, away);
  await Deno.writeTextFile(join(folder, MOVED), `${away}\n`);
  return away;
}

/**
 * A command prefix that makes us another user inside a namespace, one with a name; undefined where it is
 * forbidden.
 */
async function namespace(): Promise<string[] | undefined> {
  const { uid, gid } = await findUser("nobody");
  const prefix = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  return await succeeds([...prefix, "true"]) ? prefix : undefined;
}

/** We are not root: PostgreSQL runs as ourselves. */
async function asOurselves(programs: string, folder: string, self: number): Promise<ServerUser> {
  const data = join(folder, "data");
  const owner = await ownerOf(data);
  if (owner && owner.uid !== self) {
    throw new SalesflowError(
      `Cannot run PostgreSQL on ${data}: it belongs to user ${owner.uid}, you are ${self}`,
      { remedy: "Run salesflow as that user, or set SALESFLOW_HOME to another folder." },
    );
  }
  if (await succeeds(["id", "-un"])) return { prefix: [], identity: {}, programs, folder };
  // Containers often run under an id that nobody has; PostgreSQL insists on a name.
  const prefix = await namespace();
  if (prefix) return { prefix, identity: {}, programs, folder };
  throw new SalesflowError(`Cannot run PostgreSQL: the system has no name for your user id ${self}`, {
    remedy: "Add the user to /etc/passwd, or permit user namespaces.",
  });
}

/**
 * Chooses who runs PostgreSQL.
 *
 * @param programs folder with PostgreSQL's `bin`, `lib` and `share`
 * @param folder where its data are or will be, in `data`; must exist
 */
export async function chooseServerUser(programs: string, folder: string): Promise<ServerUser> {
  const self = Deno.uid();
  if (self === null) throw new SalesflowError("Cannot run PostgreSQL: this system has no user ids");
  if (self !== 0) return await asOurselves(programs, folder, self);
  const away = await standInOf(folder);
  const owner = await ownerOf(join(away ?? folder, "data"));
  const stranger = owner && owner.uid !== 0 ? owner : undefined;
  const prefix = stranger ? undefined : await namespace();
  if (prefix) {
    await Deno.chown(folder, 0, Deno.gid()); // it may be another user's from an attempt without namespaces
    return { prefix, identity: {}, programs, folder };
  }
  const identity = stranger ?? await findUser("postgres", "nobody");
  return {
    prefix: [],
    identity,
    programs: await reachablePrograms(programs, identity),
    folder: await reachableFolder(folder, identity),
  };
}

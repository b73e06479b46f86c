/**
 * Who runs PostgreSQL. It refuses to run as root, for good reasons, so that root needs a stand-in:
 *
 * 1. Another user inside a user namespace. Outside it is still root, so that any folder will do.
 * 2. Where namespaces are forbidden (most containers): a real user without privileges, with data that belong to it.
 *    Folders that this user cannot enter are replaced by folders under /var/lib/salesflow.
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SalesflowError } from "../../errors.ts";

/** Where root keeps what another user must reach. */
const SHARED_FOLDER = "/var/lib/salesflow";
/** The user of most systems that owns nothing; used when there is no `postgres`. */
const NOBODY = 65534;
const NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"];

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
async function findUser(...names: string[]): Promise<{ uid: number; gid: number } | undefined> {
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  for (const name of names) {
    const found = lines.find((fields) => fields[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  return undefined;
}

/** Programs that `identity` can run: where they are, or a copy. */
async function reachablePrograms(programs: string, identity: ServerUser["identity"]): Promise<string> {
  if (await succeeds([join(programs, "bin", "postgres"), "--version"], identity)) return programs;
  const copy = join(SHARED_FOLDER, "engines", basename(dirname(programs)));
  if (await ownerOf(copy)) return copy;
  const fresh = `${copy}.${Deno.pid}`;
  await Deno.mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  await run("cp", "-R", programs, fresh);
  await run("chmod", "-R", "a+rX,go-w", fresh);
  await Deno.rename(fresh, copy);
  return copy;
}

/** A folder that `identity` owns and can enter: the wanted one, or one under /var/lib. */
async function reachableFolder(folder: string, identity: Required<ServerUser["identity"]>): Promise<string> {
  const owner = `${identity.uid}:${identity.gid}`;
  const entered = ["/bin/sh", "-c", 'cd "$1"', "sh"];
  const away = sharedFolder(folder);
  if (!await ownerOf(join(away, "data"))) {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await run("chown", "-R", owner, folder);
    if (await succeeds([...entered, folder], identity)) return folder;
    if (await ownerOf(join(folder, "data"))) {
      throw new SalesflowError(`Cannot run PostgreSQL on ${folder}: user ${identity.uid} cannot enter it`, {
        remedy:
          "Set SALESFLOW_HOME to a folder that every user can enter, or run salesflow as an ordinary user.",
      });
    }
    await run("chown", "-R", `${Deno.uid()}:${Deno.gid()}`, folder);
  }
  await Deno.mkdir(dirname(away), { recursive: true, mode: 0o755 });
  await Deno.mkdir(away, { recursive: true, mode: 0o700 });
  await run("chown", "-R", owner, away);
  return away;
}

/** The folder under /var/lib that stands in for a folder which only root can enter. */
function sharedFolder(folder: string): string {
  return join(SHARED_FOLDER, "homes", createHash("sha256").update(folder).digest("hex").slice(0, 16));
}

/**
 * Chooses who runs PostgreSQL.
 *
 * @param programs folder with PostgreSQL's `bin`, `lib` and `share`
 * @param folder where its data are or will be, in `data`
 */
export async function chooseServerUser(programs: string, folder: string): Promise<ServerUser> {
  const data = join(folder, "data");
  const owner = await ownerOf(data);
  const self = Deno.uid();
  if (self !== 0) {
    if (owner && owner.uid !== self) {
      throw new SalesflowError(
        `Cannot run PostgreSQL on ${data}: it belongs to user ${owner.uid}, you are ${self}`,
        {
          remedy: "Run salesflow as that user, or set SALESFLOW_HOME to another folder.",
        },
      );
    }
    return { prefix: [], identity: {}, programs, folder };
  }
  const elsewhere = await ownerOf(join(sharedFolder(folder), "data"));
  const inNamespace = (owner === undefined || owner.uid === 0) && !elsewhere;
  if (inNamespace && await succeeds([...NAMESPACE, "true"])) {
    return { prefix: NAMESPACE, identity: {}, programs, folder };
  }
  const stranger = elsewhere ?? (owner && owner.uid !== 0 ? owner : await findUser("postgres", "nobody"));
  const identity = stranger ?? { uid: NOBODY, gid: NOBODY };
  return {
    prefix: [],
    identity,
    programs: await reachablePrograms(programs, identity),
    folder: await reachableFolder(folder, identity),
  };
}

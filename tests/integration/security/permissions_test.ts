import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { compileArguments } from "../../../cli/compile.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS } from "../../../cli/program.ts";
import { ensureEngines } from "../../../lib/embedded/engines/engines.ts";
import { type CommandResult, runOnTerminal, type Servers, start, startServers } from "../../cli/command.ts";
import { Authority, type SecureServer } from "./authority.ts";
import { Service } from "./service.ts";

/** Permissions of the default executable. */
const ALL_PERMISSIONS = [...PERMISSIONS, ...EMBEDDED_PERMISSIONS];
const AS_OF = "2026-11-24";
const TOKEN = "marked-token-19cd";

/** What the program may ask of the system; cli/program.ts denies the rest by name. */
const ALLOWED_SYS = ["ca", "gid", "homedir", "osRelease", "statfs", "uid"];

/** Splits flags into single grants, such as `--allow-read` and `--allow-sys=uid`. */
function toGrants(flags: readonly string[]): string[] {
  return flags.filter((flag) => !/^--(no-prompt|deny-sys=)/.test(flag)).flatMap((flag) => {
    if (flag === "--allow-sys") return ALLOWED_SYS.map((kind) => `--allow-sys=${kind}`);
    const [name, values] = flag.split("=");
    return values ? values.split(",").map((value) => `${name}=${value}`) : [flag];
  });
}

/** Returns the flags without one grant. */
function withoutGrant(flags: readonly string[], grant: string): string[] {
  const granted = toGrants(flags).filter((flag) => flag !== grant);
  const isCa = (flag: string) => flag === "--allow-sys=ca";
  if (!granted.some(isCa)) return ["--no-prompt", ...granted];
  // Deno's command line does not know `ca`: it is granted with everything that is not denied.
  const sys = granted.filter((flag) => flag.startsWith("--allow-sys="));
  const denied = flags.filter((flag) => flag.startsWith("--deny-sys="));
  const alsoDenied = ALLOWED_SYS.filter((kind) => !sys.includes(`--allow-sys=${kind}`)).map((kind) =>
    `--deny-sys=${kind}`
  );
  return [
    "--no-prompt",
    ...granted.filter((flag) => !sys.includes(flag)),
    "--allow-sys",
    ...denied,
    ...alsoDenied,
  ];
}

const NO_RUNS = `<ListBucketResult><Name>shop</Name><KeyCount>0</KeyCount></ListBucketResult>`;

let folder: string;
let servers: Servers;
let bucket: Service;
let registry: Service;
let authority: Authority;
let secure: SecureServer;
let serverUrls: Record<string, string>;
let denoFolder: string;

beforeAll(async () => {
  await ensureEngines();
  folder = await Deno.makeTempDir({ prefix: "salesflow-permissions-" });
  servers = await startServers(join(folder, "home"), ALL_PERMISSIONS);
  serverUrls = {
    SALESFLOW_POSTGRES_URL: servers.postgresUrl,
    SALESFLOW_CLICKHOUSE_URL: servers.clickhouseUrl,
  };
  bucket = new Service(() => new Response(NO_RUNS, { headers: { "content-type": "application/xml" } }));
  registry = new Service(() => new Response("no", { status: 404 }));
  authority = await Authority.create(folder, "authority");
  secure = await authority.serve(() =>
    new Response(NO_RUNS, { headers: { "content-type": "application/xml" } })
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  denoFolder = JSON.parse(new TextDecoder().decode(stdout)).denoDir;
});
afterAll(async () => {
  assertEquals(await servers.stop(), 0);
  await bucket.close();
  await registry.close();
  await secure.close();
  await Deno.remove(folder, { recursive: true });
});

async function run(
  permissions: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  // Another HOME has a cache of its own, wherever that of the person who runs the tests is.
  const cache = env.HOME === undefined ? {} : { XDG_CACHE_HOME: "" };
  return await start(args, { DENO_DIR: denoFolder, ...cache, ...env }, { permissions }).ended;
}

async function runInTerminal(
  permissions: readonly string[],
  args: readonly string[],
  env: Record<string, string>,
): Promise<CommandResult> {
  const { code, screen } = await runOnTerminal(args, { DENO_DIR: denoFolder, ...env }, { permissions });
  return { code, stdout: screen, stderr: "" };
}

/** Returns the arguments of each child process. */
function readChildArguments(pid: number): string[][] {
  const ids = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
  return ids.map((id) => Deno.readTextFileSync(`/proc/${id}/cmdline`).split("\0"));
}

const HEADER = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";

/** All commands, in an order in which each has its inputs. */
const COMMANDS: string[][] = [
  ["doctor"],
  ["migrate"],
  ["generate", "--rows", "500"],
  ["clean"],
  ["load"],
  ["aggregate"],
  ["transfer"],
  ["verify"],
  ["report"],
  ["run", "--rows", "500", "--run-id", "whole"],
  ["ingest", "EXPORT", "--run-id", "export"],
  ["status"],
  ["sql", "postgres", "SELECT count(*) FROM shop.sales"],
  ["sql", "clickhouse", "SELECT count() FROM shop.sales_aggregates"],
];

describe("the permissions in cli/program.ts", () => {
  const kinds: [kind: string, permissions: readonly string[], env: () => Record<string, string>][] = [
    ["PERMISSIONS, with configured servers", PERMISSIONS, () => serverUrls],
    // `up` runs the servers of this home, with the same permissions.
    ["EMBEDDED_PERMISSIONS too, with embedded databases", ALL_PERMISSIONS, () => ({})],
  ];
  for (const [kind, permissions, env] of kinds) {
    it(`are sufficient for every command: ${kind}`, async () => {
      const home = join(folder, permissions === PERMISSIONS ? "store" : "home");
      const file = join(folder, "export.csv");
      await Deno.writeTextFile(file, `${HEADER}\n1,501,7,2,${AS_OF},10.50,North\n`);
      for (const command of COMMANDS) {
        const args = command.map((word) => word === "EXPORT" ? file : word);
        const dated = ["doctor", "status", "sql"].includes(command[0]!) ? [] : ["--as-of", AS_OF];
        const { code, stderr } = await run(permissions, [...args, ...dated, "--home", home], env());
        assertEquals(code, 0, `${command.join(" ")}: ${stderr}`);
      }
    });
  }

  it("are exactly those of the program in the image target `source`", async () => {
    const bin = join(folder, "bin");
    const install = ["run", "-A", "--no-config", "--no-lock", "k8s/salesflow/install.ts", bin];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: install,
      env: { DENO_DIR: denoFolder },
      cwd: new URL("../../../", import.meta.url),
      stdout: "null",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const script = await Deno.readTextFile(join(bin, "salesflow"));
    const words = script.replaceAll("'", "").split(" ");
    const actual = words.filter((word) => /^(-A|-[A-Z]|--(allow|deny|ignore|no-prompt)\b.*)$/.test(word));
    assertEquals(actual, PERMISSIONS);
    await Deno.symlink(Deno.execPath(), join(bin, "deno"));
    const { stdout } = await new Deno.Command(join(bin, "salesflow"), {
      args: ["sql", "postgres", "SELECT 1 AS one", "--format=csv"],
      clearEnv: true,
      env: { ...serverUrls, PATH: "/bin:/usr/bin" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "one\n1\n");
  });

  it("are those of the executable, with and without embedded databases", () => {
    const flags = (args: string[]) =>
      compileArguments(args).filter((arg) => /^(-A|--(allow|deny|ignore|no-prompt))/.test(arg));
    assertEquals(flags([]), ALL_PERMISSIONS);
    assertEquals(flags(["--servers-only", "--output", "x"]), PERMISSIONS);
    assertEquals(flags(["-o", "x"]), ALL_PERMISSIONS);
  });

  it("are exactly those of the tasks demo and salesflow; no task runs cli/main.ts with more", async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));
    for (const { command } of Object.values<{ command: string }>(tasks)) {
      assert(!command.includes("cli/main.ts"), command);
    }
    assertMatch(tasks.demo.command, /cli\/from_source\.ts run$/);
    assertMatch(tasks.salesflow.command, /cli\/from_source\.ts$/);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-config",
        "--no-lock",
        "cli/from_source.ts",
        "up",
        "--home",
        join(folder, "task"),
      ],
      cwd: new URL("../../../", import.meta.url),
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    try {
      // Once it has printed something, the program runs as a child of the wrapper.
      assert(!(await reader.read()).done);
      const lines = readChildArguments(child.pid);
      const line = lines.find((words) => words.includes("cli/main.ts"));
      assert(line, lines.join("\n"));
      const actual = line.filter((word) => /^(-A|--(allow|deny|ignore|no-prompt))/.test(word));
      assertEquals(actual, [...ALL_PERMISSIONS, "--allow-env=INIT_CWD"]);
    } finally {
      child.kill("SIGINT");
      assertEquals((await child.status).code, 0);
      await reader.cancel();
    }
  });

  it("are restricted by name where possible", async () => {
    for (const flag of ALL_PERMISSIONS) {
      assert(!/^(-A|--allow-all|--allow-(env|import|hrtime))$/.test(flag), `${flag} is too broad`);
    }
    const kinds = [
      ...[
        "ca",
        "cpus",
        "getPriority",
        "getegid",
        "gid",
        "homedir",
        "hostname",
        "loadavg",
        "networkInterfaces",
        "osRelease",
      ],
      ...["osUptime", "setPriority", "statfs", "systemMemoryInfo", "uid", "userInfo", "username"],
    ];
    const script = join(folder, "sys.ts");
    const query = `Deno.permissions.querySync({ name: "sys", kind }).state === "granted"`;
    await Deno.writeTextFile(
      script,
      `console.log(JSON.stringify(${JSON.stringify(kinds)}.filter((kind) => ${query})))`,
    );
    for (const flags of [PERMISSIONS, ALL_PERMISSIONS]) {
      const args = ["run", "--no-config", "--no-check", ...flags, script];
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      assertEquals(
        new TextDecoder().decode(stdout),
        `${JSON.stringify(ALLOWED_SYS)}\n`,
        new TextDecoder().decode(stderr),
      );
    }
    for (const flag of ["--allow-run", "--allow-ffi"]) assert(!toGrants(PERMISSIONS).includes(flag));
  });
});

/** A use of a grant, and how to check that it worked. */
interface Case {
  grant: string;
  args: () => string[];
  env?: () => Record<string, string> | Promise<Record<string, string>>;
  /** Returns whether it worked; by default, whether the exit code is 0. */
  works?: (ended: CommandResult) => boolean | Promise<boolean>;
  /** Runs on a terminal; what it shows is the result's stdout. */
  terminal?: boolean;
  /** What is granted at all; by default, the list that the grant is in. */
  granted?: readonly string[];
  /** Applies to root only. */
  asRoot?: boolean;
}

let homes = 0;
/** Creates a user's home with the given files. */
async function createUserHome(files: Record<string, string> = {}): Promise<string> {
  const home = join(folder, `user-${homes++}`);
  await Deno.mkdir(join(home, ".aws"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(home, name), text);
  return home;
}

const inBucket = () => ["status", "--store", "s3://shop"];
const s3 = () => ({ SALESFLOW_S3_ENDPOINT: `http://${bucket.host}`, SALESFLOW_RETRIES: "0" });
const keys = { AWS_ACCESS_KEY_ID: "keeper", AWS_SECRET_ACCESS_KEY: TOKEN };
const exitsWithZero = ({ code }: CommandResult) => code === 0;
const usedKeys = ({ code }: CommandResult) =>
  code === 0 && !!bucket.authorizations.at(-1)?.includes("keeper");

/** Returns the arguments that start the host of an engine, as the executable does. */
function hostArguments(engine: "postgres" | "clickhouse"): () => string[] {
  return () => {
    const home = join(folder, `host-${homes++}`);
    Deno.mkdirSync(join(home, "embedded", engine), { recursive: true });
    return ["embedded-host", JSON.stringify({ home, engine, path: enginePaths[engine] })];
  };
}
const enginePaths = await ensureEngines();
const isReady = ({ stdout }: CommandResult) => stdout === '{"ready":true}\n';

/** Needs an engine that is not in the cache, so it queries the registry, which responds with 404. */
const downloadArguments = () => ["sql", "clickhouse", "SELECT 1", "--home", join(folder, `fetch-${homes++}`)];
const unreachableRegistry = { ".npmrc": "@chdb:registry=http://127.0.0.1:1/\n" };
const wasQueried = () => registry.authorizations.length > 0;

/** Fails with an error message that is red unless the environment says otherwise. */
const withoutColour: Pick<Case, "args" | "works" | "terminal"> = {
  args: () => ["status", "--store", "gs://bucket"],
  works: ({ stdout }) => stdout.startsWith("error: Cannot open the store"),
  terminal: true,
};

const CASES: Case[] = [
  { grant: "--allow-read", args: () => ["status", "--home", join(folder, "home")] },
  { grant: "--allow-write", args: () => ["generate", "--rows", "10", "--home", join(folder, "written")] },
  { grant: "--allow-net", args: () => ["sql", "postgres", "SELECT 1"], env: () => serverUrls },
  { grant: "--allow-env=SALESFLOW_*", args: () => ["sql", "postgres", "SELECT 1"], env: () => serverUrls },
  { grant: "--allow-env=AWS_*", args: inBucket, env: () => ({ ...s3(), ...keys }), works: usedKeys },
  { grant: "--allow-env=TERM", ...withoutColour, env: () => ({ TERM: "dumb" }) },
  { grant: "--allow-env=CI", ...withoutColour, env: () => ({ CI: "true" }) },
  { grant: "--ignore-env", args: inBucket, env: () => ({ ...s3(), ...keys }), works: usedKeys },
  {
    grant: "--allow-sys=ca",
    args: inBucket,
    env: () => ({
      ...keys,
      SALESFLOW_S3_ENDPOINT: `https://${secure.host}`,
      SALESFLOW_RETRIES: "0",
      NODE_EXTRA_CA_CERTS: authority.certificate,
      AWS_CA_BUNDLE: "",
    }),
  },
  {
    grant: "--allow-sys=gid",
    args: hostArguments("postgres"),
    granted: ALL_PERMISSIONS,
    works: isReady,
    asRoot: true,
  },
  { grant: "--allow-sys=osRelease", args: inBucket, env: () => ({ ...s3(), ...keys }), works: usedKeys },
  { grant: "--allow-sys=uid", args: inBucket, env: () => ({ ...s3(), ...keys }), works: usedKeys },
  {
    grant: "--allow-sys=homedir",
    args: inBucket,
    env: async () => {
      const profile = `[default]\naws_access_key_id=keeper\naws_secret_access_key=${TOKEN}\n`;
      return { ...s3(), HOME: await createUserHome({ ".aws/credentials": profile }) };
    },
    works: usedKeys,
  },
  {
    grant: "--allow-sys=statfs",
    args: () => ["doctor", "--home", join(folder, "home")],
    env: () => serverUrls,
  },
];

const EMBEDDED_CASES: Case[] = [
  { grant: "--allow-run", args: hostArguments("postgres"), works: isReady },
  { grant: "--allow-ffi", args: hostArguments("clickhouse"), works: isReady },
  {
    grant: "--allow-env=HOME",
    args: downloadArguments,
    env: async () => ({
      HOME: await createUserHome(),
      "npm_config_@chdb:registry": `http://${registry.host}/`,
    }),
    works: wasQueried,
  },
  {
    grant: "--allow-env=npm_config_*",
    args: downloadArguments,
    env: async () => ({
      HOME: await createUserHome(unreachableRegistry),
      "npm_config_@chdb:registry": `http://${registry.host}/`,
    }),
    works: wasQueried,
  },
  {
    grant: "--allow-env=NPM_*",
    args: downloadArguments,
    env: async () => ({
      HOME: await createUserHome(unreachableRegistry),
      "NPM_CONFIG_@chdb:registry": `http://${registry.host}/`,
    }),
    works: wasQueried,
  },
  {
    grant: "--allow-env=NODE_AUTH_TOKEN",
    args: downloadArguments,
    env: async () => {
      const npmrc = `@chdb:registry=http://${registry.host}/\n` +
        `//${registry.host}/:_authToken=\${NODE_AUTH_TOKEN}\n`;
      return { HOME: await createUserHome({ ".npmrc": npmrc }), NODE_AUTH_TOKEN: TOKEN };
    },
    works: () => registry.authorizations.includes(`Bearer ${TOKEN}`),
  },
  {
    grant: "--allow-env=XDG_CACHE_HOME",
    args: downloadArguments,
    env: async () => {
      cache = join(folder, `cache-${homes++}`);
      const npmrc = `@chdb:registry=http://${registry.host}/\n`;
      return { HOME: await createUserHome({ ".npmrc": npmrc }), XDG_CACHE_HOME: cache };
    },
    works: () => Deno.stat(join(cache, "salesflow")).then(() => true, () => false),
  },
  {
    grant: "--allow-env=PATH",
    args: hostArguments("postgres"),
    // A wrapper of setpriv ahead of the system's on the PATH, which records the PATH that it receives.
    env: async () => {
      tools = await createUserHome();
      const text =
        `#!/bin/sh\necho "$(/usr/bin/printenv PATH)" >> '${tools}/calls'\nexec /usr/bin/setpriv "$@"\n`;
      await Deno.writeTextFile(join(tools, "setpriv"), text, { mode: 0o755 });
      return { PATH: `${tools}:${Deno.env.get("PATH")}` };
    },
    // Called twice: to check that it works, with the command's environment, and to start PostgreSQL. Without the grant the
    // second call lacks the PATH, and as root it even misses the wrapper, which another tool looks for then.
    works: async (ended) => {
      const paths = (await Deno.readTextFile(join(tools, "calls"))).trimEnd().split("\n");
      return isReady(ended) && paths.length === 2 && paths.every((path) => path.startsWith(`${tools}:`));
    },
  },
];
let cache = "";
let tools = "";

describe("each permission", () => {
  const lists: [name: string, flags: readonly string[], granted: readonly string[], cases: Case[]][] = [
    ["PERMISSIONS", PERMISSIONS, PERMISSIONS, CASES],
    ["EMBEDDED_PERMISSIONS", EMBEDDED_PERMISSIONS, ALL_PERMISSIONS, EMBEDDED_CASES],
  ];
  for (const [name, flags, granted, cases] of lists) {
    it(`of ${name} has a test case`, () => {
      assertEquals(cases.map(({ grant }) => grant).sort(), toGrants(flags).sort());
    });

    for (const { grant, args, env = () => ({}), works = exitsWithZero, terminal, asRoot, ...each } of cases) {
      (asRoot && Deno.uid() !== 0 ? it.skip : it)(`is necessary: ${grant}`, async () => {
        for (
          const [permissions, expected] of [
            [each.granted ?? granted, true],
            [withoutGrant(each.granted ?? granted, grant), false],
          ] as const
        ) {
          registry.authorizations.length = 0;
          const ended = await (terminal ? runInTerminal : run)(permissions, args(), await env());
          assertEquals(await works(ended), expected, `${expected ? "with" : "without"}: ${ended.stderr}`);
        }
      });
    }
  }
});

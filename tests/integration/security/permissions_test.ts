import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { compileArguments } from "../../../cli/compile.ts";
import { EMBEDDED_PERMISSIONS, PERMISSIONS } from "../../../cli/program.ts";
import { ensureEngines } from "../../../lib/embedded/engines/engines.ts";
import { type Ended, type Servers, start, startServers } from "../../cli/command.ts";
import { Service } from "./service.ts";

/** As the executable is compiled by default. */
const EVERYTHING = [...PERMISSIONS, ...EMBEDDED_PERMISSIONS];
const AS_OF = "2026-11-24";
const TOKEN = "marked-token-19cd";

/** Every single thing that a list of flags allows, such as `--allow-read` and `--allow-sys=uid`. */
function grantsOf(flags: readonly string[]): string[] {
  return flags.filter((flag) => flag !== "--no-prompt").flatMap((flag) => {
    const [name, values] = flag.split("=");
    return values ? values.split(",").map((value) => `${name}=${value}`) : [flag];
  });
}

function without(flags: readonly string[], grant: string): string[] {
  return ["--no-prompt", ...grantsOf(flags).filter((flag) => flag !== grant)];
}

const NO_RUNS = `<ListBucketResult><Name>shop</Name><KeyCount>0</KeyCount></ListBucketResult>`;

let folder: string;
let servers: Servers;
let bucket: Service;
let registry: Service;
let ours: Record<string, string>;
let denoFolder: string;

beforeAll(async () => {
  await ensureEngines();
  folder = await Deno.makeTempDir({ prefix: "salesflow-permissions-" });
  servers = await startServers(join(folder, "home"), EVERYTHING);
  ours = {
    SALESFLOW_POSTGRES_URL: servers.postgresUrl,
    SALESFLOW_CLICKHOUSE_URL: servers.clickhouseUrl,
  };
  bucket = new Service(() => new Response(NO_RUNS, { headers: { "content-type": "application/xml" } }));
  registry = new Service(() => new Response("no", { status: 404 }));
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  denoFolder = JSON.parse(new TextDecoder().decode(stdout)).denoDir;
});
afterAll(async () => {
  assertEquals(await servers.stop(), 0);
  await bucket.close();
  await registry.close();
  await Deno.remove(folder, { recursive: true });
});

async function run(
  permissions: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  return await start(args, { DENO_DIR: denoFolder, ...env }, { permissions }).ended;
}

/** The command lines of a process's children, in words. */
function childrenOf(pid: number): string[][] {
  const ids = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
  return ids.map((id) => Deno.readTextFileSync(`/proc/${id}/cmdline`).split("\0"));
}

const HEADER = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";

/** Every command, in an order in which each finds what it needs. */
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
    ["PERMISSIONS, with servers of one's own", PERMISSIONS, () => ours],
    // `up` serves the home meanwhile, with the same permissions.
    ["EMBEDDED_PERMISSIONS too, with embedded databases", EVERYTHING, () => ({})],
  ];
  for (const [kind, permissions, env] of kinds) {
    it(`are enough for every command: ${kind}`, async () => {
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

  it("are those of the program in the image `source`, and no others", async () => {
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
    const given = words.filter((word) => /^(-A|-[A-Z]|--(allow|deny|ignore|no-prompt)\b.*)$/.test(word));
    assertEquals(given, PERMISSIONS);
    await Deno.symlink(Deno.execPath(), join(bin, "deno"));
    const { stdout } = await new Deno.Command(join(bin, "salesflow"), {
      args: ["sql", "postgres", "SELECT 1 AS one", "--format=csv"],
      clearEnv: true,
      env: { ...ours, PATH: "/bin:/usr/bin" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "one\n1\n");
  });

  it("are those of the executable, with and without embedded databases", () => {
    const flags = (given: string[]) =>
      compileArguments(given).filter((arg) => /^(-A|--(allow|deny|ignore|no-prompt))/.test(arg));
    assertEquals(flags([]), EVERYTHING);
    assertEquals(flags(["--servers-only", "--output", "x"]), PERMISSIONS);
    assertEquals(flags(["-o", "x"]), EVERYTHING);
  });

  it("are those of the tasks demo and salesflow, and of nobody who calls cli/main.ts with all", async () => {
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
      // It has said something, so that the program runs; its command line is that of the wrapper's child.
      assert(!(await reader.read()).done);
      const lines = childrenOf(child.pid);
      const line = lines.find((words) => words.includes("cli/main.ts"));
      assert(line, lines.join("\n"));
      const given = line.filter((word) => /^(-A|--(allow|deny|ignore|no-prompt))/.test(word));
      assertEquals(given, [...EVERYTHING, "--allow-env=INIT_CWD,TERM"]);
    } finally {
      child.kill("SIGINT");
      assertEquals((await child.status).code, 0);
      await reader.cancel();
    }
  });

  it("allow no more than what is named", () => {
    for (const flag of EVERYTHING) {
      assert(!/^(-A|--allow-all|--allow-(env|sys|import|hrtime))$/.test(flag), `${flag} is too much`);
    }
    for (const flag of ["--allow-run", "--allow-ffi"]) assert(!grantsOf(PERMISSIONS).includes(flag));
  });
});

/** What a person does, and how one sees that it worked. */
interface Case {
  grant: string;
  args: () => string[];
  env?: () => Record<string, string> | Promise<Record<string, string>>;
  /** Exit code 0 by default. */
  works?: (ended: Ended) => boolean | Promise<boolean>;
  /** Only root gets there. */
  asRoot?: boolean;
}

let homes = 0;
/** A home of a person, with files in it; relative to the tests' folder. */
async function person(files: Record<string, string> = {}): Promise<string> {
  const home = join(folder, `person-${homes++}`);
  await Deno.mkdir(join(home, ".aws"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(home, name), text);
  return home;
}

const inBucket = () => ["status", "--store", "s3://shop"];
const s3 = () => ({ SALESFLOW_S3_ENDPOINT: `http://${bucket.host}`, SALESFLOW_RETRIES: "0" });
const keys = { AWS_ACCESS_KEY_ID: "keeper", AWS_SECRET_ACCESS_KEY: TOKEN };
const succeeds = ({ code }: Ended) => code === 0;
const asKeeper = ({ code }: Ended) => code === 0 && !!bucket.authorizations.at(-1)?.includes("keeper");

/** Starts an engine as the executable does, which is host and command in one. */
function host(engine: "postgres" | "clickhouse"): () => string[] {
  return () => {
    const home = join(folder, `host-${homes++}`);
    Deno.mkdirSync(join(home, "embedded", engine), { recursive: true });
    return ["embedded-host", JSON.stringify({ home, engine, path: enginePaths[engine] })];
  };
}
const enginePaths = await ensureEngines();
const ready = ({ stdout }: Ended) => stdout === '{"ready":true}\n';

/** Wants an engine that is not in the cache, from a registry that has none. */
const fetching = () => ["sql", "clickhouse", "SELECT 1", "--home", join(folder, `fetch-${homes++}`)];
const elsewhere = { ".npmrc": "@chdb:registry=http://127.0.0.1:1/\n" };
const asked = () => registry.authorizations.length > 0;

const CASES: Case[] = [
  { grant: "--allow-read", args: () => ["status", "--home", join(folder, "home")] },
  { grant: "--allow-write", args: () => ["generate", "--rows", "10", "--home", join(folder, "written")] },
  { grant: "--allow-net", args: () => ["sql", "postgres", "SELECT 1"], env: () => ours },
  { grant: "--allow-env=SALESFLOW_*", args: () => ["sql", "postgres", "SELECT 1"], env: () => ours },
  { grant: "--allow-env=AWS_*", args: inBucket, env: () => ({ ...s3(), ...keys }), works: asKeeper },
  { grant: "--ignore-env", args: inBucket, env: () => ({ ...s3(), ...keys }), works: asKeeper },
  { grant: "--allow-sys=osRelease", args: inBucket, env: () => ({ ...s3(), ...keys }), works: asKeeper },
  { grant: "--allow-sys=uid", args: inBucket, env: () => ({ ...s3(), ...keys }), works: asKeeper },
  {
    grant: "--allow-sys=homedir",
    args: inBucket,
    env: async () => {
      const profile = `[default]\naws_access_key_id=keeper\naws_secret_access_key=${TOKEN}\n`;
      return { ...s3(), HOME: await person({ ".aws/credentials": profile }) };
    },
    works: asKeeper,
  },
  {
    grant: "--allow-sys=statfs",
    args: () => ["doctor", "--home", join(folder, "home")],
    env: () => ours,
  },
];

const EMBEDDED_CASES: Case[] = [
  { grant: "--allow-run", args: host("postgres"), works: ready },
  { grant: "--allow-ffi", args: host("clickhouse"), works: ready },
  { grant: "--allow-sys=gid", args: host("postgres"), works: ready, asRoot: true },
  {
    grant: "--allow-env=HOME",
    args: fetching,
    env: async () => ({ HOME: await person(), "npm_config_@chdb:registry": `http://${registry.host}/` }),
    works: asked,
  },
  {
    grant: "--allow-env=npm_config_*",
    args: fetching,
    env: async () => ({
      HOME: await person(elsewhere),
      "npm_config_@chdb:registry": `http://${registry.host}/`,
    }),
    works: asked,
  },
  {
    grant: "--allow-env=NPM_*",
    args: fetching,
    env: async () => ({
      HOME: await person(elsewhere),
      "NPM_CONFIG_@chdb:registry": `http://${registry.host}/`,
    }),
    works: asked,
  },
  {
    grant: "--allow-env=NODE_AUTH_TOKEN",
    args: fetching,
    env: async () => {
      const npmrc = `@chdb:registry=http://${registry.host}/\n` +
        `//${registry.host}/:_authToken=\${NODE_AUTH_TOKEN}\n`;
      return { HOME: await person({ ".npmrc": npmrc }), NODE_AUTH_TOKEN: TOKEN };
    },
    works: () => registry.authorizations.includes(`Bearer ${TOKEN}`),
  },
  {
    grant: "--allow-env=XDG_CACHE_HOME",
    args: fetching,
    env: async () => {
      cache = join(folder, `cache-${homes++}`);
      const npmrc = `@chdb:registry=http://${registry.host}/\n`;
      return { HOME: await person({ ".npmrc": npmrc }), XDG_CACHE_HOME: cache };
    },
    works: () => Deno.stat(join(cache, "salesflow")).then(() => true, () => false),
  },
  {
    grant: "--allow-env=PATH",
    args: host("postgres"),
    // A tool of the person's own, ahead of the system's: it notes who looks for it there.
    env: async () => {
      const tools = await person();
      notes = join(tools, "notes");
      const text = `#!/bin/sh\necho found >> '${notes}'\nexec /usr/bin/setpriv "$@"\n`;
      await Deno.writeTextFile(join(tools, "setpriv"), text, { mode: 0o755 });
      return { PATH: `${tools}:${Deno.env.get("PATH")}` };
    },
    // Once to see whether it works, which has our own environment anyhow; then by PostgreSQL's.
    works: async (ended) => ready(ended) && (await Deno.readTextFile(notes)) === "found\nfound\n",
  },
];
let cache = "";
let notes = "";

describe("each permission", () => {
  const lists: [name: string, flags: readonly string[], granted: readonly string[], cases: Case[]][] = [
    ["PERMISSIONS", PERMISSIONS, PERMISSIONS, CASES],
    ["EMBEDDED_PERMISSIONS", EMBEDDED_PERMISSIONS, EVERYTHING, EMBEDDED_CASES],
  ];
  for (const [name, flags, granted, cases] of lists) {
    it(`of ${name} has a case here`, () => {
      assertEquals(cases.map(({ grant }) => grant).sort(), grantsOf(flags).sort());
    });

    for (const { grant, args, env = () => ({}), works = succeeds, asRoot } of cases) {
      (asRoot && Deno.uid() !== 0 ? it.skip : it)(`is needed: ${grant}`, async () => {
        for (const [permissions, expected] of [[granted, true], [without(granted, grant), false]] as const) {
          registry.authorizations.length = 0;
          const ended = await run(permissions, args(), await env());
          assertEquals(await works(ended), expected, `${expected ? "with" : "without"}: ${ended.stderr}`);
        }
      });
    }
  }
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Embedded, startEmbedded } from "../../../lib/embedded/embedded.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { processesOf, start } from "../../faults/command.ts";

/** Stands in every password; what follows it has to be encoded in a URL. */
const MARK = "marked-5f1c09";
const PASSWORD = `${MARK}/é "!`;
const USER = "keeper";
const ENCODED = encodeURIComponent(PASSWORD);
/** The password in the clear or percent-encoded, and as HTTP sends it. */
const FORMS = [
  MARK,
  Buffer.from(MARK).toString("base64").slice(0, 14),
  Buffer.from(`${USER}:${PASSWORD}`).toString("base64"),
];

function shows(text: string): boolean {
  return FORMS.some((form) => text.includes(form));
}

/** Every file under a folder that shows the password. */
function filesThatShow(folder: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...filesThatShow(path));
    else if (shows(name) || shows(new TextDecoder("latin1").decode(Deno.readFileSync(path)))) {
      found.push(path);
    }
  }
  return found;
}

function withUser(url: string, password = ENCODED, user = USER): string {
  const result = new URL(url);
  Object.assign(result, { username: user, password });
  return result.href;
}

interface Case {
  name: string;
  args?: string[];
  env(): Record<string, string>;
  code: number;
  /** Stands in standard error or output, so that the right failure is looked at. */
  says: RegExp;
}

describe("salesflow with a marked password", () => {
  let embedded: Embedded;
  let folder: string;
  const postgres = () => withUser(embedded.postgresUrl);
  const nowhere = `${USER}:${ENCODED}@127.0.0.1:1`;

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-secrets-" });
    embedded = await startEmbedded(join(folder, "home"));
    const signal = new AbortController().signal;
    await withPostgres({ url: embedded.postgresUrl, stage: "test", signal }, async (db) => {
      await db.query(`CREATE ROLE ${USER} LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
    });
  });
  afterAll(async () => {
    await embedded.close();
    await Deno.remove(folder, { recursive: true });
  });

  /** Runs the command while looking at the command lines of every process, and looks through what it leaves. */
  async function watch(name: string, args: string[], env: Record<string, string>) {
    const store = join(folder, "stores", name.replaceAll(/\W+/g, "-"));
    await Deno.mkdir(store, { recursive: true });
    const lines = new Set<string>();
    const { outcome } = start(args, {
      SALESFLOW_STORE: store,
      SALESFLOW_HOME: join(folder, "unused"),
      SALESFLOW_RETRIES: "0",
      SALESFLOW_TIMEOUT_SECONDS: "20",
      SALESFLOW_DEBUG: "1",
      SALESFLOW_POSTGRES_URL: postgres(),
      SALESFLOW_CLICKHOUSE_URL: embedded.clickhouseUrl,
      ...env,
    });
    const look = () => [...processesOf(folder).values()].forEach((line) => lines.add(line));
    look();
    const looking = setInterval(look, 20);
    const { code, stdout, stderr } = await outcome.finally(() => clearInterval(looking));
    assert(
      [...lines].some((line) => line.includes("cli/main.ts")),
      "the command itself was not among the processes",
    );
    return { code, stdout, stderr, lines, store };
  }

  function assertHidden({ stdout, stderr, lines, store }: Awaited<ReturnType<typeof watch>>): void {
    assert(!shows(stdout), "standard output shows the password");
    assert(!shows(stderr), `standard error shows the password: ${stderr}`);
    assertEquals([...lines].filter(shows), []);
    assertEquals(filesThatShow(store), []);
  }

  const run = ["run", "--run-id", "marked", "--as-of", "2026-11-24", "--rows", "500"];
  const cases: Case[] = [
    {
      name: "PostgreSQL refuses the password",
      env: () => ({ SALESFLOW_POSTGRES_URL: withUser(embedded.postgresUrl, `${ENCODED}x`) }),
      code: 1,
      says: /refuses the user or the password/,
    },
    {
      name: "PostgreSQL has no such database",
      env: () => ({ SALESFLOW_POSTGRES_URL: postgres().replace(/\/\w+$/, "/nowhere") }),
      code: 1,
      says: /no such database/,
    },
    {
      name: "nobody listens where PostgreSQL should be",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${nowhere}/shop` }),
      code: 75,
      says: /PostgreSQL at 127\.0\.0\.1:1\/shop cannot be reached/,
    },
    {
      name: "the URL of PostgreSQL is broken",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${USER}:${PASSWORD}@[host/shop` }),
      code: 2,
      says: /SALESFLOW_POSTGRES_URL.*not a URL/,
    },
    {
      name: "the URL of PostgreSQL has an unknown parameter",
      env: () => ({ SALESFLOW_POSTGRES_URL: `${postgres()}?password=${ENCODED}` }),
      code: 2,
      says: /parameter password/,
    },
    {
      name: "the password of PostgreSQL is not encoded and ends the host",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${USER}:12?${MARK}@db/shop` }),
      code: 2,
      says: /SALESFLOW_POSTGRES_URL: it has an @ behind its host/,
    },
    {
      name: "the password of ClickHouse is not encoded and ends the host",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: `https://${USER}:12/${MARK}@ch:8443` }),
      code: 2,
      says: /SALESFLOW_CLICKHOUSE_URL: it has an @ behind its host/,
    },
    {
      name: "PostgreSQL does not speak TLS",
      env: () => ({ SALESFLOW_POSTGRES_URL: `${postgres()}?sslmode=verify-full` }),
      code: 1,
      says: /does not speak TLS/,
    },
    {
      name: "ClickHouse refuses the password",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl) }),
      code: 1,
      says: /ClickHouse at .* refuses the user or the password/,
    },
    {
      name: "nobody listens where ClickHouse should be",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: `http://${nowhere}` }),
      code: 75,
      says: /ClickHouse at 127\.0\.0\.1:1 cannot be reached/,
    },
    {
      name: "the file with the URL of ClickHouse is broken",
      env: () => {
        Deno.writeTextFileSync(join(folder, "url"), `http//${USER}:${PASSWORD}@host`);
        return { SALESFLOW_CLICKHOUSE_URL: "", SALESFLOW_CLICKHOUSE_URL_FILE: join(folder, "url") };
      },
      code: 2,
      says: /SALESFLOW_CLICKHOUSE_URL_FILE/,
    },
    {
      name: "ClickHouse does not speak TLS",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl).replace("http:", "https:") }),
      code: 1,
      says: /ClickHouse at .*TLS/,
    },
    {
      name: "nobody listens where the bucket should be",
      env: () => ({
        SALESFLOW_STORE: "s3://bucket/prefix",
        SALESFLOW_S3_ENDPOINT: "http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID: USER,
        AWS_SECRET_ACCESS_KEY: PASSWORD,
        AWS_SESSION_TOKEN: PASSWORD,
      }),
      code: 75,
      says: /s3:\/\/bucket\/prefix/,
    },
    {
      name: "the keys stand in the store's URL",
      env: () => ({ SALESFLOW_STORE: `s3://${USER}:${ENCODED}@bucket/prefix` }),
      code: 2,
      says: /Cannot open the store s3:\/\/…: it must be a folder/,
    },
    {
      name: "the endpoint is no URL, and the region is a key",
      env: () => ({
        SALESFLOW_STORE: "s3://bucket/prefix",
        SALESFLOW_S3_ENDPOINT: `http//${USER}:${MARK}@host`,
        AWS_REGION: `${PASSWORD}`,
        SALESFLOW_CLICKHOUSE_URL: `http://${nowhere}/${ENCODED}`,
      }),
      code: 2,
      says: /SALESFLOW_S3_ENDPOINT[^]*AWS_REGION[^]*SALESFLOW_CLICKHOUSE_URL/,
    },
    {
      name: "the keys stand in the URL of a store that is none",
      env: () => ({ SALESFLOW_STORE: `https://${USER}:${MARK}@minio/bucket` }),
      code: 2,
      says: /Cannot open the store https:\/\/…/,
    },
    {
      name: "doctor finds both passwords refused",
      args: ["doctor"],
      env: () => ({
        SALESFLOW_POSTGRES_URL: withUser(embedded.postgresUrl, `${ENCODED}x`),
        SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl),
      }),
      code: 1,
      says: /refuses the user[^]*refuses the user/,
    },
    {
      name: "a query fails",
      args: ["sql", "postgres", "SELECT 1 / 0"],
      env: () => ({}),
      code: 1,
      says: /division by zero/,
    },
    {
      name: "help is asked for",
      args: ["run", "--help"],
      env: () => ({}),
      code: 0,
      says: /SALESFLOW_RUN_ID/,
    },
  ];
  for (const { name, args = run, env, code, says } of cases) {
    it(`never shows it when ${name}`, async () => {
      const seen = await watch(name, args, env());
      const said = seen.stderr + seen.stdout;
      assert(says.test(said), said);
      assertEquals(seen.code, code, said);
      assertHidden(seen);
    });
  }

  it("never shows it in the files, the report and the logs of a whole run, nor when the next one fails", async () => {
    const whole = await watch("whole", run, {});
    assertEquals(whole.code, 0, whole.stderr);
    assertStringIncludes(
      await Deno.readTextFile(join(whole.store, "runs/marked/report/report.html")),
      "<html",
    );
    assertHidden(whole);
    await Deno.writeTextFile(join(whole.store, "runs/marked/clean/part-00000.csv"), "");
    const failed = await watch("whole", ["load", "--run-id", "marked"], {});
    assertEquals(failed.code, 1, failed.stderr);
    assertHidden(failed);
  });

  it("is found by this test where it stands", () => {
    const place = join(folder, "control");
    Deno.mkdirSync(place);
    for (const [index, form] of FORMS.entries()) Deno.writeTextFileSync(join(place, `${index}`), `a${form}b`);
    assertEquals(filesThatShow(place).length, FORMS.length);
  });

  it("embedded databases show their own passwords in no command line", () => {
    const lines = [...processesOf(folder).values()];
    assert(lines.length > 1);
    for (const url of [embedded.postgresUrl, embedded.clickhouseUrl]) {
      assertEquals(lines.filter((line) => line.includes(new URL(url).password)), []);
    }
  });
});

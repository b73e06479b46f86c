import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Embedded, startEmbedded } from "../../../lib/embedded/embedded.ts";
import { withPostgres } from "../../../lib/postgres/session.ts";
import { processesOf, start } from "../../faults/command.ts";

/** Prefix of every password; the characters after it must be encoded in URLs. */
const MARK = "marked-5f1c09";
const PASSWORD = `${MARK}/é "!`;
const USER = "keeper";
const ENCODED = encodeURIComponent(PASSWORD);
/** Encodings of the password: plain or percent-encoded, and Base64 as sent over HTTP. */
const FORMS = [
  MARK,
  Buffer.from(MARK).toString("base64").slice(0, 14),
  Buffer.from(`${USER}:${PASSWORD}`).toString("base64"),
];

/** Returns whether a text contains the password. */
function containsPassword(text: string): boolean {
  return FORMS.some((form) => text.includes(form));
}

/** Returns the files below a folder that contain the password in name or content. */
function findLeakingFiles(folder: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...findLeakingFiles(path));
    else if (
      containsPassword(name) || containsPassword(new TextDecoder("latin1").decode(Deno.readFileSync(path)))
    ) {
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
  /** Expected output, to be sure that the intended failure occurred. */
  output: RegExp;
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

  /** Runs the command and records the command lines of its processes. */
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
    const record = () => [...processesOf(folder).values()].forEach((line) => lines.add(line));
    record();
    const timer = setInterval(record, 20);
    const { code, stdout, stderr } = await outcome.finally(() => clearInterval(timer));
    assert(
      [...lines].some((line) => line.includes("cli/main.ts")),
      "the command line of the command itself was not recorded",
    );
    return { code, stdout, stderr, lines, store };
  }

  function assertHidden({ stdout, stderr, lines, store }: Awaited<ReturnType<typeof watch>>): void {
    assert(!containsPassword(stdout), "standard output shows the password");
    assert(!containsPassword(stderr), `standard error shows the password: ${stderr}`);
    assertEquals([...lines].filter(containsPassword), []);
    assertEquals(findLeakingFiles(store), []);
  }

  const run = ["run", "--run-id", "marked", "--as-of", "2026-11-24", "--rows", "500"];
  const cases: Case[] = [
    {
      name: "PostgreSQL rejects the password",
      env: () => ({ SALESFLOW_POSTGRES_URL: withUser(embedded.postgresUrl, `${ENCODED}x`) }),
      code: 1,
      output: /rejected the user name or password/,
    },
    {
      name: "the database does not exist",
      env: () => ({ SALESFLOW_POSTGRES_URL: postgres().replace(/\/\w+$/, "/nowhere") }),
      code: 1,
      output: /no such database/,
    },
    {
      name: "PostgreSQL is not running",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${nowhere}/shop` }),
      code: 75,
      output: /PostgreSQL at 127\.0\.0\.1:1\/shop cannot be reached/,
    },
    {
      name: "the URL of PostgreSQL is invalid",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${USER}:${PASSWORD}@[host/shop` }),
      code: 2,
      output: /SALESFLOW_POSTGRES_URL.*not a URL/,
    },
    {
      name: "the URL of PostgreSQL has an unknown parameter",
      env: () => ({ SALESFLOW_POSTGRES_URL: `${postgres()}?password=${ENCODED}` }),
      code: 2,
      output: /parameter password/,
    },
    {
      name: "the password of PostgreSQL is not encoded and ends the host",
      env: () => ({ SALESFLOW_POSTGRES_URL: `postgres://${USER}:12?${MARK}@db/shop` }),
      code: 2,
      output: /SALESFLOW_POSTGRES_URL: it has an @ after the host/,
    },
    {
      name: "the password of ClickHouse is not encoded and ends the host",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: `https://${USER}:12/${MARK}@ch:8443` }),
      code: 2,
      output: /SALESFLOW_CLICKHOUSE_URL: it has an @ after the host/,
    },
    {
      name: "PostgreSQL does not support TLS",
      env: () => ({ SALESFLOW_POSTGRES_URL: `${postgres()}?sslmode=verify-full` }),
      code: 1,
      output: /does not support TLS/,
    },
    {
      name: "ClickHouse rejects the password",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl) }),
      code: 1,
      output: /ClickHouse at .* rejected the user name or password/,
    },
    {
      name: "ClickHouse is not running",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: `http://${nowhere}` }),
      code: 75,
      output: /ClickHouse at 127\.0\.0\.1:1 cannot be reached/,
    },
    {
      name: "the file with the URL of ClickHouse is invalid",
      env: () => {
        Deno.writeTextFileSync(join(folder, "url"), `http//${USER}:${PASSWORD}@host`);
        return { SALESFLOW_CLICKHOUSE_URL: "", SALESFLOW_CLICKHOUSE_URL_FILE: join(folder, "url") };
      },
      code: 2,
      output: /SALESFLOW_CLICKHOUSE_URL_FILE/,
    },
    {
      name: "ClickHouse does not support TLS",
      env: () => ({ SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl).replace("http:", "https:") }),
      code: 1,
      output: /ClickHouse at .*TLS/,
    },
    {
      name: "the S3 endpoint is not running",
      env: () => ({
        SALESFLOW_STORE: "s3://bucket/prefix",
        SALESFLOW_S3_ENDPOINT: "http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID: USER,
        AWS_SECRET_ACCESS_KEY: PASSWORD,
        AWS_SESSION_TOKEN: PASSWORD,
      }),
      code: 75,
      output: /s3:\/\/bucket\/prefix/,
    },
    {
      name: "the store's URL contains the keys",
      env: () => ({ SALESFLOW_STORE: `s3://${USER}:${ENCODED}@bucket/prefix` }),
      code: 2,
      output: /Cannot open the store s3:\/\/…: it must be a folder/,
    },
    {
      name: "the endpoint is not a URL, and the region is a key",
      env: () => ({
        SALESFLOW_STORE: "s3://bucket/prefix",
        SALESFLOW_S3_ENDPOINT: `http//${USER}:${MARK}@host`,
        AWS_REGION: `${PASSWORD}`,
        SALESFLOW_CLICKHOUSE_URL: `http://${nowhere}/${ENCODED}`,
      }),
      code: 2,
      output: /SALESFLOW_S3_ENDPOINT[^]*AWS_REGION[^]*SALESFLOW_CLICKHOUSE_URL/,
    },
    {
      name: "the URL of an unsupported store contains the keys",
      env: () => ({ SALESFLOW_STORE: `https://${USER}:${MARK}@minio/bucket` }),
      code: 2,
      output: /Cannot open the store https:\/\/…/,
    },
    {
      name: "doctor reports both passwords as rejected",
      args: ["doctor"],
      env: () => ({
        SALESFLOW_POSTGRES_URL: withUser(embedded.postgresUrl, `${ENCODED}x`),
        SALESFLOW_CLICKHOUSE_URL: withUser(embedded.clickhouseUrl),
      }),
      code: 1,
      output: /rejected the user[^]*rejected the user/,
    },
    {
      name: "a query fails",
      args: ["sql", "postgres", "SELECT 1 / 0"],
      env: () => ({}),
      code: 1,
      output: /division by zero/,
    },
    {
      name: "help is printed",
      args: ["run", "--help"],
      env: () => ({}),
      code: 0,
      output: /SALESFLOW_RUN_ID/,
    },
  ];
  for (const { name, args = run, env, code, output } of cases) {
    it(`does not leak it when ${name}`, async () => {
      const seen = await watch(name, args, env());
      const actual = seen.stderr + seen.stdout;
      assert(output.test(actual), actual);
      assertEquals(seen.code, code, actual);
      assertHidden(seen);
    });
  }

  it("does not leak it in the files, the report and the logs of a full run, nor when the next one fails", async () => {
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

  it("is detected by this test in files", () => {
    const control = join(folder, "control");
    Deno.mkdirSync(control);
    for (const [index, form] of FORMS.entries()) {
      Deno.writeTextFileSync(join(control, `${index}`), `a${form}b`);
    }
    assertEquals(findLeakingFiles(control).length, FORMS.length);
  });

  it("embedded databases have no password in their command lines", () => {
    const lines = [...processesOf(folder).values()];
    assert(lines.length > 1);
    for (const url of [embedded.postgresUrl, embedded.clickhouseUrl]) {
      assertEquals(lines.filter((line) => line.includes(new URL(url).password)), []);
    }
  });
});

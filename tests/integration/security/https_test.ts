/** https with a private certificate authority, under exactly the permissions that users run with. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { EMBEDDED_PERMISSIONS, PERMISSIONS } from "../../../cli/program.ts";
import { type CommandResult, type Servers, start, startServers } from "../../cli/command.ts";
import { Authority, type SecureServer } from "./authority.ts";

const NO_RUNS = `<ListBucketResult><Name>shop</Name><KeyCount>0</KeyCount></ListBucketResult>`;

let folder: string;
let servers: Servers;
let authority: Authority;
let other: Authority;
let clickhouse: SecureServer;
let bucket: SecureServer;

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "salesflow-https-" });
  servers = await startServers(join(folder, "home"), ["-A"]);
  authority = await Authority.create(folder, "ours");
  other = await Authority.create(folder, "other");
  const { origin, username, password } = new URL(servers.clickhouseUrl);
  clickhouse = await authority.serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("authorization", `Basic ${btoa(`${username}:${decodeURIComponent(password)}`)}`);
    headers.delete("host");
    const body = await request.bytes();
    return await fetch(origin + pathname + search, {
      method: request.method,
      headers,
      ...(body.length > 0 ? { body } : {}),
    });
  });
  bucket = await authority.serve(() =>
    new Response(NO_RUNS, { headers: { "content-type": "application/xml" } })
  );
});
afterAll(async () => {
  await clickhouse.close();
  await bucket.close();
  assertEquals(await servers.stop(), 0);
  await Deno.remove(folder, { recursive: true });
});

/** Runs a command that uses one https connection. */
async function run(
  permissions: readonly string[],
  certificates: string,
  args: readonly string[],
): Promise<CommandResult> {
  const env = {
    NODE_EXTRA_CA_CERTS: certificates,
    AWS_CA_BUNDLE: "",
    SALESFLOW_CLICKHOUSE_URL: `https://shop:shop@${clickhouse.host}`,
    SALESFLOW_S3_ENDPOINT: `https://${bucket.host}`,
    SALESFLOW_RETRIES: "0",
    AWS_ACCESS_KEY_ID: "keeper",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
  return await start(args, env, { permissions }).ended;
}

const COMMANDS: [name: string, args: string[]][] = [
  ["ClickHouse", ["sql", "clickhouse", "SELECT 1 AS one", "--format=csv"]],
  ["a bucket", ["status", "--store", "s3://shop"]],
];
const LISTS: [name: string, permissions: readonly string[]][] = [
  ["PERMISSIONS", PERMISSIONS],
  ["EMBEDDED_PERMISSIONS too", [...PERMISSIONS, ...EMBEDDED_PERMISSIONS]],
];

for (const [list, permissions] of LISTS) {
  describe(`https with ${list}`, () => {
    for (const [name, args] of COMMANDS) {
      it(`reaches ${name} whose authority NODE_EXTRA_CA_CERTS names`, async () => {
        const { code, stderr } = await run(permissions, authority.certificate, args);
        assertEquals(code, 0, stderr);
      });

      it(`does not trust ${name} of another authority, with and without NODE_EXTRA_CA_CERTS`, async () => {
        for (const certificates of [other.certificate, ""]) {
          const { code, stderr } = await run(permissions, certificates, args);
          assertEquals(code === 0, false);
          assertMatch(stderr, /certificate/i);
          assertEquals(/sys access/.test(stderr), false, stderr);
        }
      });
    }
  });
}

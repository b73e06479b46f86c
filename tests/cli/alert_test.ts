import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { logLines, run, UNREACHABLE_DATABASES, useHome } from "./command.ts";

const home = useHome();
const args = home.args.bind(home, "run", "--rows", "10", "--as-of", "2026-11-24");

describe("SALESFLOW_ALERT_URL", () => {
  let server: Deno.HttpServer<Deno.NetAddr>;
  let status = 200;
  const received: unknown[] = [];
  const url = (path: string) => ({ SALESFLOW_ALERT_URL: `http://127.0.0.1:${server.addr.port}${path}` });

  beforeAll(() => {
    server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      received.push([request.method, new URL(request.url).pathname, await request.json()]);
      return new Response("ok", { status });
    });
  });
  afterAll(() => server.shutdown());

  it("receives a failed run once, and the command ends as without it", async () => {
    const { code, stderr } = await run(args(), { ...UNREACHABLE_DATABASES, ...url("/hooks/geheim") });
    assertEquals(code, 75, stderr);
    assertEquals(received.length, 1);
    const [method, path, body] = received[0] as [string, string, { text: string }];
    assertEquals([method, path, Object.keys(body)], ["POST", "/hooks/geheim", ["text"]]);
    assertMatch(body.text, /^Run 2026-11-24 of salesflow failed for now .*PostgreSQL at 127\.0\.0\.1:1/);
    const messages = logLines(stderr).map(({ message }) => message);
    assert(messages.includes("delivered the alert (HTTP 200)"), stderr);
    assert(!stderr.includes("geheim"), stderr);
  });

  it("receives nothing of runs that succeed, of dry runs and of stages", async () => {
    received.length = 0;
    const env = { ...UNREACHABLE_DATABASES, ...url("/") };
    assertEquals((await run([...args(), "--to", "clean"], env)).code, 0);
    assertEquals((await run([...args(), "--dry-run"], env)).code, 0);
    assertEquals((await run(home.args("load", "--as-of", "2026-11-24"), env)).code, 75);
    assertEquals(received, []);
  });

  it("is only warned of when it cannot be delivered", async () => {
    status = 500;
    const { code, stderr } = await run(args(), { ...UNREACHABLE_DATABASES, ...url("/geheim") });
    assertEquals(code, 75);
    assertStringIncludes(stderr, "cannot deliver the alert: HTTP 500");
    const env = { ...UNREACHABLE_DATABASES, SALESFLOW_ALERT_URL: "http://127.0.0.1:1/geheim" };
    const unreachable = await run(args(), env);
    assertEquals(unreachable.code, 75);
    assertStringIncludes(unreachable.stderr, "the server of SALESFLOW_ALERT_URL cannot be reached");
    assert(!`${stderr}${unreachable.stderr}`.includes("geheim"));
  });

  it("must be a URL", async () => {
    const { code, stderr } = await run(args(), { SALESFLOW_ALERT_URL: "geheim" });
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Cannot use SALESFLOW_ALERT_URL");
    assert(!stderr.includes("geheim"));
  });
});

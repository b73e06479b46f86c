import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  auditExitCode,
  type AuditResult,
  type Finding,
  formatFindings,
  formatSummary,
  toBatches,
} from "../../supply_chain/audit/advisories.ts";
import { auditNpm, findFixedVersion } from "../../supply_chain/audit/npm.ts";
import { auditPython, type PipAudit } from "../../supply_chain/audit/python.ts";

const PACKAGES = [
  { name: "tar", version: "7.0.0" },
  { name: "tslib", version: "2.3.0" },
  { name: "tslib", version: "2.9.1" },
  { name: "tar", version: "7.0.0" },
];
const FINDING: Finding = {
  name: "tar",
  version: "7.0.0",
  advisory: "https://advisories.example/1\nA bad thing",
  severity: "high",
  fixedIn: "7.5.0",
};

/** Runs `work` with a registry that sends the responses in turn and records the requests. */
async function withRegistry(
  responses: (unknown | Response)[],
  work: (url: URL, requests: unknown[]) => Promise<void>,
): Promise<void> {
  const requests: unknown[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    requests.push([
      request.method,
      new URL(request.url).pathname,
      request.headers.get("authorization"),
      await request.json(),
    ]);
    const response = responses.shift();
    return response instanceof Response ? response : Response.json(response);
  });
  try {
    await work(new URL(`http://127.0.0.1:${server.addr.port}/npm/`), requests);
  } finally {
    await server.shutdown();
  }
}

const ADVISORY = {
  id: 1,
  url: "https://advisories.example/1",
  title: "A bad thing",
  severity: "high",
  vulnerable_versions: ">=6.0.0 <7.5.0",
};

describe("toBatches()", () => {
  it("returns each version once, and no name twice in a batch", () => {
    assertEquals(toBatches(PACKAGES), [[PACKAGES[0]!, PACKAGES[1]!], [PACKAGES[2]!]]);
  });
});

describe("findFixedVersion()", () => {
  it("returns the end of a single range, otherwise the range", () => {
    const cases = [
      ["<7.5.0", "7.5.0"],
      [">=6.0.0 <7.5.0", "7.5.0"],
      ["> 6.0.0 < 7.5.0", "7.5.0"],
      ["<=7.5.0", "outside <=7.5.0"],
      [">=0", "outside >=0"],
      ["<1.0.1 || >=2.0.0 <2.0.3", "outside <1.0.1 || >=2.0.0 <2.0.3"],
    ] as const;
    for (const [range, expected] of cases) assertEquals(findFixedVersion(range), expected, range);
  });
});

describe("auditNpm()", () => {
  it("queries every version with the registry's credentials, and reports the affected one", async () => {
    await withRegistry([{ tar: [ADVISORY] }, {}], async (url, requests) => {
      const result = await auditNpm(PACKAGES, { url, headers: { authorization: "Bearer t" } });
      assertEquals(result, { ecosystem: "npm", checked: 3, findings: [FINDING] });
      const path = "/npm/-/npm/v1/security/advisories/bulk";
      assertEquals(requests, [
        ["POST", path, "Bearer t", { tar: ["7.0.0"], tslib: ["2.3.0"] }],
        ["POST", path, "Bearer t", { tslib: ["2.9.1"] }],
      ]);
    });
  });

  it("reports what was not checked when the service fails or responds with something else", async () => {
    const cases: [unknown[], number, RegExp][] = [
      [[new Response("no", { status: 405 })], 0, /status 405/],
      [[{}, new Response("no", { status: 503 })], 2, /status 503/],
      [[new Response("<html>")], 0, /not a list of advisories/],
      [[["nothing"]], 0, /not a list of advisories/],
      [[{ error: "no such service" }], 0, /not a list of advisories/],
    ];
    for (const [responses, checked, reason] of cases) {
      await withRegistry(responses, async (url) => {
        const result = await auditNpm(PACKAGES, { url, headers: {} });
        assertEquals([result.checked, result.findings], [checked, []]);
        assertMatch(result.unchecked!, reason);
      });
    }
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
    listener.close();
    const unreachable = await auditNpm(PACKAGES, { url, headers: {} });
    assertEquals(unreachable.checked, 0);
    assertStringIncludes(unreachable.unchecked!, url.host);
  });
});

describe("auditPython()", () => {
  const found = { id: "PYSEC-1", aliases: ["CVE-1"], fix_versions: ["7.5.0", "8.0"] };
  /** A pip-audit with one known vulnerability and one skipped package. */
  const pipAudit: PipAudit = async (args) => {
    const requirements = (await Deno.readTextFile(args[1]!)).trim().split("\n").map((line) =>
      line.split("==")
    );
    const dependencies = requirements.map(([name, version]) =>
      version === "2.9.1"
        ? { name, skip_reason: "Dependency not found" }
        : { name, version, vulns: name === "tar" ? [found] : [] }
    );
    return { stdout: JSON.stringify({ dependencies, fixes: [] }), stderr: "No known vulnerabilities found" };
  };

  it("reports vulnerabilities, and packages that pip-audit skipped as not checked", async () => {
    assertEquals(await auditPython(PACKAGES, () => Promise.resolve(pipAudit)), {
      ecosystem: "Python",
      checked: 2,
      findings: [
        {
          name: "tar",
          version: "7.0.0",
          advisory: "PYSEC-1\nCVE-1",
          severity: "unknown",
          fixedIn: "7.5.0, 8.0",
        },
      ],
      unchecked: "PyPI has no data on tslib 2.9.1",
    });
  });

  it("reports what was not checked when pip-audit fails or cannot be installed", async () => {
    const failing: PipAudit = () => Promise.resolve({ stdout: "", stderr: "Traceback\nConnectionError: no" });
    const broken = await auditPython(PACKAGES, () => Promise.resolve(failing));
    assertEquals([broken.checked, broken.unchecked], [0, "pip-audit failed: ConnectionError: no"]);
    const absent = await auditPython(PACKAGES, () => Promise.reject(new Error("Cannot find Python")));
    assertEquals([absent.checked, absent.unchecked], [0, "Cannot find Python"]);
  });
});

describe("auditExitCode()", () => {
  it("returns 0 only when everything was checked, 1 on findings, otherwise 75", () => {
    const clean: AuditResult = { ecosystem: "npm", checked: 3, findings: [] };
    const refused: AuditResult = { ecosystem: "Python", checked: 0, findings: [], unchecked: "refused" };
    const partly: AuditResult = {
      ecosystem: "Python",
      checked: 2,
      findings: [],
      unchecked: "one was skipped",
    };
    const nothing: AuditResult = { ecosystem: "npm", checked: 0, findings: [] };
    const bad: AuditResult = { ecosystem: "npm", checked: 3, findings: [FINDING] };
    const cases: [AuditResult[], number][] = [
      [[clean, clean], 0],
      [[clean, refused], 75],
      [[clean, partly], 75],
      [[clean, nothing], 75],
      [[], 75],
      [[bad, clean], 1],
      [[bad, refused], 1],
    ];
    for (const [results, code] of cases) assertEquals(auditExitCode(results), code);
  });
});

describe("formatFindings()", () => {
  it("shows package, installed version, advisory, severity and fixed version", () => {
    const table = formatFindings([{ ecosystem: "npm", checked: 3, findings: [FINDING] }]);
    for (const text of ["tar", "7.0.0", "https://advisories.example/1", "A bad thing", "high", "7.5.0"]) {
      assertStringIncludes(table, text);
    }
    assertEquals(formatFindings([{ ecosystem: "npm", checked: 3, findings: [] }]), "");
  });
});

describe("formatSummary()", () => {
  it("does not mention vulnerabilities when nothing was checked", () => {
    assertEquals(
      formatSummary([
        { ecosystem: "npm", checked: 0, findings: [], unchecked: "status 405" },
        { ecosystem: "Python", checked: 2, findings: [], unchecked: "no data on tslib 2.9.1" },
      ]),
      [
        "npm: NOT CHECKED: status 405",
        "Python: 2 versions checked, no known vulnerability; NOT CHECKED: no data on tslib 2.9.1",
      ],
    );
  });
});

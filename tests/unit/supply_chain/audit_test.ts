import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type Answer,
  exitCodeOf,
  type Finding,
  findingsTable,
  rounds,
  summaryLines,
} from "../../supply_chain/audit/advisories.ts";
import { auditNpm, fixedIn } from "../../supply_chain/audit/npm.ts";
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

/** What a registry answers to each question, in turn; the questions are kept. */
async function withRegistry(
  answers: (unknown | Response)[],
  work: (url: URL, questions: unknown[]) => Promise<void>,
): Promise<void> {
  const questions: unknown[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    questions.push([
      request.method,
      new URL(request.url).pathname,
      request.headers.get("authorization"),
      await request.json(),
    ]);
    const answer = answers.shift();
    return answer instanceof Response ? answer : Response.json(answer);
  });
  try {
    await work(new URL(`http://127.0.0.1:${server.addr.port}/npm/`), questions);
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

describe("rounds()", () => {
  it("gives each version once, and no name twice in a round", () => {
    assertEquals(rounds(PACKAGES), [[PACKAGES[0]!, PACKAGES[1]!], [PACKAGES[2]!]]);
  });
});

describe("fixedIn()", () => {
  it("is the end of a single range, and otherwise says the range", () => {
    const cases = [
      ["<7.5.0", "7.5.0"],
      [">=6.0.0 <7.5.0", "7.5.0"],
      ["> 6.0.0 < 7.5.0", "7.5.0"],
      ["<=7.5.0", "outside <=7.5.0"],
      [">=0", "outside >=0"],
      ["<1.0.1 || >=2.0.0 <2.0.3", "outside <1.0.1 || >=2.0.0 <2.0.3"],
    ] as const;
    for (const [range, expected] of cases) assertEquals(fixedIn(range), expected, range);
  });
});

describe("auditNpm()", () => {
  it("asks for every version, with the registry's credentials, and tells which one is meant", async () => {
    await withRegistry([{ tar: [ADVISORY] }, {}], async (url, questions) => {
      const answer = await auditNpm(PACKAGES, { url, headers: { authorization: "Bearer t" } });
      assertEquals(answer, { of: "npm", asked: 3, findings: [FINDING] });
      const path = "/npm/-/npm/v1/security/advisories/bulk";
      assertEquals(questions, [
        ["POST", path, "Bearer t", { tar: ["7.0.0"], tslib: ["2.3.0"] }],
        ["POST", path, "Bearer t", { tslib: ["2.9.1"] }],
      ]);
    });
  });

  it("says what was not asked when the service refuses, breaks off or answers something else", async () => {
    const cases: [unknown[], number, RegExp][] = [
      [[new Response("no", { status: 405 })], 0, /status 405/],
      [[{}, new Response("no", { status: 503 })], 2, /status 503/],
      [[new Response("<html>")], 0, /not a list of advisories/],
      [[["nothing"]], 0, /not a list of advisories/],
      [[{ error: "no such service" }], 0, /not a list of advisories/],
    ];
    for (const [answers, asked, reason] of cases) {
      await withRegistry(answers, async (url) => {
        const answer = await auditNpm(PACKAGES, { url, headers: {} });
        assertEquals([answer.asked, answer.findings], [asked, []]);
        assertMatch(answer.unasked!, reason);
      });
    }
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
    listener.close();
    const nobody = await auditNpm(PACKAGES, { url, headers: {} });
    assertEquals(nobody.asked, 0);
    assertStringIncludes(nobody.unasked!, url.host);
  });
});

describe("auditPython()", () => {
  const found = { id: "PYSEC-1", aliases: ["CVE-1"], fix_versions: ["7.5.0", "8.0"] };
  /** A pip-audit that knows one vulnerability and gives no answer for one package. */
  const pipAudit: PipAudit = async (args) => {
    const wanted = (await Deno.readTextFile(args[1]!)).trim().split("\n").map((line) => line.split("=="));
    const dependencies = wanted.map(([name, version]) =>
      version === "2.9.1"
        ? { name, skip_reason: "Dependency not found" }
        : { name, version, vulns: name === "tar" ? [found] : [] }
    );
    return { stdout: JSON.stringify({ dependencies, fixes: [] }), stderr: "No known vulnerabilities found" };
  };

  it("tells vulnerabilities, and a package that pip-audit left out as not asked for", async () => {
    assertEquals(await auditPython(PACKAGES, () => Promise.resolve(pipAudit)), {
      of: "Python",
      asked: 2,
      findings: [
        {
          name: "tar",
          version: "7.0.0",
          advisory: "PYSEC-1\nCVE-1",
          severity: "not told",
          fixedIn: "7.5.0, 8.0",
        },
      ],
      unasked: "PyPI gives no answer for tslib 2.9.1",
    });
  });

  it("says what was not asked when pip-audit breaks off or cannot be installed", async () => {
    const breaking: PipAudit = () =>
      Promise.resolve({ stdout: "", stderr: "Traceback\nConnectionError: no" });
    const broken = await auditPython(PACKAGES, () => Promise.resolve(breaking));
    assertEquals([broken.asked, broken.unasked], [0, "pip-audit broke off: ConnectionError: no"]);
    const absent = await auditPython(PACKAGES, () => Promise.reject(new Error("Cannot find Python")));
    assertEquals([absent.asked, absent.unasked], [0, "Cannot find Python"]);
  });
});

describe("exitCodeOf()", () => {
  it("is 0 only when everything was asked, 1 when something is known, otherwise 75", () => {
    const clean: Answer = { of: "npm", asked: 3, findings: [] };
    const refused: Answer = { of: "Python", asked: 0, findings: [], unasked: "refused" };
    const partly: Answer = { of: "Python", asked: 2, findings: [], unasked: "one is left out" };
    const nothing: Answer = { of: "npm", asked: 0, findings: [] };
    const bad: Answer = { of: "npm", asked: 3, findings: [FINDING] };
    const cases: [Answer[], number][] = [
      [[clean, clean], 0],
      [[clean, refused], 75],
      [[clean, partly], 75],
      [[clean, nothing], 75],
      [[], 75],
      [[bad, clean], 1],
      [[bad, refused], 1],
    ];
    for (const [answers, code] of cases) assertEquals(exitCodeOf(answers), code);
  });
});

describe("findingsTable() and summaryLines()", () => {
  it("show package, installed version, advisory, severity and where it is fixed", () => {
    const table = findingsTable([{ of: "npm", asked: 3, findings: [FINDING] }]);
    for (const text of ["tar", "7.0.0", "https://advisories.example/1", "A bad thing", "high", "7.5.0"]) {
      assertStringIncludes(table, text);
    }
    assertEquals(findingsTable([{ of: "npm", asked: 3, findings: [] }]), "");
  });

  it("say nothing of vulnerabilities when nothing was asked", () => {
    assertEquals(
      summaryLines([
        { of: "npm", asked: 0, findings: [], unasked: "status 405" },
        { of: "Python", asked: 2, findings: [], unasked: "no answer for tslib 2.9.1" },
      ]),
      [
        "npm: NOT asked: status 405",
        "Python: 2 versions asked for, no known vulnerability; NOT asked: no answer for tslib 2.9.1",
      ],
    );
  });
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import deno from "../../deno.json" with { type: "json" };
import { STAGES } from "../../lib/pipeline/stage.ts";
import { logLines, run } from "./command.ts";

let home: string;
beforeAll(async () => {
  home = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(home, { recursive: true }));

const COMMANDS = ["run", ...STAGES, "ingest", "status", "doctor", "up", "sql"];

describe("salesflow", () => {
  it("lists its commands when nothing, --help, -h or help is given", async () => {
    const [plain, ...others] = await Promise.all([[], ["--help"], ["-h"], ["help"]].map((args) => run(args)));
    assertEquals([plain!.code, plain!.stderr], [0, ""]);
    for (const name of COMMANDS) assertMatch(plain!.stdout, new RegExp(`^  ${name} `, "m"));
    for (const other of others) assertEquals(other, plain);
  });

  it("tells its version", async () => {
    assertEquals(await run(["--version"]), { code: 0, stdout: `salesflow ${deno.version}\n`, stderr: "" });
  });

  it("explains every command, without doing anything", async () => {
    const helps = await Promise.all(COMMANDS.map((name) => run([name, "--help", "--home", `${home}/never`])));
    helps.forEach(({ code, stdout, stderr }, index) => {
      const name = COMMANDS[index]!;
      assertEquals([code, stderr], [0, ""], name);
      for (const part of [`Usage: salesflow ${name}`, "Options:", "--help", "Examples:"]) {
        assertStringIncludes(stdout, part);
      }
      // A terminal of usual width can show all of it but long explanations.
      assert(stdout.split("\n").every((line) => line.length <= 180), name);
    });
    assertEquals(await Deno.stat(`${home}/never`).catch(() => undefined), undefined);
  });

  const wrong: [what: string, args: string[], env: Record<string, string>, parts: string[]][] = [
    ["a command that does not exist", ["genrate"], {}, [
      "There is no command genrate. Did you mean generate?",
    ]],
    ["a command like no other", ["toString"], {}, ["There is no command toString."]],
    ["an option that does not exist", ["clean", "--max-rejectd", "1"], {}, [
      "There is no option --max-rejectd. Did you mean --max-rejected?",
      "See: salesflow clean --help",
    ]],
    ["an argument too many", ["clean", "file.csv"], {}, [
      "Cannot use the argument file.csv: clean takes none",
    ]],
    ["an argument too few", ["ingest"], {}, ["FILE… is missing"]],
    [
      "wrong values, all of them together",
      [
        "generate",
        "--rows=0",
        "--defect-rate=0.6",
        "--as-of=2026-02-30",
        "--run-id=../x",
        "--shard=4/3",
        "--log-format=xml",
        "--workers=0",
      ],
      { SALESFLOW_PRODUCTS: "many" },
      [
        "--rows 0: it must be a whole number from 1 to 2,000,000,000",
        "--defect-rate 0.6: it must be a number from 0 to 0.5",
        "--as-of 2026-02-30: it must be a date that exists",
        "--run-id ../x: it must be 1 to 63",
        "--shard 4/3: it must be NUMBER/OF",
        "--log-format xml: it must be text or json",
        "--workers 0: it must be a whole number",
        "SALESFLOW_PRODUCTS many: it must be a whole number",
      ],
    ],
    ["wrong options and wrong URLs together", ["run", "--rows=x", "--from=ingest", "--store=s3://A"], {
      SALESFLOW_POSTGRES_URL: "mysql://u:geheim@h/d",
      SALESFLOW_CLICKHOUSE_URL: "geheim",
    }, [
      "--rows x",
      "--from ingest: it must be one of migrate",
      "Cannot open the store s3://A: it must be a folder",
      "Cannot use SALESFLOW_POSTGRES_URL: it must begin with postgres://",
      "Cannot use SALESFLOW_CLICKHOUSE_URL: it is not a URL",
    ]],
    ["every setting together", ["run", "--rows=x"], {
      SALESFLOW_RETRIES: "many",
      SALESFLOW_TIMEOUT_SECONDS: "0",
      SALESFLOW_CLICKHOUSE_URL: "geheim",
    }, [
      "--rows x",
      "Cannot use SALESFLOW_RETRIES many",
      "Cannot use SALESFLOW_TIMEOUT_SECONDS 0",
      "Cannot use SALESFLOW_CLICKHOUSE_URL: it is not a URL",
    ]],
    ["a wrong setting alone", ["status"], { SALESFLOW_RETRIES: "many" }, ["SALESFLOW_RETRIES many"]],
    ["an empty query", ["sql", "postgres", " "], {}, ["The query is empty"]],
    ["an unknown run", ["status", "--run-id", "nobody"], {}, ["There is no run nobody"]],
    ["a home that is a file", ["status", "--home", "README.md"], {}, ["README.md: it is a file"]],
    ["a store below a file", ["status", "--store", "README.md/runs"], {}, ["a folder above it is a file"]],
    ["columns that --map does not know", ["ingest", "f.csv", "--map", "order=x", "--map", "sale_id"], {}, [
      "Cannot use --map order=x,sale_id: it must be OURS=THEIRS",
    ]],
    ["a column that --map names twice", ["ingest", "f.csv", "--map", "region=a", "--map", "region=b"], {}, [
      "region has two names",
    ]],
    ["an encoding that does not exist", ["ingest", "f.csv", "--encoding", "latin-17"], {}, [
      "it must be an encoding",
    ]],
    ["a store that cannot be", ["status", "--store", "gs://bucket"], {}, [
      "Cannot open the store gs://bucket",
    ]],
    ["a folder that no folder can be", ["status", "--store", "file:///a%00b"], {}, [
      "Cannot open the store file://…: a % must be followed by",
    ]],
    ["a folder with a lone percent sign", ["generate", "--store", "file:///%zz"], {}, [
      "Cannot open the store file://…: a % must be followed by",
    ]],
    ["an endpoint that is none", ["status", "--store", "s3://bucket"], {
      SALESFLOW_S3_ENDPOINT: "ftp://geheim",
    }, [
      "Cannot use SALESFLOW_S3_ENDPOINT: it must be http:// or https://",
    ]],
    ["a region that is none", ["status", "--store", "s3://bucket"], { AWS_REGION: "eu west" }, [
      "Cannot use AWS_REGION",
    ]],
    ["another machine's folder", ["status", "--store", "file://host/folder"], {}, ["Cannot open the store"]],
    ["an order for the embedded host that is none", ["embedded-host", "{"], {}, [
      "salesflow calls it by itself",
    ]],
    ["an order for another engine", ["embedded-host", '{"engine":"oracle"}'], {}, [
      "salesflow calls it by itself",
    ]],
    ["a database that does not exist", ["sql", "mysql", "SELECT 1"], {}, ["Cannot ask mysql"]],
    ["more shards than parts", ["generate", "--shard", "3/8", "--partitions", "4"], {}, [
      "8 shards of 4 partitions",
    ]],
    ["a range of stages that is none", ["run", "--from", "load", "--to", "clean"], {
      SALESFLOW_POSTGRES_URL: "postgres://u@127.0.0.1:1/d",
      SALESFLOW_CLICKHOUSE_URL: "http://127.0.0.1:1",
    }, ["Cannot run from load to clean"]],
  ];
  for (const [what, args, env, parts] of wrong) {
    it(`ends with 2 and says what is wrong: ${what}`, async () => {
      const { code, stdout, stderr } = await run(args, { SALESFLOW_HOME: `${home}/wrong`, ...env });
      assertEquals([code, stdout], [2, ""], stderr);
      for (const part of parts) assertStringIncludes(stderr, part);
      const [error, ...more] = logLines(stderr);
      assertEquals([error!.level, error!.exit_code, more.length], ["ERROR", 2, 0]);
      assert(!stderr.includes("geheim"), stderr);
      assert(!stderr.includes("    at "), stderr);
    });
  }
});

describe("salesflow in a person's words", () => {
  it("names every mistake on a line of its own when it logs text", async () => {
    for (const args of [["--log-format", "text"], ["--log-format=text"]]) {
      const { code, stderr } = await run(["generate", "--rows=0", "--workers=0", ...args]);
      assertEquals(code, 2);
      assertMatch(
        stderr,
        /^error: Cannot use --rows 0.*\nerror: Cannot use --workers 0.*\n {2}See: salesflow gen/,
      );
    }
    const { stderr } = await run(["genrate"], { SALESFLOW_LOG_FORMAT: "text" });
    assertMatch(stderr, /^error: There is no command genrate/);
  });
});

describe("salesflow and its environment", () => {
  it("warns of variables that no command reads, in one line", async () => {
    const { code, stderr } = await run(["status", "--home", `${home}/none`], {
      SALESFLOW_ROW: "5",
      SALESFLOW_NONSENSE: "{x}",
      SALESFLOW_K8S_IMAGE: "of the DAG",
      SALESFLOW_POSTGRES_SERVICE_HOST: "of Kubernetes",
    });
    assertEquals(code, 0);
    const [line, ...more] = logLines(stderr);
    assertEquals([line!.level, more.length], ["WARN", 0]);
    assertEquals(
      line!.message,
      "no command reads SALESFLOW_NONSENSE. SALESFLOW_ROW. Did you mean SALESFLOW_ROWS?",
    );
  });
});

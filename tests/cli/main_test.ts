import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import deno from "../../deno.json" with { type: "json" };
import { STAGES } from "../../lib/pipeline/stage.ts";
import { logLines, run, useHome } from "./command.ts";

const home = useHome();

const COMMANDS = [
  "run",
  ...STAGES,
  "ingest",
  "source",
  "history",
  "compare",
  "status",
  "doctor",
  "up",
  "sql",
  "prune",
  "config",
  "completions",
];

describe("salesflow", () => {
  it("lists its commands without arguments, and with --help, -h or help", async () => {
    const [plain, ...others] = await Promise.all([[], ["--help"], ["-h"], ["help"]].map((args) => run(args)));
    assertEquals([plain!.code, plain!.stderr], [0, ""]);
    for (const name of COMMANDS) assertMatch(plain!.stdout, new RegExp(`^  ${name} `, "m"));
    for (const other of others) assertEquals(other, plain);
  });

  it("prints its version", async () => {
    assertEquals(await run(["--version"]), { code: 0, stdout: `salesflow ${deno.version}\n`, stderr: "" });
  });

  it("prints the help of every command without running it", async () => {
    const helps = await Promise.all(
      COMMANDS.map((name) => run([name, "--help", "--home", `${home.path}/never`])),
    );
    helps.forEach(({ code, stdout, stderr }, index) => {
      const name = COMMANDS[index]!;
      assertEquals([code, stderr], [0, ""], name);
      for (const part of [`Usage: salesflow ${name}`, "Options:", "--help", "Examples:"]) {
        assertStringIncludes(stdout, part);
      }
      // Lines may wrap on a narrow terminal, but not twice.
      assert(stdout.split("\n").every((line) => line.length <= 180), name);
    });
    assertEquals(await Deno.stat(`${home.path}/never`).catch(() => undefined), undefined);
  });

  it("prints the help of a command after help, too", async () => {
    const [flag, word] = await Promise.all([["clean", "--help"], ["help", "clean"]].map((args) => run(args)));
    assertEquals(word, flag);
    assertStringIncludes((await run(["help", "clen"])).stderr, "Did you mean clean?");
  });

  it("names commands as they must be typed where it was started, in help and remedies", async () => {
    const env = { SALESFLOW_INVOCATION: "npx -y deno@1.2.3 task salesflow" };
    const [help, commandHelp, text, json] = await Promise.all(
      [["--help"], ["clean", "--help"], ["clean", "x", "--log-format=text"], [
        "clean",
        "x",
        "--log-format=json",
      ]]
        .map((args) => run(args, env)),
    );
    assertStringIncludes(help!.stdout, "Usage: npx -y deno@1.2.3 task salesflow COMMAND");
    assertStringIncludes(help!.stdout, "npx -y deno@1.2.3 task salesflow --version");
    assertStringIncludes(commandHelp!.stdout, "Usage: npx -y deno@1.2.3 task salesflow clean");
    assertMatch(commandHelp!.stdout, /Examples:\n {2}npx -y deno@1\.2\.3 task salesflow clean\n/);
    const remedy = "See: npx -y deno@1.2.3 task salesflow clean --help";
    assertStringIncludes(text!.stderr, `\n  ${remedy}\n`);
    assertEquals(logLines(json!.stderr).at(-1)!.remedy, remedy);
  });

  const invalid: [what: string, args: string[], env: Record<string, string>, parts: string[]][] = [
    ["an unknown command", ["genrate"], {}, [
      "Unknown command genrate. Did you mean generate?",
    ]],
    ["a command that is a property of every object", ["toString"], {}, ["Unknown command toString."]],
    ["an unknown option", ["clean", "--max-rejectd", "1"], {}, [
      "Unknown option --max-rejectd. Did you mean --max-rejected?",
      "See: salesflow clean --help",
    ]],
    ["an unexpected argument", ["clean", "file.csv"], {}, [
      "Unexpected argument file.csv: clean takes no arguments",
    ]],
    ["a missing argument", ["ingest"], {}, ["Missing argument FILE…"]],
    [
      "invalid values, all at once",
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
    ["invalid options and invalid URLs at once", ["run", "--rows=x", "--from=ingest", "--store=s3://A"], {
      SALESFLOW_POSTGRES_URL: "mysql://u:geheim@h/d",
      SALESFLOW_CLICKHOUSE_URL: "geheim",
    }, [
      "--rows x",
      "--from ingest: it must be one of migrate",
      "Cannot open the store s3://A: it must be a folder",
      "Cannot use SALESFLOW_POSTGRES_URL: it must begin with postgres://",
      "Cannot use SALESFLOW_CLICKHOUSE_URL: it is not a URL",
    ]],
    ["invalid environment variables at once", ["run", "--rows=x"], {
      SALESFLOW_RETRIES: "many",
      SALESFLOW_TIMEOUT_SECONDS: "0",
      SALESFLOW_CLICKHOUSE_URL: "geheim",
    }, [
      "--rows x",
      "Cannot use SALESFLOW_RETRIES many",
      "Cannot use SALESFLOW_TIMEOUT_SECONDS 0",
      "Cannot use SALESFLOW_CLICKHOUSE_URL: it is not a URL",
    ]],
    ["a single invalid environment variable", ["status"], { SALESFLOW_RETRIES: "many" }, [
      "SALESFLOW_RETRIES many",
    ]],
    ["an empty query", ["sql", "postgres", " "], {}, ["The query is empty"]],
    ["an unknown run", ["status", "--run-id", "nobody"], {}, ["There is no run nobody"]],
    ["a home that is a file", ["status", "--home", "README.md"], {}, ["README.md: it is a file"]],
    ["a store below a file", ["status", "--store", "README.md/runs"], {}, ["a folder above it is a file"]],
    ["unknown columns of --map", ["ingest", "f.csv", "--map", "order=x", "--map", "sale_id"], {}, [
      "Cannot use --map order=x,sale_id: it must be OURS=THEIRS",
    ]],
    ["a column that is mapped twice", ["ingest", "f.csv", "--map", "region=a", "--map", "region=b"], {}, [
      "region is mapped twice",
    ]],
    ["an unknown encoding", ["ingest", "f.csv", "--encoding", "latin-17"], {}, [
      "it must be an encoding",
    ]],
    ["an unsupported store", ["status", "--store", "gs://bucket"], {}, [
      "Cannot open the store gs://bucket",
    ]],
    ["a folder name with a NUL byte", ["status", "--store", "file:///a%00b"], {}, [
      "Cannot open the store file://…: a % must be followed by",
    ]],
    ["a folder URL with an invalid percent escape", ["generate", "--store", "file:///%zz"], {}, [
      "Cannot open the store file://…: a % must be followed by",
    ]],
    ["an invalid endpoint", ["status", "--store", "s3://bucket"], {
      SALESFLOW_S3_ENDPOINT: "ftp://geheim",
    }, [
      "Cannot use SALESFLOW_S3_ENDPOINT: it must be http:// or https://",
    ]],
    ["an invalid region", ["status", "--store", "s3://bucket"], { AWS_REGION: "eu west" }, [
      "Cannot use AWS_REGION",
    ]],
    ["a folder URL with a host", ["status", "--store", "file://host/folder"], {}, ["Cannot open the store"]],
    ["an invalid request to embedded-host", ["embedded-host", "{"], {}, [
      "internal command of salesflow",
    ]],
    ["an unknown engine of embedded-host", ["embedded-host", '{"engine":"oracle"}'], {}, [
      "internal command of salesflow",
    ]],
    ["an unknown shell", ["completions", "tcsh"], {}, ["Unknown shell tcsh: it must be bash, zsh or fish"]],
    ["no rule for prune", ["prune"], {}, ["Give either --keep N or --older-than AGE"]],
    ["two rules for prune", ["prune", "--keep", "1", "--older-than", "1d"], {}, ["Give either --keep N or"]],
    ["an invalid age", ["prune", "--older-than", "1y"], {}, ["it must be a number of days or weeks"]],
    ["an unknown database", ["sql", "mysql", "SELECT 1"], {}, ["Unknown database mysql"]],
    ["more shards than partitions", ["generate", "--shard", "3/8", "--partitions", "4"], {}, [
      "4 partitions into 8 shards",
    ]],
    ["an empty range of stages", ["run", "--from", "load", "--to", "clean"], {
      SALESFLOW_POSTGRES_URL: "postgres://u@127.0.0.1:1/d",
      SALESFLOW_CLICKHOUSE_URL: "http://127.0.0.1:1",
    }, ["Cannot run from load to clean"]],
  ];
  for (const [what, args, env, parts] of invalid) {
    it(`exits with 2 and names the mistake: ${what}`, async () => {
      const { code, stdout, stderr } = await run(args, { SALESFLOW_HOME: `${home.path}/wrong`, ...env });
      assertEquals([code, stdout], [2, ""], stderr);
      for (const part of parts) assertStringIncludes(stderr, part);
      const [error, ...more] = logLines(stderr);
      assertEquals([error!.level, error!.exit_code, more.length], ["ERROR", 2, 0]);
      assert(!stderr.includes("geheim"), stderr);
      assert(!stderr.includes("    at "), stderr);
    });
  }
});

describe("salesflow --log-format text", () => {
  it("prints each mistake on its own line", async () => {
    for (const args of [["--log-format", "text"], ["--log-format=text"]]) {
      const { code, stderr } = await run(["generate", "--rows=0", "--workers=0", ...args]);
      assertEquals(code, 2);
      assertMatch(
        stderr,
        /^error: Cannot use --rows 0.*\nerror: Cannot use --workers 0.*\n {2}See: salesflow gen/,
      );
    }
    const { stderr } = await run(["genrate"], { SALESFLOW_LOG_FORMAT: "text" });
    assertMatch(stderr, /^error: Unknown command genrate/);
  });
});

describe("salesflow with unknown environment variables", () => {
  it("warns in one line", async () => {
    const { code, stderr } = await run(["status", "--home", `${home.path}/none`], {
      SALESFLOW_ROW: "5",
      SALESFLOW_NONSENSE: "{x}",
      SALESFLOW_K8S_IMAGE: "read by the DAG",
      SALESFLOW_POSTGRES_SERVICE_HOST: "set by Kubernetes",
    });
    assertEquals(code, 0);
    const [line, ...more] = logLines(stderr);
    assertEquals([line!.level, more.length], ["WARN", 0]);
    assertEquals(
      line!.message,
      "unknown environment variables: SALESFLOW_NONSENSE. SALESFLOW_ROW. Did you mean SALESFLOW_ROWS?",
    );
  });
});

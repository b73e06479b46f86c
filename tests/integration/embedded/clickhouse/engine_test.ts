import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../../../../lib/embedded/clickhouse/engine.ts";
import { ensureEngines } from "../../../../lib/embedded/engines/engines.ts";

describe("Engine", () => {
  let folder: string;
  /** What engine_program.ts prints. */
  // deno-lint-ignore no-explicit-any
  let results: any;

  beforeAll(async () => {
    const { clickhouse } = await ensureEngines({ engines: ["clickhouse"] });
    folder = await Deno.makeTempDir();
    const config = join(folder, "config.xml");
    await Deno.writeTextFile(config, "<clickhouse></clickhouse>");
    const program = fileURLToPath(import.meta.resolve("./engine_program.ts"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", program, clickhouse, join(folder, "data"), config],
      cwd: folder,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    results = JSON.parse(new TextDecoder().decode(stdout));
  });

  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("query() returns the result and its statistics", () => {
    const [body, readRows, resultRows, writtenRows] = results.query;
    assertEquals(body, "0\n1\n2\n");
    assertEquals([readRows, resultRows, writtenRows], [3, 3, 0]);
  });

  it("query() passes parameters", () => assertEquals(results.params, "Север\t7\n"));

  it("query() throws EngineError with the engine's message when the statement fails", () => {
    assertMatch(results.unknownTable, /^EngineError: Code: 60\. DB::Exception: .* \(UNKNOWN_TABLE\)$/);
  });

  it("insert() writes rows that arrive in chunks", () => {
    assertEquals(results.insert, { writtenRows: 3, values: "1\n3\n22\n" });
  });

  it("insert() throws EngineError and writes nothing when a row is invalid", () => {
    const { error, rows } = results.insertInvalidRow;
    assertMatch(error, /^EngineError: Code: \d+\. DB::Exception: /);
    assertEquals(rows, "0\n");
  });

  it("classify() counts the statements and returns their class", () => {
    assertEquals(results.classes, [
      [1, "readOnly"],
      [1, "mutating"],
      [1, "mutating"],
      [2, "readOnly"],
      [0, "unknown"],
    ]);
  });

  it("connect() opens a session with its own temporary tables", () => {
    assertMatch(results.temporaryTable, /Code: 60\. .*'mine'/);
  });

  it("cancelAll() cancels running statements", () => assertMatch(results.cancel, /QUERY_WAS_CANCELLED/));
});

describe("EngineError", () => {
  it("of() formats the message like the engine", () => {
    const { message } = EngineError.of(62, "SYNTAX_ERROR", "Syntax error");
    assertEquals(message, "Code: 62. DB::Exception: Syntax error (SYNTAX_ERROR)");
  });
});

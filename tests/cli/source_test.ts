import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertDone, run, useHome } from "./command.ts";

const home = useHome();

const SOURCE = `version: 1
only: [{column: Status, in: [paid], name: unpaid}]
columns: {sale_id: Order, customer_id: Mail, product_id: SKU, quantity: {value: "1"}, sale_date: Date,
  sale_amount: Total, region: {value: North}}
`;
const EXPORT = `Order,Mail,SKU,Date,Total,Status
#1,a@shop.example,A-1,16.11.2026,5.00,paid
#2,b@shop.example,A-1,16.11.2026,3.00,open
#3,a@shop.example,A-1,16.11.2026,x,paid
`;

async function writeFiles(): Promise<{ source: string; file: string }> {
  const [source, file] = [`${home.path}/shop.yaml`, `${home.path}/orders.csv`];
  await Deno.writeTextFile(source, SOURCE);
  await Deno.writeTextFile(file, EXPORT);
  return { source, file };
}

describe("salesflow source", () => {
  it("suggest prints a source file, which ingest takes when it is decided, and refuses before", async () => {
    const file = `${home.path}/towns.csv`;
    await Deno.writeTextFile(
      file,
      "Order,Email,SKU,Qty,Date,Line total,City\n#1,a@shop.example,A-1,1,16.11.2026,5.00,Tula\n",
    );
    const { code, stdout, stderr } = await run(home.args("source", "suggest", file));
    assertEquals([code, stderr], [0, ""]);
    const source = `${home.path}/towns.yaml`;
    await Deno.writeTextFile(source, stdout);
    const args = home.args("ingest", "--source", source, "--run-id", "towns", "--as-of", "2026-11-16");
    const refused = await run(args);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "columns, region, lookup, Tula is not decided");
    await Deno.writeTextFile(source, stdout.replace("Tula: DECIDE", "Tula: South"));
    assertDone(await run(args));
    await Deno.writeTextFile(source, stdout.replace("Tula: DECIDE", "Omsk: South"));
    const { stderr: log } = await run([...args, "--log-format", "text"]);
    assertStringIncludes(log, "towns.yaml lacks these; clean rejects their lines as unknown_region:");
    assertStringIncludes(log, `Tula: 1 line, the first is ${file} line 2`);
  });

  it("preview takes the source file from the settings, as ingest does", async () => {
    const { source, file } = await writeFiles();
    const args = home.args("source", "preview", file, "--as-of", "2026-11-16");
    const { code, stdout } = await run(args, { SALESFLOW_SOURCE: source });
    assertEquals(code, 0);
    assertStringIncludes(stdout, "sale_id #1");
  });

  it("preview shows rows before and after, and counts by reason and exclusion; it writes nothing", async () => {
    const { source, file } = await writeFiles();
    const { code, stdout, stderr } = await run(
      home.args("source", "preview", file, "--source", source, "--rows", "1", "--as-of", "2026-11-16"),
    );
    assertEquals([code, stderr], [0, ""]);
    const parts = [
      `${file} line 2\n  #1,a@shop.example,A-1,16.11.2026,5.00,paid\n  → sale_id #1, customer_id a@shop.example,`,
      "sale_date 2026-11-16, sale_amount 5.00, region North",
      "Nothing was written.",
    ];
    for (const part of parts) assertStringIncludes(stdout, part);
    const cells = (line: string) => line.split("│").map((cell) => cell.trim()).filter((cell) => cell !== "");
    const counts = stdout.split("\n").filter((line) => /ready|rejected|excluded/.test(line)).map(cells);
    assertEquals(counts.map((row) => row.slice(0, 3)), [
      ["ready for clean", "1", "5.00"],
      ["rejected: invalid_amount", "1", "0.00"],
      ["excluded: unpaid", "1", "3.00"],
    ]);
    assertEquals(counts[2]![3], `${file} line 3`);
    assertEquals(await home.exists("2026-11-16"), false);
  });

  it("id leads from a number to the text, and back", async () => {
    const { source, file } = await writeFiles();
    assertDone(await run(home.args("ingest", file, "--source", source, "--run-id", "ids")));
    const there = await run(home.args("source", "id", "a@shop.example"));
    assertEquals(there.code, 0, there.stderr);
    const number = there.stdout.split(" ")[0]!;
    const back = await run(home.args("source", "id", number));
    assertEquals([back.code, back.stdout], [0, `${number}  a@shop.example\n`]);
    const unknown = await run(home.args("source", "id", "55"));
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.stderr, "has the number 55");
  });

  it("names what is missing", async () => {
    for (
      const [args, message] of [[["suggest"], "needs the exports"], [["preview"], "needs --source"], [
        ["id"],
        "needs the number",
      ], [
        ["x"],
        "no salesflow source x",
      ]] as const
    ) {
      const { code, stderr } = await run(home.args("source", ...args));
      assertEquals(code, 2);
      assertStringIncludes(stderr, message);
    }
  });
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { run, type Servers, startServers } from "../../cli/command.ts";

let home: string;
let servers: Servers;
beforeAll(async () => {
  home = await Deno.makeTempDir({ prefix: "salesflow-export-" });
  servers = await startServers(home);
});
afterAll(async () => {
  await servers.stop();
  await Deno.remove(home, { recursive: true });
});

/** An export with its own columns, column order and spellings, and a row for each rejection reason. */
const HEADER = "Дата;Регион;Сумма, ₽;Кол-во;Заказ;Комментарий;Клиент;Товар";
const LINES: [line: string, reason?: string][] = [
  ["24.11.2026;Север;1 234,50;2;1001;;501;7"],
  ['24.11.2026;"Юг";"₽99,90";1;01002;"два; слова, ""в кавычках""";502;7'],
  ["2026-11-23T10:20:30;w;1\u00a0000\u202f000 RUB;1.0;1003;=HYPERLINK(1);503;8"],
  ["2025/11/25; E ;0.01;10;1004;<script>alert(1)</script>;504;9"],
  [""],
  ['24.11.2026;Запад;90 071 992 547,41;1;1005;"строка\nещё строка";505;8'],
  // A duplicate, and a row with another amount.
  ["2026-11-24;North;1234.5;2;1001;ещё раз;501;7", "duplicate"],
  ["2026-11-24;North;1234.51;2;1001;;501;7", "conflicting_duplicate"],
  ["24.11.2025;Север;10,00;1;1006;;501;7", "date_out_of_range"],
  ["31.02.2026;Север;10,00;1;1007;;501;7", "invalid_date"],
  ["24.11.2026;Центр;10,00;1;1008;;501;7", "unknown_region"],
  ["24.11.2026;Север;1.000,50;1;1009;;501;7", "invalid_amount"],
  ["24.11.2026;Север;10,00;1,5;1010;;501;7", "invalid_quantity"],
  ["24.11.2026;Север;10,00;1;1011;;гость;7", "invalid_customer_id"],
  ["24.11.2026;Север;10,00;1;№1012;;501;7", "invalid_sale_id"],
  ["24.11.2026;Север;10,00;1;1013;;501;0", "invalid_product_id"],
  ["24.11.2026;Север;;1;1014;;501;7", "missing_value"],
  ["24.11.2026;Север;10,00;1;1015;;501", "malformed_row"],
  ["24.11.2026;Север;10,00;1;1016;лишнее;поле;501;7", "malformed_row"],
];
const MAP = [
  "sale_id=Заказ",
  "customer_id=Клиент",
  "product_id=Товар",
  "quantity=Кол-во",
  "sale_date=Дата",
  "sale_amount=Сумма, ₽",
  "region=Регион",
];

async function sql(database: "postgres" | "clickhouse", query: string): Promise<Record<string, string>[]> {
  const { code, stdout, stderr } = await run(["sql", database, query, "--format=json", "--home", home]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

describe("salesflow ingest and run --from clean", () => {
  it("load an irregular export into ClickHouse, and account for every kopeck and every rejected row", async () => {
    const file = `${home}/выгрузка.csv.gz`;
    const text = `\ufeff${HEADER}\r\n${LINES.map(([line]) => line).join("\r\n")}`;
    await Deno.writeFile(file, gzipSync(text));
    const ingested = await run([
      ...["ingest", file, "--run-id", "orders", "--as-of", "2026-11-24", "--home", home],
      ...MAP.flatMap((pair) => ["--map", pair]),
    ]);
    assertEquals([ingested.code, ingested.stdout], [0, ""], ingested.stderr);

    const strict = await run(["run", "--run-id", "orders", "--rows", "77", "--home", home]);
    assertStringIncludes(
      strict.stderr,
      "this run already has ingested sales: --rows 77 has no effect",
    );
    assertStringIncludes(strict.stderr, ": it is the next stage");
    assertEquals(strict.code, 1);
    assertStringIncludes(strict.stderr, "12 of 18 rows would be rejected");
    const { code, stdout, stderr } = await run([
      "run",
      "--run-id",
      "orders",
      "--max-rejected",
      "0.7",
      "--home",
      home,
    ]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout.replace(/[\u00a0\u202f]/g, " "), "90 072 993 881.82");

    const reasons = LINES.flatMap(([, reason]) => reason && reason !== "duplicate" ? [reason] : []);
    const rejected = await sql("postgres", "SELECT line, reason FROM shop.rejected_sales ORDER BY line");
    assertEquals(rejected.map(({ reason }) => reason), reasons);
    // Line numbers refer to the export: blank lines and line breaks in quotes count.
    const { length } = text.split("\n");
    assertEquals(rejected.at(-1)!.line, String(length));

    assertEquals(
      await sql(
        "clickhouse",
        "SELECT region, total_sales, total_amount FROM shop.sales_aggregates WHERE level = 'region' ORDER BY region",
      ),
      [
        { region: "East", total_sales: "1", total_amount: "0.01" },
        { region: "North", total_sales: "1", total_amount: "1234.50" },
        { region: "South", total_sales: "1", total_amount: "99.90" },
        { region: "West", total_sales: "2", total_amount: "90072992547.41" },
      ],
    );
    const [sale] = await sql("postgres", "SELECT * FROM shop.sales WHERE sale_id = 1003");
    assertEquals(sale, {
      sale_id: "1003",
      customer_id: "503",
      product_id: "8",
      quantity: "1",
      sale_date: "2026-11-23",
      sale_amount: "1000000.00",
      region: "West",
    });
    const html = await Deno.readTextFile(`${home}/runs/orders/report/report.html`);
    assert(!html.includes("<script>alert(1)</script>"));
    // Rejected rows are shown with the name of the export, not of the part.
    assertStringIncludes(html, "выгрузка.csv.gz:10");
    assert(!html.includes("part-00000.csv:"));
  });

  it("accept old sales with --no-date-range", async () => {
    const file = `${home}/history.csv`;
    const header = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";
    await Deno.writeTextFile(
      file,
      `${header}\n1,1,1,1,2019-03-01,10.00,North\n2,1,1,1,2020-02-29,5.00,South\n`,
    );
    const args = ["--run-id", "history", "--home", home];
    assertEquals((await run(["ingest", file, "--as-of", "2026-11-10", ...args])).code, 0);
    assertEquals((await run(["run", ...args])).code, 1);
    const { code, stderr } = await run(["run", "--no-date-range", ...args]);
    assertEquals(code, 0, stderr);
    assertEquals(await sql("postgres", "SELECT min(sale_date), max(sale_date), count(*) FROM shop.sales"), [
      { min: "2019-03-01", max: "2020-02-29", count: "2" },
    ]);
  });

  it("use the earlier export after a wrong file name, which changes nothing", async () => {
    const args = ["--run-id", "orders", "--home", home];
    const failed = await run(["ingest", `${home}/none.csv`, ...args]);
    assertEquals(failed.code, 2);
    const again = await run(["run", "--to", "clean", "--max-rejected", "0.7", ...args]);
    assertEquals(again.code, 0, again.stderr);
  });

  it("end when the last ingest failed in the middle", async () => {
    const args = ["--run-id", "orders", "--home", home];
    const file = `${home}/cut.csv.gz`;
    const rows = Array.from(
      { length: 120_000 },
      (_, index) => `${index},1,1,1,2026-11-10,${index * 7919 % 1013}.00,N`,
    );
    const header = "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";
    const whole = gzipSync([header, ...rows].join("\n"));
    await Deno.writeFile(file, whole.subarray(0, whole.length - 10));
    const failed = await run(["ingest", file, ...args]);
    assertEquals(failed.code, 2);
    const refused = await run(["run", "--max-rejected", "0.7", ...args]);
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertStringIncludes(refused.stderr, "The last ingest of run orders failed: ");
    assertStringIncludes(refused.stderr, "--from clean");
  });

  it("create no run when --from names a stage that needs one", async () => {
    const { code, stderr } = await run(["run", "--from", "load", "--run-id", "nobody", "--home", home]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "There is no run nobody");
    assertEquals(await Deno.stat(`${home}/runs/nobody`).catch(() => undefined), undefined);
  });
});

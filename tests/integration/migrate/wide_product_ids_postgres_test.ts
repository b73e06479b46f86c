/** The migration of PostgreSQL that widens product_id to 64 bits, on tables that hold rows. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { CLICKHOUSE_MIGRATIONS, POSTGRES_MIGRATIONS } from "../../../lib/migrate/migrations.ts";
import { transfer } from "../../../lib/transfer/transfer.ts";
import { verify } from "../../../lib/verify/verify.ts";
import { makeSales, type Sale, Testbed, writeRunFiles } from "../tables/harness.ts";

const FIRST = {
  postgresMigrations: POSTGRES_MIGRATIONS.slice(0, 1),
  clickhouseMigrations: CLICKHOUSE_MIGRATIONS.slice(0, 1),
};
const PRODUCTS = Array.from({ length: 50 }, (_, i) => `${i + 1},Product ${i + 1},Home,1.00,2.00`);

/** Columns of shop.products that may be null. */
const NULLABLE =
  "SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'products' AND is_nullable = 'YES' ORDER BY 1";

/** Rows of all tables with a product_id. */
const ROWS = [
  "SELECT sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region FROM shop.sales ORDER BY sale_id",
  "SELECT product_id, name, category, price_from, price_to FROM shop.products ORDER BY product_id",
  "SELECT * FROM shop.sales_aggregates ORDER BY level, region, product_id",
];

/** Everything that belongs to a relation of the schemas shop and desk, apart from the type of product_id. */
const RELATIONS = `
  SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relacl, c.reloptions, obj_description(c.oid),
    CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END AS definition,
    (SELECT string_agg(concat_ws(' ', attname, attnotnull, attacl, col_description(c.oid, attnum)), ', ' ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attname <> 'sku') AS columns,
    (SELECT string_agg(concat_ws(' ', conname, pg_get_constraintdef(oid)), ', ' ORDER BY conname)
      FROM pg_constraint WHERE conrelid = c.oid) AS constraints,
    (SELECT string_agg(concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, obj_description(indexrelid)), ', '
      ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = c.oid) AS indexes
  FROM pg_class c
  WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('shop', 'desk')) AND c.relkind IN ('r', 'p', 'v')
  ORDER BY c.oid::regclass::text`;

const TYPES = `
  SELECT DISTINCT format_type(atttypid, atttypmod)
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE attname = 'product_id' AND relkind IN ('r', 'p', 'v', 'm') AND relnamespace >= 16384`;

describe("0002_wide_product_ids.sql of PostgreSQL", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.open();
    await testbed.sql("CREATE ROLE owner_of_views; CREATE ROLE analyst; CREATE ROLE clerk");
    await writeRunFiles(testbed.store, {
      runId: "old",
      source: "generated",
      parts: [makeSales(300)],
      products: PRODUCTS,
    });
  });
  afterAll(() => testbed.close());

  /** Returns the rows, and the relations with all that belongs to them. */
  async function readPostgres(): Promise<unknown> {
    const rows = [];
    for (const query of ROWS) rows.push(await testbed.values(query));
    return { rows, relations: await testbed.values(RELATIONS) };
  }

  beforeEach(async () => {
    await testbed.sql("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS desk CASCADE");
    await testbed.clickhouse("DROP DATABASE IF EXISTS shop SYNC");
    await migrate(testbed.context("old"), FIRST);
    await load(testbed.context("old"));
    await aggregate(testbed.context("old"));
  });

  it("keeps rows, grants, comments, constraints, added indexes and views", async () => {
    await testbed.sql(`
      CREATE INDEX by_product ON shop.sales (product_id, sale_date);
      COMMENT ON INDEX shop.by_product IS 'ours';
      COMMENT ON COLUMN shop.sales.product_id IS 'number in the catalogue';
      GRANT SELECT ON shop.sales TO clerk;
      GRANT SELECT (product_id), UPDATE (name) ON shop.products TO clerk;
      CREATE SCHEMA desk;
      GRANT ALL ON SCHEMA desk TO owner_of_views;
      CREATE VIEW shop.north AS SELECT * FROM shop.sales WHERE region = 'North';
      CREATE VIEW desk."Named sales" WITH (security_barrier = true, check_option = cascaded) AS
        SELECT sale_id, product_id AS "Product" FROM shop.north WHERE quantity > 1;
      CREATE VIEW desk.both AS
        SELECT n."Product", p.name, a.total_amount FROM desk."Named sales" n
        JOIN shop.products p ON p.product_id = n."Product"
        JOIN shop.sales_aggregates a ON a.product_id = p.product_id AND a.level = 'product';
      CREATE VIEW desk.days AS SELECT sale_date, count(*) FROM shop.sales GROUP BY sale_date;
      COMMENT ON VIEW desk.both IS 'it''s ours';
      COMMENT ON COLUMN desk.both.name IS 'of the catalogue';
      GRANT SELECT ON shop.sales, shop.products, shop.sales_aggregates, shop.north TO owner_of_views;
      GRANT USAGE ON SCHEMA shop TO owner_of_views;
      ALTER VIEW desk."Named sales" OWNER TO owner_of_views;
      ALTER VIEW desk.both OWNER TO owner_of_views;
      GRANT SELECT ON desk.both TO PUBLIC;
      GRANT SELECT, UPDATE ON desk."Named sales" TO analyst WITH GRANT OPTION;
      GRANT SELECT ("Product") ON desk."Named sales" TO clerk`);
    const views = async () => [
      await testbed.values('SELECT * FROM desk.both ORDER BY "Product", total_amount'),
      await testbed.values("SELECT * FROM desk.days ORDER BY sale_date"),
    ];
    const before = [await readPostgres(), await views()];
    await migrate(testbed.context("old"));
    assertEquals(await testbed.values(NULLABLE), [["price_from"], ["price_to"], ["sku"]]);
    // What the migration means to change.
    await testbed.sql("ALTER TABLE shop.products ALTER price_from SET NOT NULL, ALTER price_to SET NOT NULL");
    assertEquals([await readPostgres(), await views()], before);
    assertEquals(await testbed.values(TYPES), [["bigint"]]);
  });

  it("adds the nullable column sku with a comment, which load leaves empty", async () => {
    await migrate(testbed.context("old"));
    await load(testbed.context("old"));
    assertEquals(await testbed.values("SELECT count(*), count(sku) AS skus FROM shop.products"), [[
      "50",
      "0",
    ]]);
    assertEquals(
      await testbed.values("SELECT col_description('shop.products'::regclass, 6)"),
      [["The product's identifier as it stood in the export; NULL for generated sales"]],
    );
  });

  const obstacles = [
    ["a materialized view", "CREATE MATERIALIZED VIEW shop.sums AS SELECT product_id FROM shop.sales"],
    [
      "a view with a rule",
      "CREATE VIEW shop.sums AS SELECT product_id FROM shop.sales; CREATE RULE nothing AS ON DELETE TO shop.sums DO INSTEAD NOTHING",
    ],
    [
      "a view with a default",
      "CREATE VIEW shop.sums AS SELECT product_id FROM shop.sales; ALTER VIEW shop.sums ALTER product_id SET DEFAULT 1",
    ],
  ];
  for (const [name, statements] of obstacles) {
    it(`changes nothing and names it when there is ${name}`, async () => {
      await testbed.sql(statements!);
      const before = await readPostgres();
      const error = await assertRejects(() => migrate(testbed.context("old")), SalesflowError);
      assertStringIncludes(error.message, "shop.sums shows product_id and is materialized");
      assertStringIncludes(error.message, "drop it, run migrate, and create it again");
      assertEquals(await readPostgres(), before);
      await testbed.sql(
        /MATERIALIZED/.test(statements!) ? "DROP MATERIALIZED VIEW shop.sums" : "DROP VIEW shop.sums",
      );
      await migrate(testbed.context("old"));
      assertEquals(await testbed.values(TYPES), [["bigint"]]);
    });
  }

  it("succeeds for an owner of the schema that is no superuser, and keeps the rights of both roles", async () => {
    const urlOf = (user: string) => {
      const url = new URL(testbed.postgresUrl);
      [url.username, url.password, url.pathname] = [user, "secret", "least"];
      return url.href;
    };
    await testbed.sql("CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'secret'");
    await testbed.sql("CREATE DATABASE least OWNER keeper");
    const keeper = testbed.context("old", { postgresUrl: urlOf("keeper") });
    await migrate(keeper, { ...FIRST, roles: true });
    await testbed.postgres(
      (db) =>
        db.query(
          `CREATE VIEW shop.sums AS SELECT product_id, sum(quantity) FROM shop.sales GROUP BY product_id;
          CREATE ROLE writer LOGIN PASSWORD 'secret'; GRANT salesflow_writer TO writer;
          CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT salesflow_reader TO reader;
          GRANT SELECT ON shop.sums TO reader`,
        ),
      urlOf("keeper"),
    );
    const writer = testbed.context("old", { postgresUrl: urlOf("writer") });
    for (const stage of [load, aggregate]) await stage(writer);
    const error = await assertRejects(() => migrate(writer), SalesflowError, "denied permission");
    assertStringIncludes(error.remedy!, "owner of the schema shop");
    await migrate(keeper);
    for (const stage of [load, aggregate, transfer, verify]) await stage(writer);
    for (const relation of ["sales", "products", "sales_aggregates", "sums"]) {
      await testbed.postgres((db) => db.query(`SELECT product_id FROM shop.${relation}`), urlOf("reader"));
    }
  });

  it("lets every stage carry the largest product_id", async () => {
    for (const stage of [migrate, load, aggregate, transfer, verify]) await stage(testbed.context("old"));
    const ids = [9223372036854775807n, 9223372036854775806n, 4611686018427387904n, 9007199254740993n, 1n];
    const sales = makeSales(20).map((sale, i): Sale => sale.with(2, String(ids[i % ids.length])) as Sale);
    const products = ids.map((id) => `${id},Product ${id},Home,1.00,2.00`);
    await writeRunFiles(testbed.store, { runId: "new", parts: [sales], products });
    for (const stage of [migrate, load, aggregate, transfer, verify]) await stage(testbed.context("new"));
    const query = "SELECT product_id FROM shop.sales_aggregates WHERE level = 'product' ORDER BY product_id";
    const expected = ids.toReversed().map((id) => [String(id)]);
    assertEquals(await testbed.values(query), expected);
    assertEquals(await testbed.clickhouse(query), expected);
  });
});

/** The tables of the pipeline: the migrations create them in the schema (in ClickHouse, the database) `shop`. No I/O. */

/** Schema of PostgreSQL and database of ClickHouse. */
export const SCHEMA = "shop";

/** Tables in PostgreSQL. */
export const POSTGRES_TABLES: readonly string[] = [
  "products",
  "sales",
  "rejected_sales",
  "pipeline_runs",
  "sales_aggregates",
  "schema_migrations",
];

/** Tables in ClickHouse. */
export const CLICKHOUSE_TABLES: readonly string[] = ["sales_aggregates", "products", "schema_migrations"];

/** What a missing table or schema means, and what the user can do. */
export interface MissingName {
  /** Predicate, such as `has no table x`. */
  summary: string;
  /** A sentence. */
  remedy: string;
}

/** How a database names and lists its tables. */
export interface TableNames {
  /** Tables of the pipeline in this database. */
  tables: readonly string[];
  /** `schema` or `database`. */
  container: string;
  /** Command that lists the pipeline's tables. */
  listTables: string;
  /** Command that lists the schemas or databases. */
  listContainers: string;
}

/** Explains that a table is missing: `migrate` creates only the pipeline's own. @param name as the database reports it */
export function explainMissingTable(name: string | undefined, names: TableNames): MissingName {
  if (name === undefined) {
    return { summary: "has no such table", remedy: `To list tables: ${names.listTables}` };
  }
  const [table = "", schema] = name.split(".").reverse();
  if (names.tables.includes(table)) {
    if (schema === SCHEMA) return { summary: "is missing a table", remedy: 'Run "salesflow migrate" first.' };
    if (schema === undefined || schema === "default" || schema === "public") {
      return {
        summary: `has no table ${name}`,
        remedy: `The pipeline's tables are in the ${names.container} ${SCHEMA}: write ${SCHEMA}.${table}.`,
      };
    }
  }
  return { summary: `has no table ${name}`, remedy: `To list tables: ${names.listTables}` };
}

/** Explains that a schema or database is missing. @param name as the database reports it */
export function explainMissingSchema(name: string | undefined, names: TableNames): MissingName {
  if (name === SCHEMA) {
    return {
      summary: `is missing the ${names.container} ${SCHEMA}`,
      remedy: 'Run "salesflow migrate" first.',
    };
  }
  return {
    summary: `has no ${names.container} ${name ?? "of this name"}`,
    remedy: `To list ${names.container}s: ${names.listContainers}`,
  };
}

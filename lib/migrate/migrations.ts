/** The migrations of this version: numbered files that never change once released. */
import { createHash } from "node:crypto";
import { SalesflowError } from "../console/errors.ts";
import clickhouse0001 from "./clickhouse/0001_shop.sql" with { type: "text" };
import clickhouse0002 from "./clickhouse/0002_wide_product_ids.sql" with { type: "text" };
import postgres0001 from "./postgres/0001_shop.sql" with { type: "text" };
import postgres0002 from "./postgres/0002_wide_product_ids.sql" with { type: "text" };

/** One migration file. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  version: number;
  /** File name, such as `0001_shop.sql`. */
  name: string;
  /** Text of the file. */
  sql: string;
  /** Hexadecimal SHA-256 of the text. */
  checksum: string;
}

/** A migration recorded in a database. */
export interface AppliedMigration {
  /** Version of the file. */
  version: number;
  /** File name. */
  name: string;
  /** Hexadecimal SHA-256 of the text. */
  checksum: string;
}

function toMigrations(files: Record<string, string>): Migration[] {
  return Object.entries(files).map(([name, sql]) => ({
    version: Number(name.slice(0, 4)),
    name,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
  }));
}

/** PostgreSQL's migrations by version. The files are imported literally, so that the executable contains them. */
export const POSTGRES_MIGRATIONS: readonly Migration[] = toMigrations({
  "0001_shop.sql": postgres0001,
  "0002_wide_product_ids.sql": postgres0002,
});
/** ClickHouse's migrations by version. */
export const CLICKHOUSE_MIGRATIONS: readonly Migration[] = toMigrations({
  "0001_shop.sql": clickhouse0001,
  "0002_wide_product_ids.sql": clickhouse0002,
});

/**
 * Returns the migrations that a database still needs.
 *
 * @param database name for messages, such as `PostgreSQL at db:5432/shop`
 * @throws {SalesflowError} when the database was migrated by an incompatible version of salesflow
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  database: string,
): Migration[] {
  const knownByVersion = new Map(known.map((migration) => [migration.version, migration]));
  const newest = known.at(-1)?.version ?? 0;
  for (const { version, name, checksum } of applied) {
    const expected = knownByVersion.get(version);
    if (!expected) {
      throw new SalesflowError(
        `${database} has a newer schema than this version of salesflow supports: it has migration ${version} (${name}), this version knows 1 to ${newest}`,
        { stage: "migrate", remedy: "Use the newer version of salesflow that created this schema." },
      );
    }
    if (expected.checksum !== checksum) {
      throw new SalesflowError(
        `${database} has a different version of the schema: its migration ${version} (${name}) has checksum ` +
          `${checksum.slice(0, 12)}…, ${expected.name} of this version has ${
            expected.checksum.slice(0, 12)
          }…`,
        {
          stage: "migrate",
          remedy:
            "Use the version of salesflow that created this schema, or start with an empty schema shop.",
        },
      );
    }
  }
  const appliedVersions = new Set(applied.map(({ version }) => version));
  const last = Math.max(0, ...appliedVersions);
  const pending = known.filter(({ version }) => !appliedVersions.has(version));
  const gap = pending.find(({ version }) => version < last);
  if (!gap) return pending;
  throw new SalesflowError(
    `${database} has migration ${last} but not migration ${gap.version} (${gap.name}): shop.schema_migrations was edited by hand`,
    {
      stage: "migrate",
      remedy: "Restore the table shop.schema_migrations, or start with an empty schema shop.",
    },
  );
}

/** Splits a file into statements, each of which ends with `;` at the end of a line. Keeps comments within statements. */
export function splitStatements(sql: string): string[] {
  return sql.split(/;[ \t]*$/m).map((statement) => statement.trim()).filter((statement) =>
    statement.replaceAll(/^\s*--.*$/gm, "").trim() !== ""
  );
}

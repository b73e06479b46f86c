/** The migrations that this version knows. Each is a numbered file that never changes once it was released. */
import { createHash } from "node:crypto";
import { SalesflowError } from "../console/errors.ts";
import clickhouse0001 from "./clickhouse/0001_shop.sql" with { type: "text" };
import postgres0001 from "./postgres/0001_shop.sql" with { type: "text" };

/** One migration file. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  version: number;
  /** File name. */
  name: string;
  sql: string;
  /** SHA-256 of the text, hexadecimal. */
  checksum: string;
}

/** A migration that a database has. */
export interface AppliedMigration {
  version: number;
  name: string;
  checksum: string;
}

function numbered(files: Record<string, string>): Migration[] {
  return Object.entries(files).map(([name, sql]) => ({
    version: Number(name.slice(0, 4)),
    name,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
  }));
}

/** In the order of application. Imports are literal, so that the executable carries the files. */
export const POSTGRES_MIGRATIONS: readonly Migration[] = numbered({ "0001_shop.sql": postgres0001 });
/** In the order of application. */
export const CLICKHOUSE_MIGRATIONS: readonly Migration[] = numbered({ "0001_shop.sql": clickhouse0001 });

/**
 * The migrations that a database still needs.
 *
 * @param database its name for messages, such as `PostgreSQL at db:5432/shop`
 * @throws {SalesflowError} when the database was migrated by another version of the program
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  database: string,
): Migration[] {
  const mine = new Map(known.map((migration) => [migration.version, migration]));
  const newest = known.at(-1)?.version ?? 0;
  for (const { version, name, checksum } of applied) {
    const here = mine.get(version);
    if (!here) {
      throw new SalesflowError(
        `${database} has a newer schema than this salesflow knows: migration ${version} (${name}), known are 1 to ${newest}`,
        { stage: "migrate", remedy: "Use the newer version of salesflow, which made that schema." },
      );
    }
    if (here.checksum !== checksum) {
      throw new SalesflowError(
        `${database} has another version of the schema: its migration ${version} (${name}) has the checksum ` +
          `${checksum.slice(0, 12)}…, ${here.name} here has ${here.checksum.slice(0, 12)}…`,
        {
          stage: "migrate",
          remedy: "Use the version of salesflow that made that schema, or start with an empty schema shop.",
        },
      );
    }
  }
  const have = new Set(applied.map(({ version }) => version));
  const last = Math.max(0, ...have);
  const pending = known.filter(({ version }) => !have.has(version));
  const gap = pending.find(({ version }) => version < last);
  if (!gap) return pending;
  throw new SalesflowError(
    `${database} has migration ${last} but lacks migration ${gap.version} (${gap.name}): its shop.schema_migrations was changed by hand`,
    {
      stage: "migrate",
      remedy: "Restore the table shop.schema_migrations, or start with an empty schema shop.",
    },
  );
}

/** The statements of a file in which every statement ends with `;` at the end of a line. Comments stay. */
export function splitStatements(sql: string): string[] {
  return sql.split(/;[ \t]*$/m).map((statement) => statement.trim()).filter((statement) =>
    statement.replaceAll(/^\s*--.*$/gm, "").trim() !== ""
  );
}

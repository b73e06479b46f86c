/** Classifies errors of PostgreSQL and of the network: whether a retry can help, and what the user can do. */
import { SalesflowError } from "../console/errors.ts";
import {
  explainMissingSchema,
  explainMissingTable,
  POSTGRES_TABLES,
  type TableNames,
} from "../domain/tables.ts";

/** SQLSTATE codes and classes of errors that a retry may resolve. */
const TRANSIENT_STATES = /^(08|57P0[1235]$|53300$|40001$|40P01$|25P03$|55006$)/;

/** Node's codes of network failures. */
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EAI_AGAIN",
]);

/** Messages of lost connections for which the driver gives no code. */
const CONNECTION_LOST =
  /no progress for|connection terminated|connection ended unexpectedly|timeout expired|query read timeout|not queryable|socket (has been )?(hang up|ended|closed)|unexpected (eof|end of file)|before secure tls connection|client was closed/i;

/** Returns the SQLSTATE or system code of an error; undefined when it has none. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

function isSqlState(code: string | undefined): boolean {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !NETWORK_CODES.has(code);
}

/** Returns PostgreSQL's message with its code, detail and context. */
function formatMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return formatMessage(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { detail, where } = error as { detail?: string; where?: string };
  const code = codeOf(error);
  const state = isSqlState(code) ? ` (SQLSTATE ${code})` : "";
  return [(error.message || code || error.name) + state, detail, where].filter((part) => part).join("; ");
}

/** An error of PostgreSQL or of the connection to it, from a single attempt. */
export class PostgresFailure extends Error {
  /** Name of the class. */
  override name = "PostgresFailure";
  /** SQLSTATE, or a system code such as ECONNREFUSED. */
  readonly code: string | undefined;
  /** Whether a retry may succeed. */
  readonly transient: boolean;

  /** Keeps the cause. @param cause error of the driver, or a message */
  constructor(cause: unknown) {
    super(formatMessage(cause), { cause });
    const code = codeOf(cause);
    this.code = code;
    this.transient = isSqlState(code)
      ? TRANSIENT_STATES.test(code!)
      : (code !== undefined && NETWORK_CODES.has(code)) || CONNECTION_LOST.test(this.message);
  }
}

interface Explanation {
  /** Predicate of "PostgreSQL at HOST …". */
  summary: string;
  remedy: string;
  exitCode?: 1 | 2 | 75;
}

/** Explanations by SQLSTATE or system code; two characters stand for a whole SQLSTATE class. */
const EXPLANATIONS: Record<string, Explanation> = {
  "28": {
    summary: "rejected the user name or password",
    remedy: "Check user and password in SALESFLOW_POSTGRES_URL, and pg_hba.conf of the server.",
  },
  "3D000": {
    summary: "has no such database",
    remedy: "Create the database, or correct its name in SALESFLOW_POSTGRES_URL.",
  },
  "42501": {
    summary: "denied permission",
    remedy:
      "Connect as the owner of the schema shop, or grant the missing privileges: see salesflow migrate --roles.",
  },
  "53100": {
    summary: "has no disk space left",
    remedy: "Free disk space on the database server, then run again.",
    exitCode: 75,
  },
  "53200": {
    summary: "ran out of memory",
    remedy: "Lower work_mem or the load on the server, then run again.",
    exitCode: 75,
  },
  "53300": {
    summary: "has no free connections",
    remedy: "Try again later, or raise max_connections.",
    exitCode: 75,
  },
  "55P03": {
    summary: "did not grant a lock in time",
    remedy: "Find its holder in pg_stat_activity, then run again.",
    exitCode: 75,
  },
  "57014": {
    summary: "stopped a statement that took too long or was cancelled",
    remedy: "Check whether the server is overloaded, then run again.",
    exitCode: 75,
  },
  "25006": { summary: "is read-only", remedy: "Connect to the primary server." },
  "22003": {
    summary: "got a number that is too large for its column",
    remedy: "Check the sums in the message: they exceed the range of the table's columns.",
  },
  ENOTFOUND: {
    summary: "has a host name that cannot be resolved",
    remedy: "Check the host in SALESFLOW_POSTGRES_URL.",
    exitCode: 75,
  },
};

const TABLE_NAMES: TableNames = {
  tables: POSTGRES_TABLES,
  container: "schema",
  listTables:
    "salesflow sql postgres \"SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'shop'\"",
  listContainers: 'salesflow sql postgres "SELECT nspname FROM pg_namespace"',
};

/** Explains a missing table or schema by its name in the message; undefined for any other error. */
function explainMissing(code: string, cause: unknown): Explanation | undefined {
  // The message may be in the server's language, with its quotation marks; keywords are not translated.
  const message = cause instanceof Error ? cause.message : "";
  const name = /["«»„“”]([^"«»„“”]+)["«»„“”]/.exec(message)?.[1]?.trim();
  if (code === "3F000") return explainMissingSchema(name, TABLE_NAMES);
  // An alias that FROM does not define has the same code.
  return code === "42P01" && !/\bFROM\b/.test(message) ? explainMissingTable(name, TABLE_NAMES) : undefined;
}

const TLS_CODE = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL|HOSTNAME_MISMATCH)/;
const TLS_MESSAGE = /certificate|does not support SSL|tls|ssl/i;

function explain({ code = "", transient, message, cause }: PostgresFailure): Explanation {
  // The driver reports a missing password by message only, without a code.
  const noPassword = !isSqlState(code) && /client password must be/.test(message);
  const known = explainMissing(code, cause) ?? EXPLANATIONS[noPassword ? "28" : code] ??
    (isSqlState(code) ? EXPLANATIONS[code.slice(0, 2)] : undefined);
  if (known) return known;
  if (transient) {
    return {
      summary: "cannot be reached or failed temporarily",
      remedy: "Check that the server is running and reachable from this machine, then run again.",
      exitCode: 75,
    };
  }
  if (TLS_CODE.test(code) || (!isSqlState(code) && TLS_MESSAGE.test(message))) {
    return {
      summary: "failed TLS verification or does not support TLS",
      remedy: "Check sslmode and sslrootcert in SALESFLOW_POSTGRES_URL and the certificate of the server.",
    };
  }
  return { summary: "reported an error", remedy: "Fix the cause given in the message, then run again." };
}

/** Converts a {@linkcode PostgresFailure} to an error with a remedy; returns any other error unchanged. */
export function postgresError(error: unknown, { server, stage }: { server: string; stage: string }): unknown {
  if (!(error instanceof PostgresFailure)) return error;
  const { summary, remedy, exitCode } = explain(error);
  return new SalesflowError(`PostgreSQL at ${server} ${summary}: ${error.message}`, {
    exitCode: exitCode ?? 1,
    remedy,
    stage,
    cause: error.cause,
  });
}

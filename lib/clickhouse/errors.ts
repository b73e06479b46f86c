/** Classifies errors of ClickHouse and of the network: whether a retry can help, and what the user can do. */
import { ClickHouseError } from "@clickhouse/client";
import { SalesflowError } from "../console/errors.ts";
import {
  CLICKHOUSE_TABLES,
  explainMissingSchema,
  explainMissingTable,
  type TableNames,
} from "../domain/tables.ts";

/** ClickHouse's codes of errors that a retry may resolve. */
const TRANSIENT_CODES = new Set([
  "159", // TIMEOUT_EXCEEDED
  "202", // TOO_MANY_SIMULTANEOUS_QUERIES
  "203", // NO_FREE_CONNECTION
  "209", // SOCKET_TIMEOUT
  "210", // NETWORK_ERROR
  "225", // NO_ZOOKEEPER
  "236", // ABORTED
  "242", // TABLE_IS_READ_ONLY, while a replica starts
  "252", // TOO_MANY_PARTS
  "279", // ALL_CONNECTION_TRIES_FAILED
  "425", // SYSTEM_ERROR
  "473", // DEADLOCK_AVOIDED
  "745", // SERVER_OVERLOADED
  "999", // KEEPER_EXCEPTION
]);

/** Messages and codes of network failures, gateways included. */
const NETWORK_ERROR =
  /ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|socket hang up|timeout|connection (closed|reset|refused)|broken pipe|unexpected (eof|end)|premature close|aborted|bad gateway|service unavailable|gateway timeout/i;

interface Explanation {
  /** Predicate of "ClickHouse at HOST …". */
  summary: string;
  remedy: string;
  exitCode?: 75;
}

/** Explanations by ClickHouse's code. */
const EXPLANATIONS: Record<string, Explanation> = {
  "164": { summary: "allows this user only to read", remedy: "Connect as a user with write access." },
  "192": {
    summary: "rejected the user name or password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "193": {
    summary: "rejected the user name or password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "194": {
    summary: "rejected the user name or password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "516": {
    summary: "rejected the user name or password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "497": { summary: "denied permission", remedy: "Grant the user the privilege named in the message." },
  "241": { summary: "ran out of memory", remedy: "Try again when the server is less busy.", exitCode: 75 },
  "243": {
    summary: "has no disk space left",
    remedy: "Free disk space on the ClickHouse server, then run again.",
    exitCode: 75,
  },
};

const TABLE_NAMES: TableNames = {
  tables: CLICKHOUSE_TABLES,
  container: "database",
  listTables: 'salesflow sql clickhouse "SHOW TABLES FROM shop"',
  listContainers: 'salesflow sql clickhouse "SHOW DATABASES"',
};

/** Explains a missing table or database by its name in the message; undefined for any other error. */
function explainMissing({ code, message }: ClickHouseFailure): Explanation | undefined {
  if (code === "81") {
    return explainMissingSchema(/^Database [`"']?([\w-]+)/.exec(message)?.[1], TABLE_NAMES);
  }
  if (code !== "60") return undefined;
  const name = /(?:^Table|identifier) [`"']?([\w`".-]*[\w`"])/.exec(message)?.[1]?.replaceAll(/[`"]/g, "");
  return explainMissingTable(name, TABLE_NAMES);
}

/** Longest message of ClickHouse that is printed: some contain the whole query. */
const MAX_MESSAGE = 600;

/** An error of ClickHouse or of the connection to it, from a single attempt. */
export class ClickHouseFailure extends Error {
  /** Name of the class. */
  override name = "ClickHouseFailure";
  /** ClickHouse's code, such as `516`; undefined when the error did not come from the server. */
  readonly code: string | undefined;
  /** Whether a retry may succeed. */
  readonly transient: boolean;

  /** Keeps the cause. @param cause error of the driver, or a message */
  constructor(cause: unknown) {
    const code = cause instanceof ClickHouseError ? cause.code : undefined;
    super(formatMessage(cause), { cause });
    this.code = code;
    const system = `${(cause as { code?: unknown } | null)?.code ?? ""} ${this.message}`;
    this.transient = code === undefined ? NETWORK_ERROR.test(system) : TRANSIENT_CODES.has(code);
  }
}

/** Code of an error in the text of the query; its message lists every token that could follow, thousands of characters. */
const SYNTAX_ERROR = "62";

function shorten(message: string): string {
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE).toWellFormed()}…` : message;
}

/** Returns the message with ClickHouse's code and type, without the server version. */
function formatMessage(cause: unknown): string {
  if (cause instanceof ClickHouseError) {
    const { code, type } = cause;
    let message = cause.message.replace(/\s*\(version [\d.]+.*\)?\s*$/s, "");
    if (code === SYNTAX_ERROR) {
      // The driver takes a word in capitals, quoted from the query, for the type of the error.
      if (type !== undefined && type !== "SYNTAX_ERROR") {
        return `${shorten(`${message.trim()} (${type})`)} (code ${code})`;
      }
      message = message.replace(/^(.*)\. Expected .*$/s, "$1");
    }
    return `${shorten(message.trim())} (code ${code}${type ? `, ${type}` : ""})`;
  }
  if (cause instanceof AggregateError && cause.errors.length > 0) return formatMessage(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || String((cause as { code?: string }).code ?? cause.name);
}

function explain(failure: ClickHouseFailure): Explanation {
  const known = explainMissing(failure) ?? EXPLANATIONS[failure.code ?? ""];
  if (known) return known;
  if (failure.transient) {
    return {
      summary: "cannot be reached, failed temporarily or is overloaded",
      remedy: "Check that the server is running and reachable from this machine, then run again.",
      exitCode: 75,
    };
  }
  if (failure.code === undefined && /ENOTFOUND|getaddrinfo|failed to lookup address/i.test(failure.message)) {
    return {
      summary: "has a host name that cannot be resolved",
      remedy: "Check the host in SALESFLOW_CLICKHOUSE_URL.",
      exitCode: 75,
    };
  }
  if (failure.code === undefined && /certificate|tls|ssl/i.test(failure.message)) {
    return {
      summary: "failed TLS verification or does not support TLS",
      remedy: "Check https and sslrootcert in SALESFLOW_CLICKHOUSE_URL and the certificate of the server.",
    };
  }
  return { summary: "reported an error", remedy: "Fix the cause given in the message, then run again." };
}

/** Converts a {@linkcode ClickHouseFailure} to an error with a remedy; returns any other error unchanged. */
export function clickhouseError(
  error: unknown,
  { server, stage }: { server: string; stage: string },
): unknown {
  if (!(error instanceof ClickHouseFailure)) return error;
  const { summary, remedy, exitCode } = explain(error);
  return new SalesflowError(`ClickHouse at ${server} ${summary}: ${error.message}`, {
    exitCode: exitCode ?? 1,
    remedy,
    stage,
    cause: error.cause,
  });
}

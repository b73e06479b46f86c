/** What PostgreSQL's and the network's errors mean to a person: whether trying again can help, and what to do. */
import { SalesflowError } from "../console/errors.ts";

/** SQLSTATE codes and classes after which the same work may well succeed. */
const TRANSIENT_STATES = /^(08|57P0[1235]$|53300$|40001$|40P01$|25P03$|55006$)/;

/** Node's codes for a network that failed on the way. */
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

/** What the driver says, in words only, when the server went away. */
const LOST =
  /nothing moved for|connection terminated|connection ended unexpectedly|timeout expired|query read timeout|not queryable|socket (has been )?(hang up|ended|closed)|unexpected (eof|end of file)|before secure tls connection|client was closed/i;

/** The SQLSTATE or system code of an error; undefined when it has none. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

function isState(code: string | undefined): boolean {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !NETWORK_CODES.has(code);
}

/** PostgreSQL's message with its code, detail and place. */
function words(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return words(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { detail, where } = error as { detail?: string; where?: string };
  const code = codeOf(error);
  const state = isState(code) ? ` (SQLSTATE ${code})` : "";
  return [(error.message || code || error.name) + state, detail, where].filter((part) => part).join("; ");
}

/** An error of PostgreSQL or of the way to it, before retries have been given up. */
export class PostgresFailure extends Error {
  override name = "PostgresFailure";
  /** SQLSTATE, or the system's code such as ECONNREFUSED. */
  readonly code: string | undefined;
  /** Whether the same work may succeed when it is tried again. */
  readonly transient: boolean;

  constructor(cause: unknown) {
    super(words(cause), { cause });
    const code = codeOf(cause);
    this.code = code;
    this.transient = isState(code)
      ? TRANSIENT_STATES.test(code!)
      : (code !== undefined && NETWORK_CODES.has(code)) || LOST.test(this.message);
  }
}

interface Meaning {
  says: string;
  remedy: string;
  exitCode?: 1 | 2 | 75;
}

/** By SQLSTATE or system code; a class of two characters stands for all its codes. */
const MEANINGS: Record<string, Meaning> = {
  "28": {
    says: "refuses the user or the password",
    remedy: "Check user and password in SALESFLOW_POSTGRES_URL, and pg_hba.conf of the server.",
  },
  "3D000": {
    says: "has no such database",
    remedy: "Create the database, or correct its name in SALESFLOW_POSTGRES_URL.",
  },
  "42501": {
    says: "does not allow this",
    remedy: "Connect as the owner of the schema shop, or grant the rights: see salesflow migrate --roles.",
  },
  "42P01": { says: "lacks a table", remedy: 'Run "salesflow migrate" first.' },
  "3F000": { says: "lacks the schema", remedy: 'Run "salesflow migrate" first.' },
  "53100": {
    says: "has no disk space left",
    remedy: "Free disk space on the database server, then run again.",
    exitCode: 75,
  },
  "53200": {
    says: "has no memory left",
    remedy: "Lower work_mem or the load on the server, then run again.",
    exitCode: 75,
  },
  "53300": {
    says: "has no connection left",
    remedy: "Try again later, or raise max_connections.",
    exitCode: 75,
  },
  "55P03": {
    says: "did not give a lock in time",
    remedy: "Find who holds it in pg_stat_activity, then run again.",
    exitCode: 75,
  },
  "57014": {
    says: "ended the statement, which took too long or was cancelled",
    remedy: "See whether the server is overloaded, then run again.",
    exitCode: 75,
  },
  "25006": { says: "is read-only", remedy: "Connect to the primary server." },
  "22003": {
    says: "met a number that is too large for its column",
    remedy: "Look at the sums in the message: they exceed the table's columns.",
  },
  ENOTFOUND: {
    says: "cannot be found by name",
    remedy: "Check the host in SALESFLOW_POSTGRES_URL.",
    exitCode: 75,
  },
};

const TLS_CODE = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL|HOSTNAME_MISMATCH)/;
const TLS_WORDS = /certificate|does not support SSL|tls|ssl/i;

function meaningOf({ code = "", transient, message }: PostgresFailure): Meaning {
  // The driver has only words for a server that wants a password when there is none.
  const noPassword = !isState(code) && /client password must be/.test(message);
  const known = MEANINGS[noPassword ? "28" : code] ??
    (isState(code) ? MEANINGS[code.slice(0, 2)] : undefined);
  if (known) return known;
  if (transient) {
    return {
      says: "cannot be reached or broke off",
      remedy: "Check that the server runs and that the network lets this machine through, then run again.",
      exitCode: 75,
    };
  }
  if (TLS_CODE.test(code) || (!isState(code) && TLS_WORDS.test(message))) {
    return {
      says: "did not prove who it is, or does not speak TLS",
      remedy: "Check sslmode and sslrootcert in SALESFLOW_POSTGRES_URL and the certificate of the server.",
    };
  }
  return { says: "reported an error", remedy: "Read the message; run again when its cause is gone." };
}

/** Turns a failure into an error for people; any other error stays as it is. */
export function postgresError(error: unknown, { server, stage }: { server: string; stage: string }): unknown {
  if (!(error instanceof PostgresFailure)) return error;
  const { says, remedy, exitCode } = meaningOf(error);
  return new SalesflowError(`PostgreSQL at ${server} ${says}: ${error.message}`, {
    exitCode: exitCode ?? 1,
    remedy,
    stage,
    cause: error.cause,
  });
}

/** What ClickHouse's and the network's errors mean to a person: whether trying again can help, and what to do. */
import { ClickHouseError } from "@clickhouse/client";
import { SalesflowError } from "../console/errors.ts";

/** Codes of ClickHouse after which the same work may well succeed. */
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

const NETWORK =
  /ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|socket hang up|timeout|connection (closed|reset|refused)|broken pipe|unexpected (eof|end)|premature close|aborted|bad gateway|service unavailable|gateway timeout/i;

interface Meaning {
  says: string;
  remedy: string;
  exitCode?: 75;
}

const MEANINGS: Record<string, Meaning> = {
  "60": { says: "lacks a table", remedy: 'Run "salesflow migrate" first.' },
  "81": { says: "lacks the database shop", remedy: 'Run "salesflow migrate" first.' },
  "164": { says: "lets this user only read", remedy: "Connect as a user who may write." },
  "192": {
    says: "refuses the user or the password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "193": {
    says: "refuses the user or the password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "194": {
    says: "refuses the user or the password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "516": {
    says: "refuses the user or the password",
    remedy: "Check user and password in SALESFLOW_CLICKHOUSE_URL.",
  },
  "497": { says: "does not allow this", remedy: "Grant the user the right that the message names." },
  "241": { says: "has no memory left", remedy: "Try again when the server is less busy.", exitCode: 75 },
  "243": {
    says: "has no disk space left",
    remedy: "Free disk space on the ClickHouse server, then run again.",
    exitCode: 75,
  },
};

/** An error of ClickHouse or of the way to it, before retries have been given up. */
export class ClickHouseFailure extends Error {
  override name = "ClickHouseFailure";
  /** ClickHouse's code, such as `516`; undefined when the server did not answer. */
  readonly code: string | undefined;
  /** Whether the same work may succeed when it is tried again. */
  readonly transient: boolean;

  constructor(cause: unknown) {
    const code = cause instanceof ClickHouseError ? cause.code : undefined;
    super(messageOf(cause), { cause });
    this.code = code;
    const system = `${(cause as { code?: unknown } | null)?.code ?? ""} ${this.message}`;
    this.transient = code === undefined ? NETWORK.test(system) : TRANSIENT_CODES.has(code);
  }
}

function messageOf(cause: unknown): string {
  if (cause instanceof ClickHouseError) {
    return `${cause.message.replace(/\s*\(version [\d.]+.*\)?\s*$/s, "").trim()} (code ${cause.code}${
      cause.type ? `, ${cause.type}` : ""
    })`;
  }
  if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || String((cause as { code?: string }).code ?? cause.name);
}

function meaningOf(failure: ClickHouseFailure): Meaning {
  const known = MEANINGS[failure.code ?? ""];
  if (known) return known;
  if (failure.transient) {
    return {
      says: "cannot be reached, broke off or is overloaded",
      remedy: "Check that the server runs and that the network lets this machine through, then run again.",
      exitCode: 75,
    };
  }
  if (failure.code === undefined && /ENOTFOUND|getaddrinfo|failed to lookup address/i.test(failure.message)) {
    return {
      says: "cannot be found by name",
      remedy: "Check the host in SALESFLOW_CLICKHOUSE_URL.",
      exitCode: 75,
    };
  }
  if (failure.code === undefined && /certificate|tls|ssl/i.test(failure.message)) {
    return {
      says: "did not prove who it is, or does not speak TLS",
      remedy: "Check https and sslrootcert in SALESFLOW_CLICKHOUSE_URL and the certificate of the server.",
    };
  }
  return { says: "reported an error", remedy: "Read the message; run again when its cause is gone." };
}

/** Turns a failure into an error for people; any other error stays as it is. */
export function clickhouseError(
  error: unknown,
  { server, stage }: { server: string; stage: string },
): unknown {
  if (!(error instanceof ClickHouseFailure)) return error;
  const { says, remedy, exitCode } = meaningOf(error);
  return new SalesflowError(`ClickHouse at ${server} ${says}: ${error.message}`, {
    exitCode: exitCode ?? 1,
    remedy,
    stage,
    cause: error.cause,
  });
}

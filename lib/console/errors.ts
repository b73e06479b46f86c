/** Errors for the user: message, causes, remedy and exit code. */

/** Matches error codes and messages of the operating system for a full disk or an exceeded quota. */
export const NO_SPACE = /ENOSPC|EDQUOT|no space left|quota exceeded/i;

/**
 * Exit codes of failures: 1 permanent failure, 2 invalid usage or configuration, 75 temporary failure, where a retry may
 * succeed (EX_TEMPFAIL of sysexits.h).
 */
export type ExitCode = 1 | 2 | 75;

/** Properties of a {@linkcode SalesflowError} besides its message. */
export interface ErrorDetails {
  /**
   * Exit code of the process.
   *
   * @default {1}
   */
  exitCode?: ExitCode;
  /** What the user can do, as a sentence. */
  remedy?: string;
  /** Name of the failed stage. */
  stage?: string;
  /** Id of the failed run. */
  runId?: string;
  /** Structured form of all lines of the message but the first, for JSON logs. */
  evidence?: Record<string, unknown>;
  /** The underlying error; its message is printed as well. */
  cause?: unknown;
}

/** An error with an exit code and a remedy. Its message never contains a secret. */
export class SalesflowError extends Error {
  /** Name of the class. */
  override name = "SalesflowError";
  /** See {@linkcode ErrorDetails.exitCode}. */
  readonly exitCode: ExitCode;
  /** See {@linkcode ErrorDetails.remedy}. */
  readonly remedy: string | undefined;
  /** See {@linkcode ErrorDetails.stage}. */
  readonly stage: string | undefined;
  /** See {@linkcode ErrorDetails.runId}. */
  readonly runId: string | undefined;
  /** See {@linkcode ErrorDetails.evidence}. */
  readonly evidence: Record<string, unknown> | undefined;

  /** Creates an error; `message` must not contain a secret. */
  constructor(message: string, details: ErrorDetails = {}) {
    const { exitCode = 1, remedy, stage, runId, evidence, cause } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.remedy = remedy;
    this.stage = stage;
    this.runId = runId;
    this.evidence = evidence;
  }
}

/** Invalid usage or configuration (exit code 2). One error lists all mistakes. */
export class UsageError extends SalesflowError {
  /** Name of the class. */
  override name = "UsageError";
  /** All mistakes, as sentences. */
  readonly mistakes: readonly string[];

  /** Creates an error whose message has one line per mistake. */
  constructor(mistakes: readonly string[], remedy?: string) {
    super(mistakes.join("\n"), { exitCode: 2, ...(remedy ? { remedy } : {}) });
    this.mistakes = mistakes;
  }
}

/** Runs a check and returns its UsageError, to report it together with others; undefined when the check passes. */
export function catchUsageError(check: () => unknown): UsageError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

/** Returns the exit code for any error: 1 unless it is a {@linkcode SalesflowError}. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SalesflowError ? error.exitCode : 1;
}

/** Returns the messages of an error and its causes, outermost first, without those that an earlier one contains. At most 8. */
export function messageChain(error: unknown): string[] {
  const messages: string[] = [];
  const seen = new Set<unknown>();
  for (
    let current: unknown = error;
    current !== undefined && current !== null && !seen.has(current) && messages.length < 8;
  ) {
    seen.add(current);
    const text = current instanceof Error ? (current.message || current.name) : String(current);
    if (!messages.some((message) => message.includes(text))) messages.push(text);
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else current = current instanceof Error ? current.cause : undefined;
  }
  return messages;
}

/** Errors that people see: what was found, why, and what to do next. */

/** The system's words for a disk that takes no more, now or ever. */
export const NO_SPACE = /ENOSPC|EDQUOT|no space left|quota exceeded/i;

/** How the process ends: 0 done, 1 failed for good, 2 wrong usage or configuration, 75 failed for now (try again). */
export type ExitCode = 1 | 2 | 75;

/** What an error knows besides its message. */
export interface ErrorDetails {
  /** @default {1} */
  exitCode?: ExitCode;
  /** What the person can do about it, as a sentence. */
  remedy?: string;
  /** The stage that failed. */
  stage?: string;
  /** The run that failed. */
  runId?: string;
  /** What the lines of the message after its first one tell people, for machines. */
  evidence?: Record<string, unknown>;
  /** The error underneath, kept for the chain that is printed. */
  cause?: unknown;
}

/** An error with an exit code and a remedy. Its message never holds a secret. */
export class SalesflowError extends Error {
  override name = "SalesflowError";
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;
  readonly stage: string | undefined;
  readonly runId: string | undefined;
  readonly evidence: Record<string, unknown> | undefined;

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

/** Wrong usage or configuration (exit code 2): every mistake found, in one error. */
export class UsageError extends SalesflowError {
  override name = "UsageError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], remedy?: string) {
    super(mistakes.join("\n"), { exitCode: 2, ...(remedy ? { remedy } : {}) });
    this.mistakes = mistakes;
  }
}

/** What a check finds wrong, so that it can be reported together with other mistakes; undefined when all is well. */
export function usageErrorOf(check: () => unknown): UsageError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

/** The exit code for any error; one that nobody foresaw is final. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SalesflowError ? error.exitCode : 1;
}

/** The message of an error and of every error underneath, outermost first. */
export function messageChain(error: unknown): string[] {
  const messages: string[] = [];
  const seen = new Set<unknown>();
  for (let at: unknown = error; at !== undefined && at !== null && !seen.has(at) && messages.length < 8;) {
    seen.add(at);
    const text = at instanceof Error ? (at.message || at.name) : String(at);
    if (!messages.some((message) => message.includes(text))) messages.push(text);
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors[0];
    else at = at instanceof Error ? at.cause : undefined;
  }
  return messages;
}

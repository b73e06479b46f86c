/** Creates the client of the AWS SDK for S3, with timeouts and logged retries. */
import type * as S3 from "@aws-sdk/client-s3";
import { DEFAULT_LIMITS } from "../../connection/limits.ts";
import { SalesflowError } from "../../console/errors.ts";
import { escapePlaceholders, formatAttemptsLeft, logger } from "../../console/log.ts";
import type { S3Settings } from "./settings.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** The SDK's commands and a client. Loaded when a bucket is first used, because most runs do not need the SDK. */
export type S3Sdk = typeof S3 & { client: S3.S3Client };

/** Reads the certificates of the authorities to trust. */
async function readCaBundle(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const remedy = "Set AWS_CA_BUNDLE to a file with certificates in PEM format, or unset it.";
    throw new SalesflowError(`Cannot read AWS_CA_BUNDLE ${path}`, { exitCode: 2, remedy, cause });
  }
}

/**
 * Creates a client that logs a warning for each of its retries.
 *
 * @throws {SalesflowError} when the file of certificates is needed and cannot be read
 */
export async function createClient({ endpoint, region, caBundle }: S3Settings): Promise<S3Sdk> {
  const s3 = await import("@aws-sdk/client-s3");
  const usesTls = !/^http:/i.test(endpoint ?? "");
  const ca = caBundle && usesTls ? await readCaBundle(caBundle) : undefined;
  const client = new s3.S3Client({
    region,
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    maxAttempts: 1 + DEFAULT_LIMITS.retries,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, DEFAULT_LIMITS.statementTimeoutMs),
      requestTimeout: DEFAULT_LIMITS.statementTimeoutMs,
      socketTimeout: DEFAULT_LIMITS.statementTimeoutMs,
      // By default, the handler only logs a warning when a request times out.
      throwOnRequestTimeout: true,
      ...(ca ? { httpsAgent: { ca } } : {}),
    },
    // Some S3-compatible services do not support the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  // Runs inside the client's retry loop, which logs nothing itself.
  client.middlewareStack.add(
    (next, { commandName }) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        logRetry(String(commandName), args.request, error);
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "salesflowLogRetries" },
  );
  return { ...s3, client };
}

/** Logs a failed attempt if the client is about to retry it. */
function logRetry(command: string, request: unknown, error: unknown): void {
  const header = (request as { headers?: Record<string, string> }).headers?.["amz-sdk-request"];
  const [, attempt, maxAttempts] = /^attempt=(\d+); max=(\d+)/.exec(header ?? "") ?? [];
  const status = httpStatusOf(error);
  const isTransient = status === undefined || status >= 500 || status === 408 || status === 429;
  if (!attempt || !isTransient || Number(attempt) >= Number(maxAttempts)) return;
  const left = Number(maxAttempts) - Number(attempt);
  const why = error instanceof Error ? error.message : String(error);
  const message = `${command.replace(/Command$/, "")}: ${why}; retrying (${formatAttemptsLeft(left)})`;
  logger("store").warn(escapePlaceholders(message));
}

/** Returns the HTTP status of a failed request; undefined when there was no response. */
export function httpStatusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** The official client of S3: how it is made, and what it says when it tries again. */
import type * as S3 from "@aws-sdk/client-s3";
import { DEFAULT_LIMITS } from "../../connection/limits.ts";
import { logger, triesLeft } from "../../console/log.ts";
import type { BucketService } from "./bucket_service.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** The client and its commands; loaded when the first store is used, because most runs need none of it. */
export type S3Sdk = typeof S3 & { client: S3.S3Client };

/** A client of the service. It says when it tries again. */
export async function connect({ endpoint, region }: BucketService): Promise<S3Sdk> {
  const s3 = await import("@aws-sdk/client-s3");
  const client = new s3.S3Client({
    region,
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    maxAttempts: 1 + DEFAULT_LIMITS.retries,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, DEFAULT_LIMITS.statementMs),
      requestTimeout: DEFAULT_LIMITS.statementMs,
      socketTimeout: DEFAULT_LIMITS.statementMs,
      // Otherwise the handler only warns about a request that takes too long.
      throwOnRequestTimeout: true,
    },
    // Services other than Amazon's do not all know the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  // Inside of the client's own retries, which say nothing.
  client.middlewareStack.add(
    (next, { commandName }) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        noteRetry(String(commandName), args.request, error);
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "salesflowNotesRetries" },
  );
  return { ...s3, client };
}

/** Says that the client is about to try again. */
function noteRetry(command: string, request: unknown, error: unknown): void {
  const header = (request as { headers?: Record<string, string> }).headers?.["amz-sdk-request"];
  const [, attempt, most] = /^attempt=(\d+); max=(\d+)/.exec(header ?? "") ?? [];
  const status = statusOf(error);
  const passes = status === undefined || status >= 500 || status === 408 || status === 429;
  if (!attempt || !passes || Number(attempt) >= Number(most)) return;
  const left = Number(most) - Number(attempt);
  const why = error instanceof Error ? error.message : String(error);
  logger("store").warn(`${command.replace(/Command$/, "")}: ${why}; trying again (${triesLeft(left)})`);
}

/** The HTTP status of a failed request; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

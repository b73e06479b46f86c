/** How to reach buckets, from the environment. */
import type { Environment } from "../../connection/database_urls.ts";
import { UsageError } from "../../console/errors.ts";

/** How to reach the buckets. */
export interface BucketService {
  /** Undefined for Amazon's own. */
  endpoint: string | undefined;
  region: string;
}

/** It becomes a part of a host's name. */
const REGION = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

function isEndpoint(text: string): boolean {
  try {
    // Keys have variables of their own; the client would leave out a user, and say nothing.
    return /^https?:$/.test(new URL(text).protocol) && !/[@?#]/.test(text);
  } catch {
    return false;
  }
}

/**
 * Reads `SALESFLOW_S3_ENDPOINT`, `AWS_REGION` and `AWS_DEFAULT_REGION`.
 *
 * @throws {UsageError} naming every mistake at once, and showing no value: it may hold a key
 */
export function bucketService(environment: Environment = (name) => Deno.env.get(name)): BucketService {
  const mistakes: string[] = [];
  const endpoint = environment("SALESFLOW_S3_ENDPOINT") || undefined;
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    mistakes.push(
      "Cannot use SALESFLOW_S3_ENDPOINT: it must be http:// or https:// and a host, without a user, such as https://minio.example:9000",
    );
  }
  const variable = environment("AWS_REGION") ? "AWS_REGION" : "AWS_DEFAULT_REGION";
  const region = environment(variable) || "us-east-1";
  if (!REGION.test(region)) {
    mistakes.push(`Cannot use ${variable}: it must be the name of a region, such as eu-central-1`);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return { endpoint, region };
}

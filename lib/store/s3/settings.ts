/** Reads the settings of the S3 service from the environment. */
import type { Environment } from "../../connection/database_urls.ts";
import { UsageError } from "../../console/errors.ts";

/** Settings of an S3-compatible service. */
export interface S3Settings {
  /** URL of the service; undefined for Amazon S3. */
  endpoint: string | undefined;
  /** Name of the region. */
  region: string;
  /** File with the certificates of the authorities to trust, in place of the usual ones. */
  caBundle?: string;
}

/** The region becomes part of a host name. */
const REGION = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

function isEndpoint(text: string): boolean {
  try {
    // Keys have their own variables; the client silently ignores a user in the URL.
    return /^https?:$/.test(new URL(text).protocol) && !/[@?#]/.test(text);
  } catch {
    return false;
  }
}

/**
 * Reads `SALESFLOW_S3_ENDPOINT`, `AWS_REGION` or else `AWS_DEFAULT_REGION`, and `AWS_CA_BUNDLE`, which other programs for
 * S3 know, but not the SDK.
 *
 * @throws {UsageError} listing all mistakes; does not quote values, which may contain a key
 */
export function readS3Settings(environment: Environment = (name) => Deno.env.get(name)): S3Settings {
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
  const caBundle = environment("AWS_CA_BUNDLE");
  return { endpoint, region, ...(caBundle ? { caBundle } : {}) };
}

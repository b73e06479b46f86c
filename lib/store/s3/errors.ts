/** Explains failed requests to a bucket: the remedy follows from the cause, and so does whether a retry can help. */
import { type ExitCode, SalesflowError } from "../../console/errors.ts";
import { httpStatusOf } from "./client.ts";

interface Explanation {
  /** Follows "Cannot …: ". */
  summary: string;
  remedy: string;
  exitCode: ExitCode;
}

/** Codes of Node.js for failed TLS handshakes. */
const TLS_CODE = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;
/** The service does not speak TLS at all. */
const NO_TLS = /wrong version number|InvalidContentType/;
const UNKNOWN_HOST = /^(ENOTFOUND|EAI_AGAIN|EAI_NONAME)$/;
/** Codes and messages of connections that failed, ended or stalled. */
const NO_CONNECTION =
  /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|TimeoutError|time(d )?out|socket hang up|connection|aborted|premature|unexpected end|no progress/i;

const permanent = (summary: string, remedy: string): Explanation => ({ summary, remedy, exitCode: 1 });
const temporary = (summary: string, remedy: string): Explanation => ({ summary, remedy, exitCode: 75 });

const REJECTED_KEYS = permanent(
  "the service rejected the credentials",
  "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
);
const EXPIRED_SESSION = permanent(
  "the credentials have expired",
  "Get new temporary credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
);
const WRONG_REGION = permanent(
  "the bucket is in another region",
  "Set AWS_REGION to the region of the bucket.",
);

/** Explanations by the name of S3's error, or of the SDK's own. */
const BY_NAME: Record<string, Explanation> = {
  CredentialsProviderError: permanent(
    "no credentials were found",
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  ),
  InvalidAccessKeyId: REJECTED_KEYS,
  SignatureDoesNotMatch: REJECTED_KEYS,
  InvalidToken: REJECTED_KEYS,
  ExpiredToken: EXPIRED_SESSION,
  TokenRefreshRequired: EXPIRED_SESSION,
  RequestTimeTooSkewed: permanent(
    "the clocks of this machine and the service differ",
    "Set the clock of this machine.",
  ),
  AccessDenied: permanent(
    "access denied",
    "Grant the user of AWS_ACCESS_KEY_ID permission to list the bucket and to read, write and delete its objects.",
  ),
  NoSuchBucket: permanent("there is no such bucket", "Create the bucket, or correct --store."),
  InvalidBucketName: permanent("the name of the bucket is invalid", "Correct --store."),
  PermanentRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
};

function explainTls(text: string): Explanation | undefined {
  if (NO_TLS.test(text)) {
    return permanent(
      "the service does not use TLS",
      "Begin SALESFLOW_S3_ENDPOINT with http://, or turn on TLS in the service.",
    );
  }
  return undefined;
}

/** Explains an error without a response. */
function explainConnection(code: string, text: string): Explanation {
  const tls = explainTls(text);
  if (tls) return tls;
  if (TLS_CODE.test(code) || /certificate/i.test(text)) {
    return permanent(
      "the certificate of the service was rejected",
      "Check its host name, dates and issuer. For an authority of your own, set NODE_EXTRA_CA_CERTS or AWS_CA_BUNDLE to a file with its certificate.",
    );
  }
  if (UNKNOWN_HOST.test(code)) {
    return temporary(
      "the host name of the service cannot be resolved",
      "Check the host in SALESFLOW_S3_ENDPOINT and the network, then try again.",
    );
  }
  if (NO_CONNECTION.test(text)) {
    return temporary(
      "the connection to the service failed",
      "Check that SALESFLOW_S3_ENDPOINT can be reached and whether it must begin with http:// or https://, then try again.",
    );
  }
  return temporary("the request failed", "Fix the cause given in the message, then try again.");
}

function explain(error: unknown): Explanation {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (known) return known;
  const status = httpStatusOf(error);
  if (status === undefined) {
    const code = String((error as { code?: unknown } | null)?.code ?? "");
    return explainConnection(code, `${name} ${code} ${message}`);
  }
  if (status === 401 || status === 403) {
    // Responses to HEAD have no body and so no name.
    return permanent(
      "access denied",
      "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their permissions on the bucket.",
    );
  }
  if (status === 301 || status === 307) return WRONG_REGION;
  if (status >= 500 || status === 408 || status === 429) {
    return temporary(
      `the service failed or is overloaded (status ${status})`,
      "Check that SALESFLOW_S3_ENDPOINT can be reached and is healthy, then try again.",
    );
  }
  if (status >= 400) {
    return permanent(
      `the service refused the request (status ${status})`,
      "Check --store and SALESFLOW_S3_ENDPOINT.",
    );
  }
  return temporary(
    "the response of the service is incomplete or invalid",
    "Check that SALESFLOW_S3_ENDPOINT can be reached and is a service for S3, then try again.",
  );
}

/**
 * Converts the error of a failed request to one with a remedy; returns a {@linkcode SalesflowError} unchanged.
 *
 * @param action completes "Cannot …", such as `read run.json in s3://bucket`
 */
export function s3Error(error: unknown, action: string): SalesflowError {
  if (error instanceof SalesflowError) return error;
  const { summary, remedy, exitCode } = explain(error);
  return new SalesflowError(`Cannot ${action}: ${summary}`, { exitCode, remedy, cause: error });
}

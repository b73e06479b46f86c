import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { createClient } from "../../../../lib/store/s3/client.ts";
import { s3Error } from "../../../../lib/store/s3/errors.ts";
import { FakeBucket } from "../fake_bucket.ts";

/** Returns an error as the SDK throws it. */
function failure(
  { name = "Error", message = "failed", code, status }: {
    name?: string;
    message?: string;
    code?: string;
    status?: number;
  },
): Error {
  const $metadata = status === undefined ? {} : { httpStatusCode: status };
  return Object.assign(new Error(message), { name, ...(code ? { code } : {}), $metadata });
}

describe("s3Error()", () => {
  const cases: [what: string, error: Error, exitCode: number, summary: RegExp, remedy: RegExp][] = [
    [
      "the connection is refused",
      failure({ code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1" }),
      75,
      /the connection to the service failed/,
      /can be reached/,
    ],
    ["it times out", failure({ name: "TimeoutError" }), 75, /the connection/, /can be reached/],
    [
      "the host is unknown",
      failure({ code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND nowhere" }),
      75,
      /host name/,
      /host in SALESFLOW_S3_ENDPOINT/,
    ],
    [
      "the certificate is not trusted",
      failure({ code: "DEPTH_ZERO_SELF_SIGNED_CERT", message: "self-signed certificate" }),
      1,
      /certificate of the service was rejected/,
      /AWS_CA_BUNDLE/,
    ],
    [
      "the certificate is for another host",
      failure({ code: "ERR_TLS_CERT_ALTNAME_INVALID", message: "Hostname/IP does not match" }),
      1,
      /certificate/,
      /host name/,
    ],
    [
      "the service does not use TLS",
      failure({
        code: "ERR_SSL_WRONG_VERSION_NUMBER",
        message: "received corrupt message: wrong version number",
      }),
      1,
      /does not use TLS/,
      /http:\/\//,
    ],
    [
      "there are no credentials",
      failure({ name: "CredentialsProviderError" }),
      1,
      /no credentials/,
      /^Set AWS_ACCESS_KEY_ID/,
    ],
    [
      "the secret key is wrong",
      failure({ name: "SignatureDoesNotMatch", status: 403 }),
      1,
      /rejected the credentials/,
      /AWS_SECRET_ACCESS_KEY/,
    ],
    [
      "the session is over",
      failure({ name: "ExpiredToken", status: 400 }),
      1,
      /expired/,
      /AWS_SESSION_TOKEN/,
    ],
    ["the clock is wrong", failure({ name: "RequestTimeTooSkewed", status: 403 }), 1, /clocks/, /clock/],
    ["permission is missing", failure({ name: "AccessDenied", status: 403 }), 1, /access denied/, /^Grant/],
    ["HEAD is forbidden", failure({ name: "403", status: 403 }), 1, /access denied/, /permissions/],
    ["there is no bucket", failure({ name: "NoSuchBucket", status: 404 }), 1, /no such bucket/, /Create/],
    ["the region is wrong", failure({ name: "PermanentRedirect", status: 301 }), 1, /region/, /AWS_REGION/],
    ["the service fails", failure({ status: 503 }), 75, /status 503/, /healthy, then try again/],
    ["the service is too busy", failure({ status: 429 }), 75, /status 429/, /try again/],
    ["the request is refused", failure({ status: 400 }), 1, /status 400/, /--store/],
    ["the response is cut off", failure({ status: 200 }), 75, /incomplete/, /try again/],
    ["the cause is unknown", failure({ message: "boom" }), 75, /the request failed/, /in the message/],
  ];
  for (const [what, error, exitCode, summary, remedy] of cases) {
    it(`explains that ${what}`, () => {
      const explained = s3Error(error, "list runs in s3://shop");
      assertMatch(explained.message, /^Cannot list runs in s3:\/\/shop: /);
      assertMatch(explained.message, summary);
      assertMatch(explained.remedy!, remedy);
      assertEquals([explained.exitCode, explained.cause], [exitCode, error]);
    });
  }

  it("returns a SalesflowError unchanged", () => {
    const error = new SalesflowError("lost");
    assert(s3Error(error, "x") === error);
  });

  describe("of real connections over TLS", () => {
    const tls = new URL("../../../integration/connection/tls/", import.meta.url);
    const { pathname: authority } = new URL("ca.pem", tls);
    const names = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
    const previous = new Map<string, string | undefined>();
    let server: Deno.HttpServer<Deno.NetAddr>;
    let plain: FakeBucket;

    beforeAll(async () => {
      for (const [name, value] of Object.entries(names)) {
        previous.set(name, Deno.env.get(name));
        Deno.env.set(name, value);
      }
      plain = new FakeBucket();
      const pem = await Deno.readTextFile(new URL("server.pem", tls));
      const key = await Deno.readTextFile(new URL("server.key", tls));
      server = Deno.serve({ port: 0, hostname: "127.0.0.1", cert: pem, key, onListen() {} }, () => {
        return new Response("{}");
      });
    });
    afterAll(async () => {
      for (const [name, value] of previous) {
        value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
      }
      await server.shutdown();
      await plain.close();
    });

    async function read(endpoint: string, caBundle?: string): Promise<string> {
      const settings = { endpoint, region: "us-east-1", ...(caBundle ? { caBundle } : {}) };
      const { client, GetObjectCommand } = await createClient(settings);
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: "shop", Key: "run.json" }));
        return await Body!.transformToString();
      } catch (error) {
        throw s3Error(error, "read");
      } finally {
        client.destroy();
      }
    }

    it("connects when AWS_CA_BUNDLE names the authority", async () => {
      assertEquals(await read(`https://127.0.0.1:${server.addr.port}`, authority), "{}");
    });

    it("explains a certificate of an unknown authority", async () => {
      const { pathname: other } = new URL("other_ca.pem", tls);
      const error = await assertRejects(
        () => read(`https://127.0.0.1:${server.addr.port}`, other),
        SalesflowError,
        "certificate of the service was rejected",
      );
      assertEquals(error.exitCode, 1);
    });

    it("explains https to a service without TLS", async () => {
      const error = await assertRejects(
        () => read(plain.endpoint.replace("http:", "https:"), authority),
        SalesflowError,
        "does not use TLS",
      );
      assertStringIncludes(error.remedy!, "http://");
    });
  });
});

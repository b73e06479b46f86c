/** The identities that EKS gives to pods instead of keys, with stand-ins of its agent and of AWS STS. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { PERMISSIONS } from "../../../../cli/program.ts";
import { type CommandResult, start } from "../../../cli/command.ts";
import { Service } from "../../security/service.ts";

const TOKEN = "token-of-the-service-account";
const NO_RUNS = `<ListBucketResult><Name>shop</Name><KeyCount>0</KeyCount></ListBucketResult>`;
const EXPIRATION = "2099-01-01T00:00:00Z";
const STS = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>${EXPIRATION}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`;

let folder: string;
let tokenFile: string;
let bucket: Service;

beforeEach(async () => {
  folder = await Deno.makeTempDir({ prefix: "salesflow-identity-" });
  tokenFile = join(folder, "token");
  await Deno.writeTextFile(tokenFile, TOKEN);
  bucket = new Service(() => new Response(NO_RUNS, { headers: { "content-type": "application/xml" } }));
});
afterEach(async () => {
  await bucket.close();
  await Deno.remove(folder, { recursive: true });
});

/** Lists the runs in the bucket, with the permissions of the images and without keys. */
function listRuns(env: Record<string, string>): Promise<CommandResult> {
  const withoutKeys = {
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    HOME: folder,
    AWS_REGION: "eu-central-1",
  };
  const settings = { SALESFLOW_S3_ENDPOINT: `http://${bucket.host}`, SALESFLOW_RETRIES: "0" };
  return start(["status", "--store", "s3://shop"], { ...withoutKeys, ...settings, ...env }, {
    permissions: PERMISSIONS,
  }).ended;
}

describe("a bucket with the role of a service account", () => {
  it("is used with EKS Pod Identity", async () => {
    const keys = {
      AccessKeyId: "ASIAROLE",
      SecretAccessKey: "secret",
      Token: "session",
      Expiration: EXPIRATION,
    };
    const agent = new Service(() => Response.json(keys));
    try {
      const { code, stderr } = await listRuns({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${agent.host}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
      });
      assertEquals(code, 0, stderr);
      assertEquals(agent.authorizations, [TOKEN]);
      assertMatch(bucket.authorizations.at(-1)!, /Credential=ASIAROLE\//);
    } finally {
      await agent.close();
    }
  });

  it("is used with IAM roles for service accounts", async () => {
    const sts = new Service(() => new Response(STS, { headers: { "content-type": "text/xml" } }));
    try {
      const { code, stderr } = await listRuns({
        AWS_ENDPOINT_URL_STS: `http://${sts.host}`,
        AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/sales",
        AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      });
      assertEquals(code, 0, stderr);
      // The token is in the body; no keys are needed to ask for some.
      assertEquals(sts.authorizations, [""]);
      assertMatch(bucket.authorizations.at(-1)!, /Credential=ASIAROLE\//);
    } finally {
      await sts.close();
    }
  });
});

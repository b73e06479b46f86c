import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../../lib/console/errors.ts";
import { readS3Settings } from "../../../../lib/store/s3/settings.ts";

const read = (environment: Record<string, string>) => readS3Settings((name) => environment[name]);

describe("readS3Settings()", () => {
  it("returns Amazon S3 in us-east-1 by default", () => {
    assertEquals(read({}), { endpoint: undefined, region: "us-east-1" });
  });

  it("reads endpoint and region; empty variables count as unset", () => {
    assertEquals(read({ SALESFLOW_S3_ENDPOINT: "", AWS_REGION: "", AWS_DEFAULT_REGION: "eu-central-1" }), {
      endpoint: undefined,
      region: "eu-central-1",
    });
    assertEquals(read({ SALESFLOW_S3_ENDPOINT: "http://127.0.0.1:9000/", AWS_REGION: "RegionOne" }), {
      endpoint: "http://127.0.0.1:9000/",
      region: "RegionOne",
    });
  });

  it("reads the file of certificates", () => {
    assertEquals(read({ AWS_CA_BUNDLE: "/ca.pem" }).caBundle, "/ca.pem");
    assertEquals("caBundle" in read({ AWS_CA_BUNDLE: "" }), false);
  });

  const invalid = [
    "http//minio",
    "ftp://minio",
    "minio:9000",
    "https://key:pw@minio",
    "https://",
    "http://m?x",
  ];
  for (const endpoint of invalid) {
    it(`rejects the endpoint ${endpoint} and an invalid region without showing them`, () => {
      const error = assertThrows(
        () => read({ SALESFLOW_S3_ENDPOINT: endpoint, AWS_REGION: "eu west" }),
        UsageError,
      );
      assertEquals(error.mistakes.map((mistake) => mistake.split(":")[0]), [
        "Cannot use SALESFLOW_S3_ENDPOINT",
        "Cannot use AWS_REGION",
      ]);
      assertEquals(error.message.includes("key:pw") || error.message.includes("eu west"), false);
    });
  }
});

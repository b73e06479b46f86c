import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { maskUrl } from "../../../lib/connection/mask_url.ts";

// tests/conformance/password_fuzz_test.ts tries it within the functions that use it.
describe("maskUrl()", () => {
  const cases: [text: string, shown: string][] = [
    ["gs://bucket/prefix", "gs://bucket/prefix"],
    ["data/2026", "data/2026"],
    ["2026-11-24T10:00", "2026-11-24T10:00"],
    ["50%", "50%"],
    ["https://key:pw@minio/b", "https://…"],
    ["S3://key:pw", "S3://…"],
    ["s3://bucket?secret=pw", "s3://…"],
    ["http//key:pw@minio", "…"],
    ["key:pw@minio/b", "…"],
  ];
  for (const [text, shown] of cases) {
    it(`returns ${shown} for ${text}`, () => assertEquals(maskUrl(text), shown));
  }
});

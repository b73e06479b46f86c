import { assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import {
  CompressionLimit,
  MAX_COMPRESSION_RATIO,
  UNCHECKED_OUTPUT_BYTES,
} from "../../../../lib/ingest/formats/compression_limit.ts";

describe("CompressionLimit", () => {
  it("allows the ratio and some bytes more", () => {
    const limit = new CompressionLimit("a.zip");
    limit.addDecompressed(UNCHECKED_OUTPUT_BYTES);
    limit.addCompressed(10);
    limit.addDecompressed(10 * MAX_COMPRESSION_RATIO);
    assertThrows(
      () => limit.addDecompressed(1),
      SalesflowError,
      "a.zip decompresses to more than 100 times its size",
    );
  });
});

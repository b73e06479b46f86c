import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { damagedArchive, damagedFile, fileError } from "../../../../lib/ingest/formats/file_error.ts";

describe("errors about files", () => {
  it("have exit code 2, the stage, a remedy and their cause", () => {
    const cause = new Error("low level");
    const errors = [
      fileError("a.csv is odd", "Export it again."),
      damagedArchive("a.csv.gz", cause),
      damagedFile("a.xlsx", "workbook", cause),
    ];
    assertEquals(
      errors.map(({ message, exitCode, stage, remedy, cause }) => [message, exitCode, stage, remedy, cause]),
      [
        ["a.csv is odd", 2, "ingest", "Export it again.", undefined],
        [
          "a.csv.gz is damaged: it cannot be decompressed completely",
          2,
          "ingest",
          "Copy or export the file again.",
          cause,
        ],
        [
          "a.xlsx is damaged: it cannot be read as a workbook",
          2,
          "ingest",
          "Copy or export the file again.",
          cause,
        ],
      ],
    );
  });
});

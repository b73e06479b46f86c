import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { UsageError } from "../../../lib/console/errors.ts";
import { isUrl, openStore } from "../../../lib/store/open_store.ts";
import { makeTestStore, type TestStore } from "./harness.ts";

let testStore: TestStore;
beforeAll(async () => {
  testStore = await makeTestStore();
});
afterAll(() => testStore.remove());

describe("openStore()", () => {
  it("opens a folder by path or URL", async () => {
    const { folder } = testStore;
    for (const location of [folder, `file://${folder}`, `file://localhost${folder}`, `${folder}/`]) {
      const store = openStore(location);
      await store.writeText("a.txt", location);
      assertEquals(await Deno.readTextFile(`${folder}/a.txt`), location);
      assertMatch(store.url, /^file:\/\/\//);
    }
  });

  it("opens a folder whose name contains special characters of URLs", async () => {
    const name = `${testStore.folder}/Отчёт 100% #1?`;
    await openStore(name).writeText("a.txt", "x");
    assertEquals(await Deno.readTextFile(`${name}/a.txt`), "x");
    assertEquals(await openStore(openStore(name).url).readText("a.txt"), "x");
  });

  it("opens a bucket with or without a prefix", () => {
    for (
      const [location, url] of [
        ["s3://bucket", "s3://bucket"],
        ["s3://bucket/", "s3://bucket"],
        ["s3://my.bucket-1/a/b/", "s3://my.bucket-1/a/b"],
      ]
    ) {
      assertEquals(openStore(location!, () => undefined).url, url);
    }
  });

  it("rejects invalid settings of the S3 service", () => {
    const environment = (name: string) => name === "AWS_REGION" ? "eu west" : undefined;
    assertThrows(() => openStore("s3://bucket", environment), UsageError, "Cannot use AWS_REGION");
  });

  const invalid = [
    ...[
      "gs://bucket",
      "http://host/folder",
      "file:folder",
      "file://host/folder",
      "ftp:x",
      "a\0b",
      "S3://bucket",
    ],
    ...[
      "file:///a%00b",
      "file:///%zz",
      "file:///a%2fb",
      "file:///a?b",
      "s3://bucket/a#b",
      "s3://Bucket",
      "s3://b",
    ],
  ];
  for (const location of invalid) {
    it(`rejects ${JSON.stringify(location)}`, () => {
      assertThrows(() => openStore(location), UsageError, "Cannot open the store");
    });
  }

  it("rejects a file, and a path below a file", async () => {
    const file = `${testStore.folder}/file`;
    await Deno.writeTextFile(file, "x");
    assertThrows(() => openStore(file), UsageError, `Cannot store runs in ${file}: it is a file`);
    assertThrows(() => openStore(`${file}/runs`), UsageError, "a folder above it is a file");
  });
});

describe("isUrl()", () => {
  for (const location of ["s3://bucket", "file:///a", "C:x", "a+b.c-d:"]) {
    it(`returns true for ${location}`, () => assertEquals(isUrl(location), true));
  }
  for (const location of ["/a:b", "a/b:c", "./a:b", "", "1a:b", "отчёт:1"]) {
    it(`returns false for ${JSON.stringify(location)}`, () => assertEquals(isUrl(location), false));
  }
});

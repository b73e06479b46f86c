import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";
import { SalesflowError } from "../../../../lib/console/errors.ts";
import { findInputs } from "../../../../lib/ingest/inputs.ts";
import { MAX_RECORDS, readSample } from "../../../../lib/ingest/suggest/sample.ts";
import { makeTestStore, toBytes } from "../../store/harness.ts";

const place = await makeTestStore();
afterAll(() => place.remove());

async function sampleOf(name: string, content: string | Uint8Array) {
  await Deno.writeFile(`${place.folder}/${name}`, toBytes(content));
  const [input] = await findInputs([name], place.folder, "names");
  return await readSample(input!);
}

const HEADER = "Заказ;Дата;Количество;Цена";

describe("readSample()", () => {
  it("finds a header below titles, and the encoding", async () => {
    const text = `Отчёт;;;\n\n${HEADER}\n1;16.11.2026;2;3,00\n`;
    const bytes = Uint8Array.from(text, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x80 ? code : code === 0x451 ? 0xb8 : code - 0x410 + 0xc0;
    });
    assertEquals(await sampleOf("1251.csv", bytes), {
      format: { encoding: "windows-1251", header: 3 },
      names: HEADER.split(";"),
      records: [["1", "16.11.2026", "2", "3,00"]],
      isWhole: true,
    });
  });

  it("reads packed files and members of objects", async () => {
    const { names } = await sampleOf("a.csv.gz", gzipSync(`${HEADER}\n1;16.11.2026;2;3,00\n`));
    assertEquals(names, HEADER.split(";"));
    const json = await sampleOf(
      "a.jsonl",
      '{"order":{"id":"A"},"qty":2}\n{"order":{"id":"B","at":"2026-11-16"}}\n',
    );
    assertEquals(json.names, ["order.id", "qty", "order.at"]);
    assertEquals(json.records, [["A", "2", ""], ["B", "", "2026-11-16"]]);
  });

  it("looks at the first records of a large file only", async () => {
    const { records, isWhole } = await sampleOf(
      "big.csv",
      `${HEADER}\n${"1;16.11.2026;2;3,00\n".repeat(200_000)}`,
    );
    assertEquals([records.length, isWhole], [MAX_RECORDS, false]);
  });

  it("ends with 2 when no names are known", async () => {
    const error = await assertRejects(
      () => sampleOf("x.csv", "a,b,c\n1,2,3\n"),
      SalesflowError,
      "no header with names",
    );
    assertEquals(error.exitCode, 2);
  });
});

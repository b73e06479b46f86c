import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UnknownPlaces } from "../../../lib/ingest/unknown_places.ts";

const encode = (text: string) => new TextEncoder().encode(text);

describe("UnknownPlaces", () => {
  it("counts what stands in place of a region at the end of raw lines, with the first line", () => {
    const places = new UnknownPlaces();
    const lines = '1,North\n\n2,Омск\n3,w\n4,\nmalformed\n5,"Омск, Сибирь"\n6,"a ""b"""\n7,SouthEast\n';
    assertEquals(places.addLines(encode(lines), "a.csv", 5), 9);
    assertEquals(places.addLines(encode("8,Омск"), "b.csv", 2), 1);
    assertEquals(places.describe(), [
      "Омск: 2 lines, the first is a.csv line 7",
      "Омск, Сибирь: 1 line, the first is a.csv line 11",
      'a "b": 1 line, the first is a.csv line 12',
      "SouthEast: 1 line, the first is a.csv line 13",
    ]);
  });

  it("names twenty, and counts the others", () => {
    const places = new UnknownPlaces();
    for (let index = 0; index < 25; index++) places.add(`Town ${index}`, "a.csv", index);
    for (const region of ["North", "юг", "E", ""]) places.add(region, "a.csv", 1);
    assertEquals([places.describe().length, places.describe()[20]], [21, "5 more places: 5 lines"]);
  });
});

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  regionClass,
  renderAverage,
  renderBar,
  renderFigure,
  renderMoney,
  renderMoneyHeader,
  renderRegion,
  renderTable,
} from "../../../lib/report/components.ts";
import { textOf } from "./fixtures.ts";

describe("renderTable()", () => {
  const table = renderTable<[string, number]>(
    "Units <by> region",
    [
      { header: "Region", rowHeader: true, cell: ([name]) => name },
      { header: "Units", numeric: true, wideOnly: true, cell: ([, units], index) => `${index}: ${units}` },
    ],
    [["North", 5], ["West", 6]],
    ["All", 11],
  );

  it("contains caption, headers, rows and footer in order", () => {
    assertEquals(textOf(table).trim(), "Units &lt;by&gt; region Region Units North 0: 5 West 1: 6 All 11");
  });

  it("marks headers of rows and columns, numbers, and columns for wide screens", () => {
    const markup = table.toString();
    assertEquals(markup.match(/<th scope="row"/g)?.length, 3);
    assertEquals(markup.match(/<th scope="col"/g)?.length, 2);
    assertEquals(markup.match(/class="number extra"/g)?.length, 4);
  });

  it("has no footer when none is given", () => {
    const markup = renderTable<string>("Names", [{ header: "Name", cell: (name) => name }], ["a"]);
    assertEquals(markup.toString().includes("<tfoot"), false);
  });
});

describe("renderBar()", () => {
  it("has the width of the share in percent", () => {
    assertStringIncludes(renderBar(1n, 3n).toString(), '<rect class="fill accent" width="33.33"');
    assertStringIncludes(renderBar(2n, 2n, "bad").toString(), '<rect class="fill bad" width="100"');
  });

  it("has no width when the whole is zero", () => {
    assertStringIncludes(renderBar(0n, 0n).toString(), 'accent" width="0"');
  });
});

describe("renderMoney()", () => {
  it("contains the exact amount and a compact one for phones", () => {
    assertEquals(textOf(renderMoney(123_456_789n)).trim(), "1 234 567.89 ₽1.23 m");
    assertEquals(textOf(renderMoney(5n, "little")).trim(), "0.05 little");
  });
});

describe("renderAverage()", () => {
  it("contains the exact amount and whole roubles for phones", () => {
    assertEquals(textOf(renderAverage(123_450n)).trim(), "1 234.50 ₽1 235");
  });
});

describe("renderMoneyHeader()", () => {
  it("adds the unit on wide screens", () => {
    assertEquals(renderMoneyHeader("Revenue").toString(), 'Revenue<span class="full">, ₽</span>');
  });
});

describe("regionClass()", () => {
  it("returns the class of a known region, and accent for any other", () => {
    assertEquals(["North", "Centre"].map(regionClass), ["north", "accent"]);
  });
});

describe("renderRegion()", () => {
  it("contains the name and a mark in the colour of the region", () => {
    assertMatch(renderRegion("West").toString(), /class="mark west" aria-hidden="true"><\/span>West</);
  });
});

describe("renderFigure()", () => {
  it("contains title, note and content", () => {
    assertEquals(
      textOf(renderFigure("Title", "Note <1>", ["content"])).trim(),
      "Title Note &lt;1&gt; content",
    );
  });
});

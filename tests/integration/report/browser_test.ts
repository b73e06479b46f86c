/** Tests of the report in headless Chromium. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { aggregate } from "../../../lib/aggregate/aggregate.ts";
import { clean } from "../../../lib/clean/clean.ts";
import { generate } from "../../../lib/generate/generate.ts";
import { load } from "../../../lib/load/load.ts";
import { migrate } from "../../../lib/migrate/migrate.ts";
import { report, reportPath } from "../../../lib/report/report.ts";
import { Testbed } from "../tables/harness.ts";

const CHROMIUM = Deno.env.get("CHROMIUM_PATH") ?? "/usr/bin/chromium";
/** Tests may run as root, where the sandbox does not work. The other flags disable background network access. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const found = await Deno.stat(CHROMIUM).then(() => true, () => false);
if (!found) {
  console.warn(`No Chromium at ${CHROMIUM}: skipping its tests. Set CHROMIUM_PATH to run them.`);
}
/** Without a browser, the tests are reported as ignored. */
const suite = found ? describe : describe.skip;

/** Viewport and media features of the page. */
interface View {
  width: number;
  height?: number;
  colorScheme?: "light" | "dark";
  media?: "print";
}

suite("report in Chromium", () => {
  let testbed: Testbed;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    testbed = await Testbed.open();
    const context = testbed.context("2026-11-24");
    await migrate(context);
    const sizes = { rows: 3_000, products: 60, customers: 500, partitions: 2, workers: 1 };
    await generate(context, { ...sizes, seed: 7, defectRate: 0.05 });
    await clean(context, { maxRejected: 0.1, checkDateRange: true, workers: 1 });
    await load(context);
    await aggregate(context);
    await report(context);
    url = pathToFileURL(`${testbed.folder}/store/${reportPath("2026-11-24")}`).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });

  afterAll(async () => {
    await browser?.close();
    await testbed?.close();
  });

  /** Opens the report with all details expanded. Fails on console messages, errors and requests other than for the file. */
  async function withPage<T>(
    { width, height = 800, colorScheme = "light", media }: View,
    work: (page: Page) => Promise<T>,
  ) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    try {
      const page = await context.newPage();
      const problems: string[] = [];
      page.on("console", (message) => problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("request", (request) => {
        if (request.url() !== url && !request.url().startsWith("data:")) problems.push(request.url());
      });
      if (media) await page.emulateMedia({ media });
      await page.goto(url);
      for (const summary of await page.locator("summary:visible").all()) await summary.click();
      const result = await work(page);
      assertEquals(problems, []);
      return result;
    } finally {
      await context.close();
    }
  }

  /** Evaluates an expression in the page. */
  function evaluate<T>(page: Page, expression: string): Promise<T> {
    return page.evaluate(expression) as Promise<T>;
  }

  for (const width of [360, 1280]) {
    it(`draws every chart at ${width} pixels`, () =>
      withPage({ width }, async (page) => {
        const charts = await evaluate<
          { id: string; width: number; height: number; longest: number; marks: number }[]
        >(
          page,
          `[...document.querySelectorAll(".chart")].map((chart) => {
            const [svg] = [...chart.querySelectorAll("svg")].filter((svg) => svg.getClientRects().length > 0);
            const { width, height } = svg.getBoundingClientRect();
            const paths = [...svg.querySelectorAll("path")];
            const longest = Math.max(...paths.map((path) => path.getTotalLength()));
            const marks = paths.filter((path) => getComputedStyle(path).fill !== "none").length;
            return { id: chart.id, width, height, longest, marks };
          })`,
        );
        assertEquals(charts.map(({ id }) => id), [
          "chart-line",
          "chart-months",
          "chart-weekdays",
          "chart-shares",
          "chart-curve",
        ]);
        for (const { id, width: drawn, height, longest, marks } of charts) {
          assert(
            drawn > 300 && height > 40 && longest > 100 && marks > 0,
            `${id}: ${drawn} × ${height}, ${longest}, ${marks}`,
          );
        }
        assertEquals(charts[1]!.marks, 13 * 4);
        assertEquals(charts[2]!.marks, 7);
      }));
  }

  for (const width of [320, 360, 768, 1280]) {
    it(`does not scroll horizontally at ${width} pixels`, () =>
      withPage({ width }, async (page) => {
        assertEquals(await evaluate(page, "document.documentElement.scrollWidth"), width);
      }));
  }

  it("has readable text in charts on a phone", () =>
    withPage({ width: 360 }, async (page) => {
      const sizes = await evaluate<number[]>(
        page,
        `[...document.querySelectorAll(".chart .narrow text")].map((text) => text.getBoundingClientRect().height)`,
      );
      assert(sizes.length > 30);
      assert(Math.min(...sizes) >= 9, `smallest: ${Math.min(...sizes)}`);
    }));

  it("follows the colour scheme, charts included, with enough contrast in both", async () => {
    const colours = (colorScheme: "light" | "dark") =>
      withPage({ width: 1280, colorScheme }, async (page) => ({
        page: await evaluate<string>(page, "getComputedStyle(document.body).backgroundColor"),
        ink: await evaluate<string>(page, "getComputedStyle(document.body).color"),
        label: await evaluate<string>(page, `getComputedStyle(document.querySelector(".chart text")).fill`),
        mark: await evaluate<string>(
          page,
          `getComputedStyle(document.querySelector("#chart-weekdays .wide path[fill^='var(--accent)']")).fill`,
        ),
        shares: await evaluate<string[]>(
          page,
          `[...document.querySelectorAll("#chart-shares .wide path")].map((path) => getComputedStyle(path).fill)`,
        ),
        onShares: await evaluate<string>(
          page,
          `getComputedStyle(document.querySelector("#chart-shares .wide text")).fill`,
        ),
      }));
    const [light, dark] = [await colours("light"), await colours("dark")];
    for (const name of ["page", "ink", "label", "mark"] as const) assert(light[name] !== dark[name], name);
    for (const { page, ink, label, mark, shares, onShares } of [light, dark]) {
      assert(contrast(page, ink) >= 7, `ink ${contrast(page, ink)}`);
      assert(contrast(page, label) >= 4.5, `label ${contrast(page, label)}`);
      assert(contrast(page, mark) >= 3, `mark ${contrast(page, mark)}`);
      for (const share of shares) {
        assert(contrast(page, share) >= 3, `region ${share} ${contrast(page, share)}`);
        assert(contrast(share, onShares) >= 4.5, `name on ${share} ${contrast(share, onShares)}`);
      }
    }
  });

  it("prints in light colours even when the colour scheme is dark", () =>
    withPage({ width: 800, colorScheme: "dark", media: "print" }, async (page) => {
      assertEquals(
        await evaluate(page, "getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)",
      );
    }));

  it("has a text alternative for each chart", () =>
    withPage({ width: 1280 }, async (page) => {
      const labels = await page.getByRole("img").evaluateAll((charts) =>
        charts.map((chart) => chart.ariaLabel ?? "")
      );
      assertEquals(labels.length, 5);
      assertMatch(labels[2]!, /^Average daily revenue by weekday.*Monday [+−±]\d/);
    }));
});

/** Returns the contrast ratio of two opaque colours such as `rgb(27, 32, 39)`, 1 … 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = colour.match(/\d+/g)!.map((channel) => {
      const value = Number(channel) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

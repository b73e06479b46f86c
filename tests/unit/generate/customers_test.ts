import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Customers } from "../../../lib/generate/customers.ts";
import { Random } from "../../../lib/generate/random.ts";

const YEAR = 90_000;
const FROM = 60 * YEAR;

/** Counts the sales of each customer of one year. */
function countYear(newPerYear: number, seed = 1): Map<number, number> {
  const customers = new Customers(YEAR, newPerYear, new Random(seed));
  const counts = new Map<number, number>();
  for (let key = FROM; key < FROM + YEAR; key++) {
    const customer = customers.customerOf(key);
    counts.set(customer, (counts.get(customer) ?? 0) + 1);
  }
  return counts;
}

describe("Customers", () => {
  it("customerOf() has as many new customers a year as asked, all year", () => {
    const customers = new Customers(YEAR, 30_000, new Random(5));
    const seen = new Set<number>();
    for (let key = FROM - YEAR; key < FROM; key++) seen.add(customers.customerOf(key));
    for (let month = 0; month < 12; month++) {
      const before = seen.size;
      for (let key = 0; key < YEAR / 12; key++) {
        seen.add(customers.customerOf(FROM + month * YEAR / 12 + key));
      }
      const found = seen.size - before;
      // A few older customers come back after more than a year.
      assert(found > 2_300 && found < 2_900, `${found} new customers in month ${month + 1}`);
    }
  });

  it("customerOf() is a branching process: as many buy once, and often, as in an online shop", () => {
    for (const seed of [1, 2, 3, 4]) {
      const counts = [...countYear(30_000, seed).values()].sort((a, b) => b - a);
      const once = counts.filter((count) => count === 1).length / counts.length;
      const tenth = counts.slice(0, counts.length / 10).reduce((sum, count) => sum + count) / YEAR;
      assert(once > 0.45 && once < 0.6, `${once} buy once`);
      assert(tenth > 0.33 && tenth < 0.45, `the first tenth places ${tenth} of the sales`);
      assert(counts[0]! < 200, `${counts[0]} sales of one customer`);
    }
  });

  it("customerOf() names customers by their first sale", () => {
    const customers = new Customers(YEAR, 30_000, new Random(1));
    for (const customer of countYear(30_000).keys()) {
      assert(customer >= 0 && customer < FROM + YEAR, `customer ${customer}`);
      assertEquals(customers.customerOf(customer), customer);
    }
  });

  it("customerOf() gives every sale a customer of its own when there are as many customers as sales", () => {
    assertEquals(countYear(YEAR).size, YEAR);
    assertEquals(countYear(5 * YEAR).size, YEAR);
  });

  it("customerOf() ends for a shop with one new customer a year, who stays for long", () => {
    const counts = countYear(1);
    assert(counts.size < 100, `${counts.size} customers`);
  });
});

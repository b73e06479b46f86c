/** Behaviour that both providers of `@std/testing` must have; runs with the selected one. */
import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";

describe("hooks", () => {
  const order: string[] = [];
  beforeAll(() => void order.push("beforeAll"));
  beforeEach(() => void order.push("beforeEach"));
  afterEach(() => void order.push("afterEach"));
  afterAll(() => assertEquals(order.at(-1), "afterEach"));
  it("run beforeAll() once, before the first test", () => assertEquals(order, ["beforeAll", "beforeEach"]));
  it("run beforeEach() and afterEach() around each test", () => {
    assertEquals(order, ["beforeAll", "beforeEach", "afterEach", "beforeEach"]);
  });
});

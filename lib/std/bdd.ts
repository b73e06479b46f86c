/** Stand-in for `@std/testing/bdd`, backed by `node:test`: the names that the tests use. */
export { after as afterAll, afterEach, before as beforeAll, beforeEach, describe, it } from "node:test";

/**
 * Stand-in for `@std/testing/bdd`, backed by `node:test`. Implements only what the tests use, with the parameter types
 * of the original, so that code that compiles with the stand-in also compiles with the JSR package.
 */
import * as node from "node:test";

/** Body of a test or hook. */
export type TestBody = () => void | Promise<void>;
/** Body of `describe()`, which must be synchronous. */
export type SuiteBody = () => void | undefined;
/** Registers a named test or suite. */
export type Register<Body> = (name: string, fn: Body) => void;

/** Registers a test; `it.skip` registers one that does not run. */
export const it: Register<TestBody> & { skip: Register<TestBody> } = node.it;
/** Registers a suite of tests; `describe.skip` registers one that does not run. */
export const describe: Register<SuiteBody> & { skip: Register<SuiteBody> } = node.describe;
/** Registers a function to run before the tests of the suite. */
export const beforeAll: (fn: TestBody) => void = node.before;
/** Registers a function to run after the tests of the suite. */
export const afterAll: (fn: TestBody) => void = node.after;
/** Registers a function to run before each test of the suite. */
export const beforeEach: (fn: TestBody) => void = node.beforeEach;
/** Registers a function to run after each test of the suite. */
export const afterEach: (fn: TestBody) => void = node.afterEach;

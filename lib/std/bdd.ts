/**
 * Stand-in for `@std/testing/bdd`, backed by `node:test`: the names that the tests use. What they take is as narrow as
 * there, so that a test that passes the check with the stand-in passes it with JSR's package, too.
 */
import * as node from "node:test";

type Work = () => void | Promise<void>;
type Group = () => void | undefined;
type Define<Fn> = (name: string, fn: Fn) => void;

export const it: Define<Work> & { skip: Define<Work> } = node.it;
export const describe: Define<Group> & { skip: Define<Group> } = node.describe;
export const beforeAll: (fn: Work) => void = node.before;
export const afterAll: (fn: Work) => void = node.after;
export const beforeEach: (fn: Work) => void = node.beforeEach;
export const afterEach: (fn: Work) => void = node.afterEach;

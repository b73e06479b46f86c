/** Stand-in for `@std/assert`, backed by `node:assert`. Implements only the functions that the tests use. */
import node from "node:assert/strict";

/** Constructor of an error. */
// deno-lint-ignore no-explicit-any -- constructors with any parameters
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function checkError<E extends Error>(error: unknown, kind?: ErrorClass<E>, includes?: string): E {
  if (kind) node.ok(error instanceof kind, `expected ${kind.name}, got ${error}`);
  if (includes !== undefined) {
    assertStringIncludes(error instanceof Error ? error.message : String(error), includes);
  }
  return error as E;
}

/** Fails unless `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  node.ok(value, message);
}

/** Fails unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  node.deepEqual(actual, expected, message);
}

/** Fails unless `text` contains `part`. */
export function assertStringIncludes(text: string, part: string, message?: string): void {
  node.ok(
    text.includes(part),
    message ?? `expected ${JSON.stringify(text)} to include ${JSON.stringify(part)}`,
  );
}

/** Fails unless `text` matches `pattern`. */
export function assertMatch(text: string, pattern: RegExp, message?: string): void {
  node.match(text, pattern, message);
}

/** Fails unless `work` throws (an error of class `kind` whose message contains `includes`); returns the error. */
export function assertThrows<E extends Error = Error>(
  work: () => unknown,
  kind?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    work();
  } catch (error) {
    return checkError(error, kind, includes);
  }
  throw new node.AssertionError({ message: "expected the function to throw" });
}

/** Fails unless the promise rejects (with an error of class `kind` whose message contains `includes`); returns the error. */
export async function assertRejects<E extends Error = Error>(
  work: () => PromiseLike<unknown>,
  kind?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await work();
  } catch (error) {
    return checkError(error, kind, includes);
  }
  throw new node.AssertionError({ message: "expected the promise to reject" });
}

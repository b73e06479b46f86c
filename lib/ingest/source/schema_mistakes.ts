/** Tells what is wrong with a YAML document, in words: the issues of a Zod schema, and the lines on which they are. No I/O. */
import { type Document, isMap, isNode, isSeq, type LineCounter, type Node } from "yaml";
import type { z } from "zod";
import { didYouMean } from "../../console/did_you_mean.ts";

type Issue = z.core.$ZodIssue;

/** Returns the keys that a table may have, by its path. */
export type KnownKeys = (path: readonly PropertyKey[]) => readonly string[];

/** Returns the issues of the branch of a union that the input was meant for: the one whose type fits. */
function flattenIssue(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const branch = issue.errors.find((issues) =>
    issues.some(({ code, path }) => code !== "invalid_type" || path.length > 0)
  );
  if (!branch) return [issue];
  return branch.flatMap((inner) => flattenIssue({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describeIssue(issue: Issue, knownKeys: KnownKeys): string {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) =>
      `there is no key ${key}.${didYouMean(key, known) || ` There are: ${known.join(", ")}`}`
    ).join(" ");
  }
  if (issue.input === undefined) return "it is missing";
  if (issue.code !== "invalid_type") return issue.message;
  const kinds: Record<string, string> = {
    string: "a text",
    object: "a table of keys",
    record: "a table of keys",
    array: "a list",
  };
  return `it must be ${kinds[issue.expected] ?? issue.expected}`;
}

/** Returns the line on which a value stands, or its nearest parent. */
function findLine(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key: name }) => isNode(name) && String(name) === String(key));
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      next = pair?.value;
    } else if (isSeq(node)) {
      next = node.get(key, true);
      if (isNode(next)) offset = next.range?.[0] ?? offset;
    }
    if (next === undefined) break;
    node = next;
  }
  return lines.linePos(offset).line;
}

/** Joins the names of a path: `only[1].name`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(
    /^\./,
    "",
  );
}

/**
 * Describes the issues of a schema, each with its path and its line, in the order of the lines.
 *
 * @param document what was validated
 * @param lines filled when the document was parsed
 * @param path path or URL of the document
 */
export function describeIssues(
  issues: readonly Issue[],
  { document, lines, path, knownKeys }: {
    document: Document;
    lines: LineCounter;
    path: string;
    knownKeys: KnownKeys;
  },
): string[] {
  const mistakes = issues.flatMap(flattenIssue).map((issue) => {
    const where = formatPath(issue.path);
    const place = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
    return {
      line: findLine(document.contents, place, lines),
      text: `${where && `${where}: `}${describeIssue(issue, knownKeys)}`,
    };
  });
  mistakes.sort((a, b) => a.line - b.line);
  return mistakes.map(({ line, text }) => `${path} line ${line}: ${text}`);
}

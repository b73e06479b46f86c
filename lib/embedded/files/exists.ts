/**
 * Reports whether a file, folder or link of this name exists; a dangling link does. Unlike `existsSync` of node:fs, which
 * takes any error for "no", it throws when the path cannot be examined.
 */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

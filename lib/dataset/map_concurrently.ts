/** Limits concurrent requests to a store. */

/** Enough to hide the latency of a bucket, and few enough for the connections of its client. */
const MAX_CONCURRENCY = 16;

/**
 * Runs `work` for each item, at most 16 at a time. Returns the results in the order of the items. After an error, no more
 * items are started.
 *
 * @throws the first error, after all running work has finished
 */
export async function mapConcurrently<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  let failed: { error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENCY, items.length) }, worker));
  if (failed) throw failed.error;
  return results;
}

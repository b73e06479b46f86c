/** Round trips to a store, some at a time. */

/** Enough to hide the way to a bucket, few enough for its client's connections. */
const AT_ONCE = 16;

/**
 * Does `work` for each item, at most 16 at a time, and returns the answers in the order of the items. After an error nothing
 * more is begun.
 *
 * @throws the first error, when all that was begun has ended
 */
export async function mapConcurrently<T, Answer>(
  items: readonly T[],
  work: (item: T) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = new Array(items.length);
  let next = 0;
  let failed: { error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        answers[index] = await work(items[index]!);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (failed) throw failed.error;
  return answers;
}

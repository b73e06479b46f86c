/** Copies and compares short runs of bytes, four at a time: calls of `set` and `subarray` cost more than the bytes do. No I/O. */

/** Returns a view of all bytes of an array. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/**
 * Copies bytes; returns the offset behind them in the target.
 *
 * @param begin offset of the first byte in the source
 * @param end offset behind the last one
 * @param to offset in the target
 */
export function copyBytes(
  source: DataView,
  begin: number,
  end: number,
  target: DataView,
  to: number,
): number {
  let from = begin;
  let at = to;
  for (const last = end - 3; from < last; from += 4, at += 4) {
    target.setUint32(at, source.getUint32(from, true), true);
  }
  for (; from < end; from++, at++) target.setUint8(at, source.getUint8(from));
  return at;
}

/** Reports whether so many bytes are the same. */
export function hasBytes(a: DataView, aBegin: number, b: DataView, bBegin: number, length: number): boolean {
  let at = 0;
  for (const last = length - 3; at < last; at += 4) {
    if (a.getInt32(aBegin + at, true) !== b.getInt32(bBegin + at, true)) return false;
  }
  for (; at < length; at++) if (a.getUint8(aBegin + at) !== b.getUint8(bBegin + at)) return false;
  return true;
}

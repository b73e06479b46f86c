/** Writes zip archives, also broken ones, for tests. */
import { crc32, deflateRawSync } from "node:zlib";
import { joinBytes, toBytes } from "../../store/harness.ts";

/** A file to put into an archive. */
export interface ZipFile {
  /** Path in the archive, or its bytes. */
  path: string | Uint8Array;
  content: string | Uint8Array;
  /**
   * Compression method.
   *
   * @default {8}
   */
  method?: number;
  /** General purpose flags. */
  flags?: number;
  /** Checksum in place of the right one. */
  checksum?: number;
}

function header(signature: number, fields: readonly [bytes: 2 | 4, value: number][]): Uint8Array {
  const bytes = new Uint8Array(4 + fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** Returns the bytes of an archive. */
export function zip(files: readonly ZipFile[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { path, content, method = 8, flags = 0, checksum } of files) {
    const name = toBytes(path);
    const bytes = toBytes(content);
    const data = method === 8 ? deflateRawSync(bytes) : bytes;
    const fields: [2 | 4, number][] = [
      [2, 20],
      [2, flags],
      [2, method],
      [4, 0],
      [4, checksum ?? crc32(bytes)],
      [4, data.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    ];
    const local = joinBytes([header(0x04034b50, fields), name, data]);
    pieces.push(local);
    directory.push(joinBytes([
      header(0x02014b50, [[2, 20], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]),
      name,
    ]));
    offset += local.length;
  }
  const central = joinBytes(directory);
  const count = files.length;
  return joinBytes([
    ...pieces,
    central,
    header(0x06054b50, [[2, 0], [2, 0], [2, count], [2, count], [4, central.length], [4, offset], [2, 0]]),
  ]);
}

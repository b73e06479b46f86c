// The part of npm:hyparquet-compressors that this folder uses; the file has no types of its own.

/** Decompresses LZ4 in the frames of Hadoop. */
export function decompressLz4(input: Uint8Array, outputLength: number): Uint8Array;

/** Decompresses an LZ4 block. */
export function decompressLz4Raw(input: Uint8Array, outputLength: number): Uint8Array;

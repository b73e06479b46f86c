/** Bytes with a memory of their own, not shared between threads, as fetch() and the engine require. */
export type Bytes = Uint8Array<ArrayBuffer>;

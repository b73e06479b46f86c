/** Network faults between the command and a bucket, and the expected result of each. */
import type { Toxic } from "./toxiproxy.ts";

/** A network fault between the command and a bucket. */
export interface S3Fault {
  name: string;
  /** The affected stage: generate uploads, clean downloads. */
  stage: "generate" | "clean";
  /** Toxics active from the start. With `shut`, connections are refused instead. */
  toxics: readonly Toxic[];
  shut?: boolean;
  /** Whether traffic is dropped once data is being transferred. */
  blackHole?: boolean;
  /** How long the fault lasts: until the end, or until the command retries. */
  until: "end" | "next try";
  /** Whether the command must succeed or must exit with 75. */
  expects: "done" | "given up";
}

/** Bandwidth in KB/s, slow enough for a fault in the middle of an upload with parts of 16 MiB. */
const SLOW_RATE = 10_000;
const SLOW_UPLOAD: Toxic = { type: "bandwidth", stream: "upstream", attributes: { rate: SLOW_RATE } };
const SLOW_READ: Toxic = { type: "bandwidth", stream: "downstream", attributes: { rate: SLOW_RATE } };

function reset(afterMs: number): Toxic {
  return { type: "reset_peer", stream: "downstream", attributes: { timeout: afterMs } };
}

function cutAfter(stream: Toxic["stream"], bytes: number): Toxic {
  return { type: "limit_data", stream, attributes: { bytes } };
}

const ONCE = { until: "next try", expects: "done" } as const;
const ALWAYS = { until: "end", expects: "given up" } as const;

/** All network faults of buckets. */
export const S3_FAULTS: readonly S3Fault[] = [
  {
    name: "latency of 100 ms ± 80 ms to the bucket",
    stage: "generate",
    toxics: [{ type: "latency", stream: "downstream", attributes: { latency: 100, jitter: 80 } }],
    until: "end",
    expects: "done",
  },
  {
    name: "slow reads, 10 MB/s from the bucket",
    stage: "clean",
    toxics: [SLOW_READ],
    until: "end",
    expects: "done",
  },
  {
    name: "reset in the middle of a multipart upload, once",
    stage: "generate",
    toxics: [SLOW_UPLOAD, reset(1000)],
    ...ONCE,
  },
  {
    name: "multipart upload cut off after 6 MB, once",
    stage: "generate",
    toxics: [cutAfter("upstream", 6_000_000)],
    ...ONCE,
  },
  {
    name: "reset in the middle of a multipart upload, every time",
    stage: "generate",
    toxics: [SLOW_UPLOAD, reset(1000)],
    ...ALWAYS,
  },
  {
    name: "black hole in the middle of a multipart upload, once",
    stage: "generate",
    toxics: [SLOW_UPLOAD],
    blackHole: true,
    ...ONCE,
  },
  {
    name: "black hole in the middle of a multipart upload, permanently",
    stage: "generate",
    toxics: [SLOW_UPLOAD],
    blackHole: true,
    ...ALWAYS,
  },
  {
    name: "download cut off after 3 MB, once",
    stage: "clean",
    toxics: [cutAfter("downstream", 3_000_000)],
    ...ONCE,
  },
  {
    name: "download cut off after 1 MB, every time",
    stage: "clean",
    toxics: [cutAfter("downstream", 1_000_000)],
    ...ALWAYS,
  },
  {
    name: "black hole in the middle of a download, once",
    stage: "clean",
    toxics: [SLOW_READ],
    blackHole: true,
    ...ONCE,
  },
  {
    name: "black hole in the middle of a download, permanently",
    stage: "clean",
    toxics: [SLOW_READ],
    blackHole: true,
    ...ALWAYS,
  },
  { name: "the bucket refuses connections", stage: "generate", toxics: [], shut: true, ...ALWAYS },
];

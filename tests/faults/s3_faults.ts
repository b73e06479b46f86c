/** The faults of the network between the command and a bucket, and what must come of each. */
import type { Toxic } from "./toxiproxy.ts";

/** A fault of the network between the command and a bucket. */
export interface S3Fault {
  name: string;
  /** The stage that meets it: generate uploads, clean reads. */
  stage: "generate" | "clean";
  /** From the beginning; none and `shut` refuses connections. */
  toxics: readonly Toxic[];
  shut?: boolean;
  /** A black hole from the moment when bytes are on their way. */
  blackHole?: boolean;
  /** Until when: the whole time, or until the command tries again. */
  until: "end" | "next try";
  /** Whether the command must come through or must give up with 75. */
  expects: "done" | "given up";
}

/** KB/s that leave time for a fault in the middle of the parts of an upload, which have 16 MiB. */
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

/** All of them. */
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
    name: "reset in the middle of an upload in parts, once",
    stage: "generate",
    toxics: [SLOW_UPLOAD, reset(1000)],
    ...ONCE,
  },
  {
    name: "upload in parts cut off after 6 MB, once",
    stage: "generate",
    toxics: [cutAfter("upstream", 6_000_000)],
    ...ONCE,
  },
  {
    name: "reset in the middle of an upload in parts, every time",
    stage: "generate",
    toxics: [SLOW_UPLOAD, reset(1000)],
    ...ALWAYS,
  },
  {
    name: "black hole in the middle of an upload in parts, once",
    stage: "generate",
    toxics: [SLOW_UPLOAD],
    blackHole: true,
    ...ONCE,
  },
  {
    name: "black hole in the middle of an upload in parts, for good",
    stage: "generate",
    toxics: [SLOW_UPLOAD],
    blackHole: true,
    ...ALWAYS,
  },
  {
    name: "object cut off after 3 MB while it is read, once",
    stage: "clean",
    toxics: [cutAfter("downstream", 3_000_000)],
    ...ONCE,
  },
  {
    name: "object cut off after 1 MB while it is read, every time",
    stage: "clean",
    toxics: [cutAfter("downstream", 1_000_000)],
    ...ALWAYS,
  },
  {
    name: "black hole in the middle of an object that is read, once",
    stage: "clean",
    toxics: [SLOW_READ],
    blackHole: true,
    ...ONCE,
  },
  {
    name: "black hole in the middle of an object that is read, for good",
    stage: "clean",
    toxics: [SLOW_READ],
    blackHole: true,
    ...ALWAYS,
  },
  { name: "the bucket refuses connections", stage: "generate", toxics: [], shut: true, ...ALWAYS },
];

/** Network faults between the command and the databases, and the expected result of each. */
import type { Toxic } from "./toxiproxy.ts";

/** The server behind the faulty network. */
export type Server = "postgres" | "clickhouse";

/** A network fault between the command and a server. */
export interface NetworkFault {
  name: string;
  server: Server;
  /** Toxics active from the start. With `shut`, connections are refused instead. */
  toxics: readonly Toxic[];
  shut?: boolean;
  /** Toxic added once rows are being sent. */
  midway?: Toxic;
  /** How long the fault lasts: until the end, or until the command retries. */
  until: "end" | "next try";
  /** Whether the command must succeed or must exit with 75. */
  expects: "done" | "given up";
}

/** Slows down sending, so that the next fault occurs in the middle of the rows. */
const SLOW_SENDING: Toxic = { type: "bandwidth", stream: "upstream", attributes: { rate: 48 } };
/** Drops all data and keeps connections open. */
const BLACK_HOLE: Toxic = { type: "timeout", stream: "upstream", attributes: { timeout: 0 } };

function reset(afterMs: number): Toxic {
  return { type: "reset_peer", stream: "upstream", attributes: { timeout: afterMs } };
}

function cutAfter(bytes: number): Toxic {
  return { type: "limit_data", stream: "upstream", attributes: { bytes } };
}

const LABELS = {
  postgres: { server: "PostgreSQL", rows: "COPY" },
  clickhouse: { server: "ClickHouse", rows: "INSERT" },
};

function createFaults(server: Server): NetworkFault[] {
  const { server: to, rows } = LABELS[server];
  const common = { server, toxics: [] as Toxic[] };
  return [
    {
      ...common,
      name: `latency of 100 ms ± 80 ms to ${to}`,
      toxics: [{ type: "latency", stream: "downstream", attributes: { latency: 100, jitter: 80 } }],
      until: "end",
      expects: "done",
    },
    {
      ...common,
      name: `slow reads, 64 KB/s from ${to}`,
      toxics: [{ type: "bandwidth", stream: "downstream", attributes: { rate: 64 } }],
      until: "end",
      expects: "done",
    },
    {
      ...common,
      name: `reset in the middle of ${rows}, once`,
      toxics: [SLOW_SENDING, reset(1500)],
      until: "next try",
      expects: "done",
    },
    {
      ...common,
      name: `${rows} cut off after 60 KB, once`,
      toxics: [cutAfter(60_000)],
      until: "next try",
      expects: "done",
    },
    {
      ...common,
      name: `reset in the middle of ${rows}, every time`,
      toxics: [SLOW_SENDING, reset(1500)],
      until: "end",
      expects: "given up",
    },
    {
      ...common,
      name: `black hole in the middle of ${rows}, once`,
      toxics: [SLOW_SENDING],
      midway: BLACK_HOLE,
      until: "next try",
      expects: "done",
    },
    {
      ...common,
      name: `black hole in the middle of ${rows}, permanently`,
      toxics: [SLOW_SENDING],
      midway: BLACK_HOLE,
      until: "end",
      expects: "given up",
    },
    { ...common, name: `${to} refuses connections`, shut: true, until: "end", expects: "given up" },
  ];
}

/** All network faults. */
export const NETWORK_FAULTS: readonly NetworkFault[] = [
  ...createFaults("postgres"),
  ...createFaults("clickhouse"),
];

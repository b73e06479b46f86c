/** The faults of networks that are tried, and what must come of each. */
import type { Toxic } from "./toxiproxy.ts";

/** Which server is behind the bad network. */
export type Server = "postgres" | "clickhouse";

/** A fault of the network between the command and a server. */
export interface NetworkFault {
  name: string;
  server: Server;
  /** From the beginning; none and `shut` refuses connections. */
  toxics: readonly Toxic[];
  shut?: boolean;
  /** Added once rows are on their way to the server. */
  midway?: Toxic;
  /** Until when: the whole time, or until the command tries again. */
  until: "end" | "next try";
  /** Whether the command must come through or must give up with 75. */
  expects: "done" | "given up";
}

/** Slows the rows down so that the fault that follows meets them on their way. */
const SLOW_SENDING: Toxic = { type: "bandwidth", stream: "upstream", attributes: { rate: 48 } };
/** Everything is swallowed, nothing is closed. */
const BLACK_HOLE: Toxic = { type: "timeout", stream: "upstream", attributes: { timeout: 0 } };

function reset(afterMs: number): Toxic {
  return { type: "reset_peer", stream: "upstream", attributes: { timeout: afterMs } };
}

function cutAfter(bytes: number): Toxic {
  return { type: "limit_data", stream: "upstream", attributes: { bytes } };
}

const WORDS = {
  postgres: { server: "PostgreSQL", rows: "COPY" },
  clickhouse: { server: "ClickHouse", rows: "INSERT" },
};

function faultsOf(server: Server): NetworkFault[] {
  const { server: to, rows } = WORDS[server];
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
      name: `black hole in the middle of ${rows}, for good`,
      toxics: [SLOW_SENDING],
      midway: BLACK_HOLE,
      until: "end",
      expects: "given up",
    },
    { ...common, name: `${to} refuses connections`, shut: true, until: "end", expects: "given up" },
  ];
}

/** All of them. */
export const NETWORK_FAULTS: readonly NetworkFault[] = [...faultsOf("postgres"), ...faultsOf("clickhouse")];

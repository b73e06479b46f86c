// The part of npm:pg that this folder uses. Its published types bring those of Node with them, which replace Deno's own
// in the whole program.

export interface QueryConfig {
  text: string;
  values?: unknown[];
  /** Milliseconds until the driver gives up waiting. */
  query_timeout?: number;
}

export interface QueryResult {
  rows: Record<string, string | null>[];
  rowCount: number | null;
}

/** Of a query with `rowMode: "array"`. */
export interface ArrayResult {
  rows: (string | null)[][];
  fields: { name: string }[];
}

export interface ClientConfig {
  host: string;
  port: number;
  user: string;
  password: () => string;
  database: string;
  ssl: object | false;
  application_name: string;
  connectionTimeoutMillis: number;
  keepAlive: boolean;
  keepAliveInitialDelayMillis: number;
  types: { getTypeParser: () => (text: string) => string };
}

declare class Client {
  constructor(config: ClientConfig);
  /** Process id of the server's side. */
  readonly processID: number | null;
  /** The protocol's side of the client, with the socket. */
  readonly connection: { stream: { destroy(): void } };
  connect(): Promise<void>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): this;
  query(text: string): Promise<QueryResult>;
  query(config: QueryConfig & { rowMode: "array" }): Promise<ArrayResult | ArrayResult[]>;
  query(config: QueryConfig): Promise<QueryResult | QueryResult[]>;
  /** Hands over the connection to a stream, such as one of pg-copy-streams. */
  query<Stream extends { submit(connection: unknown): void }>(stream: Stream): Stream;
}

declare const pg: {
  Client: typeof Client;
  escapeIdentifier(name: string): string;
};
export type { Client };
export default pg;

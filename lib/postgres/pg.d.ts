// The part of npm:pg that this folder uses. Its published types import @types/node, which would replace Deno's own types
// in the whole program.

/** A query with its options. */
export interface QueryConfig {
  text: string;
  values?: unknown[];
  /** The driver's own timeout, in milliseconds. */
  query_timeout?: number;
}

/** The result of a query. */
export interface QueryResult {
  rows: Record<string, string | null>[];
  rowCount: number | null;
}

/** The result of a query with `rowMode: "array"`. */
export interface ArrayResult {
  rows: (string | null)[][];
  fields: { name: string }[];
}

/** Options of a connection. */
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

/** A connection. */
declare class Client {
  constructor(config: ClientConfig);
  /** Process id of the server's backend; null before the connection is open. */
  readonly processID: number | null;
  /** The protocol connection, with its socket. */
  readonly connection: { stream: { destroy(): void } };
  connect(): Promise<void>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): this;
  query(text: string): Promise<QueryResult>;
  query(config: QueryConfig & { rowMode: "array" }): Promise<ArrayResult | ArrayResult[]>;
  query(config: QueryConfig): Promise<QueryResult | QueryResult[]>;
  /** Gives the connection to a stream, such as one of pg-copy-streams. */
  query<Stream extends { submit(connection: unknown): void }>(stream: Stream): Stream;
}

/** The module's default export. */
declare const pg: {
  Client: typeof Client;
  escapeIdentifier(name: string): string;
};
export type { Client };
export default pg;

/** What the host needs to know of a server, whichever it is. */
import type { Access } from "./home_files.ts";

/** A running embedded server. */
export interface Server {
  /** A connection URL with user and password. */
  url: string;
  /** Settles when the server ends by itself, without having been stopped. */
  ended?: Promise<void>;
  /** Stops it cleanly: what is committed is written. */
  stop(): Promise<void>;
}

/** What a server needs to start. */
export interface ServerOptions {
  /** Path of the engine. */
  path: string;
  /** Folder for the engine's files. */
  folder: string;
  /** Port and password of an earlier run. */
  access: Access | undefined;
  /** Called when port or password are new. */
  keepAccess: (access: Access) => Promise<void>;
  /** Says something in the log. */
  note: (text: string) => void;
  /** Path of the log. */
  log: string;
}

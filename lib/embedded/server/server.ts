/** The interface between the host and both servers. */
import type { Access } from "./access.ts";

/** A running embedded server. */
export interface Server {
  /** Connection URL with user and password. */
  url: string;
  /** Settles when the server exits without having been stopped. */
  ended?: Promise<void>;
  /** Stops the server cleanly: committed data is written to disk. */
  stop(): Promise<void>;
}

/** What a server needs to start. */
export interface ServerOptions {
  /** Path of the engine. */
  path: string;
  /** Data folder. */
  folder: string;
  /** Port and password of an earlier run. */
  access: Access | undefined;
  /** Called when the port or the password is new. */
  saveAccess: (access: Access) => Promise<void>;
  /** Writes a line to the log. */
  log: (text: string) => void;
  /** Path of the log, for error messages. */
  logFile: string;
}

/** Sessions of HTTP clients: one with a `session_id` lasts across requests; any other request gets a new one. */
import { type Connection, type Engine, EngineError } from "./engine.ts";

/** Idle time after which ClickHouse closes a session without `session_timeout`. */
const DEFAULT_TIMEOUT_S = 60;
/** ClickHouse's default upper limit. */
const MAX_TIMEOUT_S = 3600;

interface Session {
  connection: Connection;
  busy: boolean;
  expiry: ReturnType<typeof setTimeout> | undefined;
}

/** The sessions of one engine. */
export class Sessions {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();

  /** Creates an empty set of sessions that `engine` will open. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Runs `work` in the session named by the URL, or in a new one.
   *
   * @throws {EngineError} when the session must exist but does not, or another request is using it
   */
  async run<T>(url: URL, work: (connection: Connection) => Promise<T>): Promise<T> {
    const id = url.searchParams.get("session_id");
    if (!id) {
      const connection = await this.#engine.connect();
      try {
        return await work(connection);
      } finally {
        await connection.close();
      }
    }
    const timeoutS = readTimeout(url);
    const session = await this.#acquire(id, url.searchParams.get("session_check") === "1");
    try {
      return await work(session.connection);
    } finally {
      session.busy = false;
      if (url.searchParams.get("close_session") === "1") await this.#remove(id);
      else this.#scheduleExpiry(id, session, timeoutS);
    }
  }

  async #acquire(id: string, mustExist: boolean): Promise<Session> {
    const known = this.#sessions.get(id);
    if (known?.busy) {
      throw EngineError.of(373, "SESSION_IS_LOCKED", `Session ${id} is locked by a concurrent client.`);
    }
    if (known) {
      clearTimeout(known.expiry);
      known.busy = true;
      return known;
    }
    if (mustExist) throw EngineError.of(372, "SESSION_NOT_FOUND", `Session ${id} not found.`);
    const connection = await this.#engine.connect();
    if (this.#sessions.has(id)) { // a concurrent request opened it first
      await connection.close();
      return await this.#acquire(id, mustExist);
    }
    const session = { connection, busy: true, expiry: undefined };
    this.#sessions.set(id, session);
    return session;
  }

  #scheduleExpiry(id: string, session: Session, timeoutS: number): void {
    session.expiry = setTimeout(() => this.#remove(id), timeoutS * 1000);
    Deno.unrefTimer(session.expiry);
  }

  async #remove(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.connection.close();
  }

  /** Closes all sessions. No request may be running. */
  async close(): Promise<void> {
    for (const [id, { expiry }] of this.#sessions) {
      clearTimeout(expiry);
      await this.#remove(id);
    }
  }
}

function readTimeout(url: URL): number {
  const text = url.searchParams.get("session_timeout");
  if (text === null) return DEFAULT_TIMEOUT_S;
  const seconds = Number(text);
  if (!/^\d+$/.test(text)) {
    throw EngineError.of(374, "INVALID_SESSION_TIMEOUT", `Invalid session timeout: '${text}'`);
  }
  if (seconds > MAX_TIMEOUT_S) {
    throw EngineError.of(
      374,
      "INVALID_SESSION_TIMEOUT",
      `Session timeout '${text}' is larger than max_session_timeout: ${MAX_TIMEOUT_S}. ` +
        "Maximum session timeout could be modified in configuration file.",
    );
  }
  return seconds;
}

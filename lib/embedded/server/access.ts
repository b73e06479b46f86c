/** Port and password of an embedded server. */

/** What stays the same from run to run where possible. */
export interface Access {
  /** TCP port on 127.0.0.1. */
  port: number;
  /** Password of the only user. */
  password: string;
}

const PASSWORD_BYTES = 24;

/** Generates a random password of hexadecimal digits, which needs no escaping in URLs and SQL. */
export function generatePassword(): string {
  return crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES)).toHex();
}

/** Finds a free TCP port on 127.0.0.1: `preferred` if it is free. */
export function findFreePort(preferred = 0): number {
  for (const port of [preferred, 0]) {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return listener.addr.port;
    } catch (error) {
      if (port === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new TypeError("unreachable: the system always finds a port for 0");
}

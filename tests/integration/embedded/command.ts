/**
 * A command for tests, run in its own process: starts the embedded databases of a home, reports them on stdout, and stops
 * when it reads a line, at the end of stdin, or at Ctrl-C. Before it releases the databases, it writes to PostgreSQL.
 */
import pg from "pg";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";

const home = Deno.args[0] ?? "";
const stopped = Promise.withResolvers<void>();
Deno.addSignalListener("SIGINT", () => stopped.resolve());
const databases = await startEmbedded(home);
console.log(JSON.stringify({ ...databases, pid: Deno.pid }));
Deno.stdin.read(new Uint8Array(16)).then(() => stopped.resolve());
await stopped.promise;
const client = new pg.Client(databases.postgresUrl);
await client.connect();
await client.query("CREATE TABLE IF NOT EXISTS cleanups (at timestamptz DEFAULT now())");
await client.query("INSERT INTO cleanups DEFAULT VALUES");
await client.end();
await databases.close();
console.log("closed");
Deno.exit(0);

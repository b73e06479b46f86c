/**
 * A command as people run them, for tests: starts the embedded databases of a home, says so on standard output, and
 * ends when it reads a line, when standard input ends, or at Ctrl-C; then it still writes before it lets go.
 */
import pg from "pg";
import { startEmbedded } from "../../../lib/embedded/embedded.ts";

const home = Deno.args[0] ?? "";
const ended = Promise.withResolvers<void>();
Deno.addSignalListener("SIGINT", () => ended.resolve());
const databases = await startEmbedded(home);
console.log(JSON.stringify({ ...databases, pid: Deno.pid }));
Deno.stdin.read(new Uint8Array(16)).then(() => ended.resolve());
await ended.promise;
const client = new pg.Client(databases.postgresUrl);
await client.connect();
await client.query("CREATE TABLE IF NOT EXISTS goodbyes (at timestamptz DEFAULT now())");
await client.query("INSERT INTO goodbyes DEFAULT VALUES");
await client.end();
await databases.close();
console.log("closed");
Deno.exit(0);

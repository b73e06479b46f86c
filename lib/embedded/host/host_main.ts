/** The host as a program of its own, for running from source; the executable has it as hidden subcommand. */
import { runEmbeddedHost } from "./host.ts";

await runEmbeddedHost(Deno.args);

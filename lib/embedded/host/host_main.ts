/** Entry point of the host when run from source; the executable has a hidden subcommand for it. */
import { runEmbeddedHost } from "./host.ts";

await runEmbeddedHost(Deno.args);

/** The embedded ClickHouse: the engine in this process and its HTTP endpoint, from start to stop. */
import config from "./config.xml" with { type: "text" };
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import { type Access, freePort, newPassword } from "../host/home_files.ts";
import type { Server, ServerOptions } from "../host/server.ts";
import { type Endpoint, openEndpoint, USER } from "./endpoint.ts";
import { Engine } from "./engine.ts";

const START_ATTEMPTS = 3;

async function listen(engine: Engine, access: Access): Promise<{ endpoint: Endpoint; port: number }> {
  for (let attempt = 1;; attempt++) {
    const port = freePort(access.port);
    try {
      return { endpoint: await openEndpoint({ engine, port, password: access.password }), port };
    } catch (error) {
      // Somebody was quicker.
      if (attempt === START_ATTEMPTS || !(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Opens the engine on a folder and its endpoint on this machine's own address. */
export async function startClickHouse(options: ServerOptions): Promise<Server> {
  const { path, folder, keepAccess, log } = options;
  const access = options.access ?? { port: 0, password: newPassword() };
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, "salesflow.xml");
  await Deno.writeTextFile(configFile, config);
  let engine: Engine;
  try {
    engine = await Engine.open(path, folder, configFile);
  } catch (cause) {
    throw new SalesflowError(`The ClickHouse engine does not start on ${folder}`, {
      remedy: `The engine tells why at the end of ${log}.`,
      cause,
    });
  }
  const { endpoint, port } = await listen(engine, access);
  if (port !== options.access?.port) await keepAccess({ ...access, port });
  return {
    url: `http://${USER}:${access.password}@127.0.0.1:${port}/`,
    async stop() {
      const closed = endpoint.close();
      await engine.cancelAll(); // whoever is still waiting for an answer uses the database no more
      await closed;
      await engine.close();
    },
  };
}

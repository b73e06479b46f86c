/** Runs the embedded ClickHouse: the engine in this process and its HTTP endpoint. */
import config from "./config.xml" with { type: "text" };
import { join } from "node:path";
import { SalesflowError } from "../../console/errors.ts";
import { type Access, findFreePort, generatePassword } from "../server/access.ts";
import type { Server, ServerOptions } from "../server/server.ts";
import { type Endpoint, openEndpoint, USER } from "./endpoint.ts";
import { Engine } from "./engine.ts";

const MAX_START_ATTEMPTS = 3;

async function listen(engine: Engine, access: Access): Promise<{ endpoint: Endpoint; port: number }> {
  for (let attempt = 1;; attempt++) {
    const port = findFreePort(access.port);
    try {
      return { endpoint: await openEndpoint({ engine, port, password: access.password }), port };
    } catch (error) {
      // Another process has taken the port in the meantime.
      if (attempt === MAX_START_ATTEMPTS || !(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * Starts the engine on a folder and its endpoint on 127.0.0.1.
 *
 * @throws {SalesflowError} when the engine does not start
 */
export async function startClickHouse(options: ServerOptions): Promise<Server> {
  const { path, folder, saveAccess, logFile } = options;
  const access = options.access ?? { port: 0, password: generatePassword() };
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, "salesflow.xml");
  await Deno.writeTextFile(configFile, config);
  let engine: Engine;
  try {
    engine = await Engine.open(path, folder, configFile);
  } catch (cause) {
    throw new SalesflowError(`The ClickHouse engine does not start on ${folder}`, {
      remedy: `See the end of ${logFile} for the reason.`,
      cause,
    });
  }
  const { endpoint, port } = await listen(engine, access);
  if (port !== options.access?.port) await saveAccess({ ...access, port });
  return {
    url: `http://${USER}:${access.password}@127.0.0.1:${port}/`,
    async stop() {
      const closed = endpoint.close();
      await engine.cancelAll(); // the clients of running statements no longer use the database
      await closed;
      await engine.close();
    },
  };
}

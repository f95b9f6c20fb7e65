import type { Command } from "commander";
import pc from "picocolors";
import { pagesFolder } from "../node/pages-folder.ts";
import { wholeNumber } from "./options.ts";

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly backend: string;
}

/** `espalier serve <bundle|folder ...>`: answers predictions over HTTP until it is stopped. */
export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve bundles over HTTP")
    .argument("<bundle...>", "bundles, or folders that hold bundles")
    .option("--port <n>", "the port; 0 takes a free one", wholeNumber(0, 65_535), 8080)
    .option("--host <address>", "the address to listen on; 0.0.0.0 for every network", "127.0.0.1")
    .option("--backend <name>", "what to compute on; see espalier doctor", "auto")
    .addHelpText("after", "\nExamples:\n  espalier serve table-price\n  espalier serve models --port 9000 --host 0.0.0.0\n")
    .action(serveBundles);
}

async function serveBundles(bundles: readonly string[], { port, host, backend }: ServeOptions): Promise<void> {
  // Loaded here: no other command waits for a server that it does not start.
  const { serve } = await import("../server/node/index.ts");
  const assetsFolder = pagesFolder();
  const server = await serve({ bundles, port, host, backend, ...(assetsFolder !== undefined && { assetsFolder }) });
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  for (const model of server.models) process.stdout.write(`${pc.bold(model.name)} version ${model.version} on ${model.backend}\n`);
  process.stdout.write(`listening on ${server.url}\n`);
  await stopped;
  await server.close();
}

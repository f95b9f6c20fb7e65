/** The newest runtime that the tests ran on; wrangler knows it. @see https://developers.cloudflare.com/workers/configuration/compatibility-dates/ */
export const compatibilityDate = "2026-06-01";

/** The name of the bundle's one-file form in a worker's folder. */
export const bundleFile = "model.safetensors";

/** What becomes a worker. */
export interface WorkerModel {
  readonly name: string;
  /** The bundle's one-file form. */
  readonly bundle: Uint8Array;
}

/**
 * The worker before wrangler has put its modules together: files by name.
 *
 * @param edgeEntry the path of server/edge/index
 */
export function workerSources({ name, bundle }: WorkerModel, edgeEntry: string): Readonly<Record<string, string | Uint8Array>> {
  const entry = [
    `import { createWorker } from ${JSON.stringify(edgeEntry)};`,
    `import bundle from "./${bundleFile}";`,
    "export default createWorker({ bundle });",
    "",
  ];
  return { "worker.js": entry.join("\n"), [bundleFile]: bundle, "wrangler.json": configuration(workerName(name), {}) };
}

/**
 * `wrangler.json` of the finished folder: its modules are together already, so that nothing needs to be installed to deploy it.
 */
export function finishedConfiguration(name: string): string {
  return configuration(workerName(name), { no_bundle: true, find_additional_modules: true });
}

/** A model's name as a worker's: lower-case letters, digits and dashes, at most 54 so that previews have room in a host's name of 63. */
export function workerName(name: string): string {
  const cleaned = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 54)
    .replaceAll(/^-+|-+$/g, "");
  return cleaned === "" ? "model" : cleaned;
}

function configuration(name: string, more: Readonly<Record<string, unknown>>): string {
  const config = {
    name,
    main: "worker.js",
    compatibility_date: compatibilityDate,
    workers_dev: true,
    ...more,
    rules: [{ type: "Data", globs: ["**/*.safetensors"], fallthrough: false }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

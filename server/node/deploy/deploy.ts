import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeBundle, EspalierError } from "../../../core/index.ts";
import { loadBundle } from "../../../node/bundle/bundle-files.ts";
import { findWrangler, runWrangler } from "./wrangler.ts";
import { finishedConfiguration, workerName, workerSources, type WorkerModel } from "./worker-files.ts";

/** What `deploy` takes. */
export interface DeployOptions {
  /** The bundle's path. */
  readonly bundle: string;
  /** Builds everything and checks it, but sends nothing. */
  readonly dryRun?: boolean;
  /** Where the worker's folder is written; default `<model>-worker` in the working folder. A folder that `deploy` wrote is replaced. */
  readonly out?: string;
  /** Hears what wrangler says while it runs. */
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What was built. */
export interface Deployment {
  readonly target: "cloudflare";
  /** The worker's name. */
  readonly worker: string;
  readonly folder: string;
  /** The worker's code, compressed as it is uploaded, without the model. */
  readonly gzipBytes: number;
  /** The model's bundle. */
  readonly bundleBytes: number;
  /** Whether it was sent. */
  readonly deployed: boolean;
  /** Where it answers, when it was sent and wrangler said so. */
  readonly url: string | undefined;
}

/** Shows that a folder is ours and may be replaced. */
const marker = ".espalier-worker";

/**
 * Makes a Cloudflare worker of a bundle, in a folder that stands alone, and deploys it with wrangler.
 *
 * @throws what reading the bundle throws; FILE_UNREADABLE when wrangler is missing or the folder is somebody else's; ARGUMENT_INVALID with
 *   wrangler's own words when it refuses (no credentials, no network)
 */
export async function deploy({ bundle: path, dryRun = false, out, onOutput, signal }: DeployOptions): Promise<Deployment> {
  const bundle = await loadBundle(path);
  const { name } = bundle.manifest;
  const folder = resolve(out ?? `${workerName(name)}-worker`);
  await refuseForeign(folder);
  const wrangler = findWrangler(process.cwd());
  const running = { ...(onOutput === undefined ? {} : { onOutput }), ...(signal === undefined ? {} : { signal }) };
  const draft = await mkdtemp(join(tmpdir(), "espalier-worker-"));
  try {
    const built = await buildWorker({ name, bundle: await encodeBundle(bundle) }, { wrangler, draft, ...(signal === undefined ? {} : { signal }) });
    await rm(folder, { recursive: true, force: true });
    await moveFiles(built, folder);
    await writeFile(join(folder, "wrangler.json"), finishedConfiguration(name));
    await writeFile(join(folder, marker), "written by espalier deploy\n");
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  const { exitCode, output } = await runWrangler(wrangler, ["deploy", "--config", "wrangler.json", ...(dryRun ? ["--dry-run"] : [])], {
    folder,
    ...running,
  });
  if (exitCode !== 0) throw refused(output, folder);
  const { gzipBytes, bundleBytes } = await measureWorker(folder);
  const url = dryRun ? undefined : /https:\/\/\S+/.exec(output)?.[0];
  return { target: "cloudflare", worker: workerName(name), folder, gzipBytes, bundleBytes, deployed: !dryRun, url };
}

/**
 * Puts the worker's modules together in `draft`.
 *
 * @returns the folder with `worker.js` and the bundle
 * @throws INTERNAL with wrangler's words: our own sources must always build
 */
export async function buildWorker(
  model: WorkerModel,
  { wrangler, draft, signal }: { readonly wrangler: string; readonly draft: string; readonly signal?: AbortSignal },
): Promise<string> {
  // From source this module is TypeScript, in the package it is JavaScript; the worker's entry beside it is of the same kind.
  const edgeEntry = fileURLToPath(new URL(`../../edge/index${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));
  for (const [file, content] of Object.entries(workerSources(model, edgeEntry))) await writeFile(join(draft, file), content);
  const built = join(draft, "built");
  const args = ["deploy", "--config", "wrangler.json", "--dry-run", "--minify", "--outdir", built];
  const { exitCode, output } = await runWrangler(wrangler, args, { folder: draft, ...(signal === undefined ? {} : { signal }) });
  if (exitCode !== 0) throw new EspalierError("INTERNAL", `the worker does not build: ${lastLines(output)}`, {});
  return built;
}

/** The sizes of a built worker: its code compressed, and the bundle as it is. */
export async function measureWorker(folder: string): Promise<{ readonly gzipBytes: number; readonly bundleBytes: number }> {
  let gzipBytes = 0;
  let bundleBytes = 0;
  for (const file of await readdir(folder)) {
    if (file.endsWith(".js")) gzipBytes += gzipSync(await readFile(join(folder, file)), { level: 9 }).length;
    if (file.endsWith(".safetensors")) bundleBytes += (await stat(join(folder, file))).size;
  }
  return { gzipBytes, bundleBytes };
}

/** Only what the worker needs: no source map, no notes of the build. */
async function moveFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError(
      "FILE_UNREADABLE",
      `cannot write the worker to ${to}: ${reason}; choose another folder with --out`,
      { folder: to },
      { cause },
    );
  });
  for (const file of await readdir(from)) {
    if (!file.endsWith(".js") && !file.endsWith(".safetensors")) continue;
    await writeFile(join(to, file), await readFile(join(from, file)));
  }
}

async function refuseForeign(folder: string): Promise<void> {
  const files = await readdir(folder).catch((cause: unknown): string[] => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw new EspalierError("FILE_UNREADABLE", `cannot write the worker to ${folder}; choose another folder with --out`, { folder }, { cause });
  });
  if (files.length === 0 || files.includes(marker)) return;
  throw new EspalierError(
    "FILE_UNREADABLE",
    `${folder} exists and was not written by espalier deploy; choose another folder with --out, or move it away`,
    { folder },
  );
}

function refused(output: string, folder: string): EspalierError {
  const hint = /CLOUDFLARE_API_TOKEN|log ?in|authenticat/i.test(output) ? "; run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN" : "";
  return new EspalierError("ARGUMENT_INVALID", `wrangler refused to deploy ${folder}${hint}. It says: ${lastLines(output)}`, { folder });
}

/** What a tool said last: its reason, without its decoration. */
function lastLines(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(logs were written|🪵|-+|⎯+)/iu.test(line));
  return lines.slice(-6).join(" ");
}

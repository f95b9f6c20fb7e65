import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { columnsFromRows, toOnnx, transformFeatures, type Bundle, type Tensors } from "../core/index.ts";
import { loadBundle } from "../node/bundle/bundle-files.ts";
import { requireCheck, type Bench } from "./bench.ts";
import { quantile } from "./measure.ts";

const rounds = 15;
const tolerance = 1e-5;
const root = join(import.meta.dirname, "..");

/** From starting a process to its first answered prediction: `espalier serve` against the least that answers the same model. */
export const bench: Bench = {
  name: "cold-start",
  description: "process start to first answered prediction of a digits bundle: espalier serve against a bare hono + onnxruntime-node server",
  async run({ log }) {
    const folder = await mkdtemp(join(tmpdir(), "espalier-cold-start-"));
    try {
      const cli = commandLine();
      const bundlePath = join(folder, "digits");
      await runToEnd(
        [
          ...cli,
          "train",
          join(root, "examples/data/digits.csv.gz"),
          "--target",
          "column_65",
          "--model",
          "network",
          "--epochs",
          "5",
          "--out",
          bundlePath,
        ],
        folder,
      );
      const bundle = await loadBundle(bundlePath);
      const modelPath = join(folder, "model.onnx");
      await writeFile(modelPath, toOnnx(bundle.graph, { state: await bundle.readTensors() }));
      const ours: Server = {
        command: [...cli, "serve", bundlePath, "--port", "0"],
        path: `/v1/models/${bundle.manifest.name}:predict`,
        body: ourRequest(bundle),
      };
      const bare: Server = { command: [await plainBareServer(), modelPath, "0"], path: "/predict", body: bareRequest(bundle) };
      const distance = compare((await coldStart(ours, folder)).answer, (await coldStart(bare, folder)).answer);
      requireCheck(distance <= tolerance, `the two servers' probabilities differ by ${distance}`);
      const times = { ours: [] as number[], bare: [] as number[] };
      for (let round = 0; round < rounds; round += 1) {
        const [first, second] = round % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const);
        for (const who of [first, second]) times[who].push((await coldStart(who === "ours" ? ours : bare, folder)).milliseconds);
      }
      const ratios = times.ours.map((time, i) => (times.bare[i] ?? Number.NaN) / time);
      const [oursMs, bareMs] = [quantile(times.ours, 0.5), quantile(times.bare, 0.5)];
      log(`espalier serve ${oursMs.toFixed(0)} ms, bare server ${bareMs.toFixed(0)} ms: ${(oursMs / bareMs).toFixed(2)} times the bare server's`);
      const what = "espalier serve vs bare hono + onnxruntime-node";
      return {
        ratios: { [what]: quantile(ratios, 0.5) },
        spread: { [what]: [quantile(ratios, 0.25), quantile(ratios, 0.75)] },
        checks: { probabilitiesWithin: distance, oursMs, bareMs, timesBare: oursMs / bareMs, ranFrom: cli[0]?.includes("dist") ? "dist" : "source" },
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Server {
  /** What node is started with. */
  readonly command: readonly string[];
  readonly path: string;
  readonly body: unknown;
}

/** The built command line where there is one, as users have it; else its source. */
function commandLine(): readonly string[] {
  const built = join(root, "dist/cli/main.js");
  return [existsSync(built) ? built : join(root, "cli/main.ts")];
}

/** The bare server as JavaScript, so that it does not pay for stripping its types. It lies where node finds the packages. */
async function plainBareServer(): Promise<string> {
  const folder = join(root, "node_modules/.cache/espalier-bench");
  await mkdir(folder, { recursive: true });
  const path = join(folder, "bare-server.mjs");
  await writeFile(path, stripTypeScriptTypes(await readFile(join(import.meta.dirname, "peers/bare-server.ts"), "utf8")));
  return path;
}

/** Starts a server, sends one prediction as soon as it listens, and stops it. */
async function coldStart({ command, path, body }: Server, folder: string): Promise<{ readonly milliseconds: number; readonly answer: unknown }> {
  const start = performance.now();
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const address = await listening(child);
    const response = await fetch(address + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const answer: unknown = await response.json();
    const milliseconds = performance.now() - start;
    requireCheck(response.status === 200, `${command.join(" ")} answered ${response.status}: ${JSON.stringify(answer)}`);
    return { milliseconds, answer };
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await ended;
  }
}

function listening(child: ChildProcess): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const address = /listening on (http:\/\/\S+)/.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code}: ${output}`)));
  });
}

async function runToEnd(command: readonly string[], folder: string): Promise<void> {
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  requireCheck(code === 0, `${command.join(" ")} ended with code ${String(code)}`);
}

function ourRequest({ manifest }: Bundle): unknown {
  return { instances: [manifest.example] };
}

/** The bare server knows no features: it is sent what they come to. */
function bareRequest({ manifest }: Bundle): unknown {
  const feeds: Tensors = transformFeatures(manifest.features, columnsFromRows([manifest.example], manifest.inputs));
  return Object.fromEntries(Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: Array.from(data as Float32Array) }]));
}

/** The largest difference between the probabilities that both answers stand for. */
function compare(ours: unknown, bare: unknown): number {
  const { probabilities } = (ours as { predictions: { probabilities: Record<string, number> }[] }).predictions[0] ?? { probabilities: {} };
  const { data } = (bare as { logits: { data: number[] } }).logits;
  const largest = Math.max(...data);
  const exponentials = data.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const given = Object.values(probabilities);
  requireCheck(given.length === data.length, `${given.length} probabilities against ${data.length} logits`);
  return Math.max(...exponentials.map((value, i) => Math.abs(value / sum - (given[i] ?? Number.NaN))));
}

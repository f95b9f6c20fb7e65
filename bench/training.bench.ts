import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireCheck, type Bench, type BenchContext, type BenchResult } from "./bench.ts";
import { quantile } from "./measure.ts";
import { findPython, startPytorch, writeSubject, type Layout } from "./peers/pytorch.ts";
import { startTrainer, type Steps, type Trainer } from "./peers/trainer.ts";
import { subjects, type Subject } from "./subjects/index.ts";

/** Steps whose losses are compared before anything is timed. */
const checkedSteps = 5;

/**
 * One training step (forward, loss, gradients, Adam) of each subject, on 1 and 2 threads, against PyTorch on the CPU, tfjs and jax-js on wasm.
 *
 * Every system is a process of its own with the same weights and rows; steps are timed inside it, interleaved. `--subject=<part of a name>` and
 * `--threads=<n>` run a part of it, `--rounds=<n>` fewer or more timings.
 */
export const bench: Bench = {
  name: "training",
  description: "one training step on onnxruntime against PyTorch on the CPU (the faster of its layouts, fused Adam), tfjs layers and jax-js on wasm",
  async run(context) {
    const results: BenchResult[] = [];
    const chosen = subjects.filter(({ name }) => name.toLowerCase().includes(context.flags.get("subject")?.toLowerCase() ?? ""));
    const threads = context.flags.has("threads") ? [Number(context.flags.get("threads"))] : [1, 2];
    const rounds = context.flags.get("rounds");
    for (const subject of chosen) {
      const timed = rounds === undefined ? subject : { ...subject, rounds: Number(rounds) };
      for (const count of threads) results.push(await compare(timed, count, context));
    }
    return {
      ratios: Object.assign({}, ...results.map(({ ratios }) => ratios)) as BenchResult["ratios"],
      spread: Object.assign({}, ...results.map(({ spread }) => spread)) as BenchResult["spread"],
      checks: Object.assign({}, ...results.map(({ checks }) => checks)) as BenchResult["checks"],
    };
  },
};

/** A peer that is there. */
interface Peer {
  readonly name: string;
  readonly trainer: Trainer;
}

async function compare(subject: Subject, threads: number, { log }: BenchContext): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-training-"));
  const what = `${subject.name}, ${threads} thread${threads === 1 ? "" : "s"}`;
  const ours = await startNode("espalier-steps.ts", [subject.name, String(threads)]);
  const peers: Peer[] = [];
  try {
    await writeSubject(folder, subject);
    peers.push(...(await startPeers(subject, { threads, folder, log })));
    const checked = await checkLosses({ what, tolerance: subject.lossTolerance ?? 1e-4 }, ours, peers);
    const rounds = await timeRounds(subject, ours, peers);
    const ratios: Record<string, number> = {};
    const spread: Record<string, readonly [number, number]> = {};
    const memory: Record<string, number> = { espalier: await ours.peakBytes() };
    const cpuRatios: Record<string, number> = {};
    for (const [i, { name, trainer }] of peers.entries()) {
      const quotients = rounds.map((round) => (round[i + 1]?.wallMs ?? Number.NaN) / (round[0]?.wallMs ?? Number.NaN));
      ratios[`${what}: step vs ${name}`] = quantile(quotients, 0.5);
      spread[`${what}: step vs ${name}`] = [quantile(quotients, 0.25), quantile(quotients, 0.75)];
      const cpu = rounds.map((round) => (round[i + 1]?.cpuMs ?? Number.NaN) / (round[0]?.cpuMs ?? Number.NaN));
      cpuRatios[name] = quantile(cpu, 0.5);
      memory[name] = await trainer.peakBytes();
      if (name === "PyTorch") ratios[`${what}: peak memory vs ${name}`] = memory[name] / (memory["espalier"] ?? Number.NaN);
    }
    const stepMs = Object.fromEntries(["espalier", ...peers.map(({ name }) => name)].map((name, i) => [name, medianStep(rounds, i, subject)]));
    log(
      `${what}: ${Object.entries(stepMs)
        .map(([name, ms]) => `${name} ${ms.toFixed(2)} ms`)
        .join(", ")}; losses within ${checked.lossesWithin.toExponential(1)}`,
    );
    const systems = Object.fromEntries(peers.map(({ name, trainer }) => [name, trainer.description]));
    return { ratios, spread, checks: { [what]: { ...checked, stepMs, cpuRatios, memory, systems: { espalier: ours.description, ...systems } } } };
  } finally {
    for (const trainer of [ours, ...peers.map((peer) => peer.trainer)]) await trainer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface PeerOptions {
  readonly threads: number;
  readonly folder: string;
  readonly log: (line: string) => void;
}

async function startPeers(subject: Subject, { threads, folder, log }: PeerOptions): Promise<readonly Peer[]> {
  const peers: Peer[] = [];
  const python = findPython();
  if (python === undefined) log(`${subject.name}: no PyTorch in bench/.venv: run npm run bench:setup, or name an interpreter in BENCH_PYTHON`);
  else peers.push({ name: "PyTorch", trainer: await fasterLayout(subject, python, { threads, folder, log }) });
  if (subject.tfjs !== undefined && threads === 1) peers.push({ name: "tfjs-wasm", trainer: await startNode("tfjs-steps.ts", [subject.name]) });
  if (subject.jax !== undefined && threads === 1) peers.push({ name: "jax-js", trainer: await startNode("jax-steps.ts", [subject.name]) });
  return peers;
}

/** PyTorch in the layout that is faster for this network. */
async function fasterLayout(subject: Subject, python: string, { threads, folder, log }: PeerOptions): Promise<Trainer> {
  const start = (layout: Layout): Promise<Trainer> => startPytorch(python, folder, { threads, layout });
  if (subject.row.length !== 3) return start("contiguous");
  const times = new Map<Layout, number>();
  for (const layout of ["contiguous", "channels_last"] as const) {
    const trainer = await start(layout);
    await trainer.step(2);
    const steps: Steps[] = [];
    for (let i = 0; i < 3; i += 1) steps.push(await trainer.step(Math.max(1, subject.repeats >> 1)));
    times.set(layout, Math.min(...steps.map(({ cpuMs }) => cpuMs)) / Math.max(1, subject.repeats >> 1));
    await trainer.close();
  }
  const [contiguous = 0, last = 0] = [times.get("contiguous"), times.get("channels_last")];
  log(`${subject.name}: PyTorch's processor time of a step is ${contiguous.toFixed(1)} ms contiguous, ${last.toFixed(1)} ms channels_last`);
  return start(last < contiguous ? "channels_last" : "contiguous");
}

function startNode(file: string, args: readonly string[]): Promise<Trainer> {
  return startTrainer({ command: process.execPath, args: [join(import.meta.dirname, "peers", file), ...args] });
}

/** Every system takes the same first steps; the loss must fall. */
async function checkLosses(
  { what, tolerance }: { readonly what: string; readonly tolerance: number },
  ours: Trainer,
  peers: readonly Peer[],
): Promise<{ readonly lossesWithin: number; readonly firstLoss: number | undefined }> {
  const { losses } = await ours.step(checkedSteps);
  let lossesWithin = 0;
  for (const { name, trainer } of peers) {
    const theirs = (await trainer.step(checkedSteps)).losses;
    const distance = Math.max(...losses.map((loss, i) => Math.abs(loss - (theirs[i] ?? Number.NaN))));
    requireCheck(distance <= tolerance, `${what}: ours ${losses.join(", ")} and ${name}'s ${theirs.join(", ")} differ by ${distance}`);
    lossesWithin = Math.max(lossesWithin, distance);
  }
  requireCheck((losses.at(-1) ?? Infinity) < (losses[0] ?? 0), `${what}: the loss does not fall: ${losses.join(", ")}`);
  return { lossesWithin, firstLoss: losses[0] };
}

/** Rounds of one timing for each system, ours first, in rotating order. */
async function timeRounds({ repeats, rounds }: Subject, ours: Trainer, peers: readonly Peer[]): Promise<readonly (readonly Steps[])[]> {
  const trainers = [ours, ...peers.map(({ trainer }) => trainer)];
  for (const trainer of trainers) await trainer.step(Math.max(1, repeats >> 2)); // warm
  const result: Steps[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const steps: Steps[] = [];
    for (let turn = 0; turn < trainers.length; turn += 1) {
      const i = (round + turn) % trainers.length;
      const trainer = trainers[i];
      if (trainer !== undefined) steps[i] = await trainer.step(repeats);
    }
    result.push(steps);
  }
  return result;
}

function medianStep(rounds: readonly (readonly Steps[])[], system: number, { repeats }: Subject): number {
  return (
    quantile(
      rounds.map((round) => round[system]?.wallMs ?? Number.NaN),
      0.5,
    ) / repeats
  );
}

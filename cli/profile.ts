import type { Command } from "commander";
import pc from "picocolors";
import {
  adam,
  bytesText,
  chromeTrace,
  columnsFromRows,
  countFlops,
  createTrainingGraph,
  estimateMemory,
  formatProfile,
  meanSquaredError,
  profile,
  Random,
  randomFeeds,
  scalar,
  softmaxCrossEntropy,
  tensor,
  transformFeatures,
  type Bundle,
  type Graph,
  type Manifest,
  type Tensors,
} from "../core/index.ts";
import { loadBundle } from "../node/bundle/bundle-files.ts";
import { writeWhole } from "../node/draft-file.ts";
import { openNodeBackend } from "../node/open-backend.ts";
import { wholeNumber } from "./options.ts";
import { createOutput } from "./output.ts";

interface CommandOptions {
  readonly backend: string;
  readonly rows: number;
  readonly runs: number;
  readonly nodes: number;
  readonly training?: boolean;
  readonly trace?: string;
  readonly json?: boolean;
}

/** `espalier profile <bundle>`: where a model's time goes, operator by operator. */
export function addProfile(program: Command): void {
  program
    .command("profile")
    .description("show where a model's time and memory go, operator by operator")
    .argument("<bundle>", "what espalier train wrote")
    .option("--backend <name>", "what to compute on; see espalier doctor", "auto")
    .option("--rows <n>", "rows of a batch", wholeNumber(1, 65_536), 32)
    .option("--runs <n>", "measured runs", wholeNumber(1, 1000), 5)
    .option("--nodes <n>", "slowest nodes to show", wholeNumber(1), 20)
    .option("--training", "profile a training step in place of a prediction")
    .option("--trace <file>", "also write the last run as a Chrome trace (chrome://tracing, ui.perfetto.dev)")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier profile table-price\n  espalier profile digits --training --rows 64 --trace step.json\n")
    .action(profileBundle);
}

async function profileBundle(path: string, options: CommandOptions): Promise<void> {
  const output = createOutput(options);
  const bundle = await loadBundle(path);
  const graph = options.training === true ? trainingGraphOf(bundle) : bundle.graph;
  const feeds = feedsOf(graph, bundle.manifest, options.rows);
  const { backend } = await openNodeBackend(options.backend);
  try {
    const found = await profile({ backend, graph, state: await bundle.readTensors(), feeds, runs: options.runs, clock: () => performance.now() });
    const memory = estimateMemory(graph, { batch: options.rows });
    const { total: flops } = countFlops(graph, { batch: options.rows });
    output.line(formatProfile(found, { rows: options.nodes }));
    output.line(
      `${pc.bold("memory")}  about ${bytesText(memory.total)}: parameters ${bytesText(memory.parameters)}, slots ${bytesText(memory.slots)}, ` +
        `values between nodes ${bytesText(memory.activations)}`,
    );
    output.line(`${pc.bold("work")}    ${(flops / 1e9).toPrecision(3)} GFLOP a run, ${(flops / found.runMs / 1e6).toPrecision(3)} GFLOP/s`);
    if (options.trace !== undefined) await writeWhole(options.trace, chromeTrace(found));
    const { timeline: _, ...summary } = found;
    output.result({ ok: true, ...summary, memory, flops, ...(options.trace !== undefined && { trace: options.trace }) });
  } finally {
    await backend.dispose();
  }
}

function trainingGraphOf({ graph, manifest }: Bundle): Graph {
  const loss = manifest.target.task === "classification" ? softmaxCrossEntropy() : meanSquaredError();
  return createTrainingGraph({ graph }, { loss, optimizer: adam() });
}

/** The bundle's example row, again and again, with labels of zeros. */
function feedsOf(graph: Graph, { features, inputs, example }: Manifest, rows: number): Tensors {
  const columns = columnsFromRows(
    Array.from({ length: rows }, () => example),
    inputs,
  );
  const others: Tensors = {
    ...randomFeeds(graph, { seed: 0, step: 1, batch: rows }),
    learning_rate: scalar(0),
    step: scalar(1, "int64"),
    ...transformFeatures(features, columns),
  };
  const feeds = graph.inputs.map(({ name, dtype, shape }) => {
    const given = others[name];
    if (given !== undefined) return [name, given] as const;
    const sizes = shape.map((size) => (size === "batch" ? rows : size));
    const count = sizes.reduce((product, size) => product * size, 1);
    return [name, tensor(dtype, sizes, dtype === "float32" ? new Random(1).normals(count) : Array.from({ length: count }, () => 0))] as const;
  });
  return Object.fromEntries(feeds);
}

import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Columns } from "../../../core/index.ts";
import { inkStyle, rasterize, type Stroke } from "../../drawing/rasterize.ts";
import type { Answers, HeldOut } from "../../training/messages.ts";
import { connectTraining, type TrainerEnd, type TrainingNews } from "../../training/training-client.ts";
import { digitFeatures, full, imageAt, loadDigits, side, type DigitsData } from "./digits-data.ts";

/** What the page is doing. */
export type Phase = "loading" | "ready" | "starting" | "training" | "paused" | "finished" | "failed";

/** Points of the two charts. */
export interface Curves {
  /** Training loss by step. */
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  /** Held-out accuracy by the last step of each epoch. */
  readonly epochSteps: readonly number[];
  readonly accuracies: readonly number[];
}

/** The page's state, and what a person can do. */
export interface Demo {
  readonly phase: ReadonlySignal<Phase>;
  /** The backend and why it was chosen. */
  readonly backend: ReadonlySignal<{ readonly name: string; readonly device: string; readonly reason: string } | undefined>;
  readonly progress: ReadonlySignal<{ readonly epoch: number; readonly epochs: number; readonly share: number; readonly rate: number | undefined }>;
  readonly curves: ReadonlySignal<Curves>;
  readonly heldOut: ReadonlySignal<HeldOut | undefined>;
  readonly error: ReadonlySignal<string | undefined>;
  readonly data: ReadonlySignal<DigitsData | undefined>;
  readonly strokes: Signal<readonly Stroke[]>;
  /** The drawing as the network sees it; undefined while the canvas is empty. */
  readonly drawn: ReadonlySignal<Float32Array | undefined>;
  readonly answer: ReadonlySignal<Answers | undefined>;
  readonly start: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly stop: () => void;
  readonly download: () => Promise<void>;
}

const emptyCurves: Curves = { steps: [], losses: [], epochSteps: [], accuracies: [] };

/** How the page trains. */
export interface DemoSettings {
  /** "auto", or the name of the only backend that will do. */
  readonly backend: string;
  readonly epochs: number;
}

/** Wires the page's state to a training worker. */
export function createDemo(worker: TrainerEnd, { backend: backendName, epochs }: DemoSettings): Demo {
  const phase = signal<Phase>("loading");
  const backend = signal<Demo["backend"]["value"]>(undefined);
  const progress = signal<Demo["progress"]["value"]>({ epoch: 0, epochs, share: 0, rate: undefined });
  const curves = signal<Curves>(emptyCurves);
  const heldOut = signal<HeldOut | undefined>(undefined);
  const error = signal<string | undefined>(undefined);
  const data = signal<DigitsData | undefined>(undefined);
  const strokes = signal<readonly Stroke[]>([]);
  const answer = signal<Answers | undefined>(undefined);

  const fail = (cause: unknown): void => {
    error.value = cause instanceof Error ? cause.message : String(cause);
    phase.value = "failed";
  };

  const client = connectTraining(worker, (news) => hear(news));
  const hear = (news: TrainingNews): void => {
    switch (news.kind) {
      case "backend":
        backend.value = { name: news.name, device: news.device, reason: news.reason };
        return;
      case "event":
        hearEvent(news.event);
        return;
      case "held-out":
        takeHeldOut(news.heldOut);
        return;
      case "finished":
        heldOut.value = news.heldOut;
        phase.value = "finished";
        return;
      case "failed":
        if (news.code === "CANCELLED") phase.value = "ready";
        else fail(new Error(news.message));
        return;
      default:
        news satisfies never;
    }
  };
  const hearEvent = (event: Extract<TrainingNews, { kind: "event" }>["event"]): void => {
    if (event.kind === "start") phase.value = "training";
    if (event.kind !== "step") return;
    const { steps, losses, ...rest } = curves.value;
    curves.value = { ...rest, steps: [...steps, event.step], losses: [...losses, event.loss] };
    const share = (event.epoch - 1 + event.rows / (event.rowsPerEpoch ?? event.rows)) / event.epochs;
    progress.value = { epoch: event.epoch, epochs: event.epochs, share, rate: event.rowsPerSecond };
  };
  const takeHeldOut = (next: HeldOut): void => {
    heldOut.value = next;
    const { epochSteps, accuracies, ...rest } = curves.value;
    curves.value = { ...rest, epochSteps: [...epochSteps, rest.steps.at(-1) ?? 0], accuracies: [...accuracies, next.metrics["accuracy"] ?? 0] };
  };

  const drawn = computed(() => {
    const table = data.value?.table;
    if (table === undefined || strokes.value.length === 0) return undefined;
    return rasterize(strokes.value, inkStyle(imageAt(table, 0), { height: side, width: side, full }));
  });
  // Ask again whenever the drawing or the model changes; an answer that was overtaken is dropped.
  let asked = 0;
  effect(() => {
    const image = drawn.value;
    const ready = heldOut.value !== undefined;
    asked += 1;
    const mine = asked;
    if (image === undefined || !ready) {
      answer.value = undefined;
      return;
    }
    client.predict(imageTable(image)).then((found) => {
      if (mine === asked) answer.value = found;
    }, fail);
  });

  loadDigits().then((loaded) => {
    data.value = loaded;
    phase.value = "ready";
  }, fail);

  return {
    phase,
    backend,
    progress,
    curves,
    heldOut,
    error,
    data,
    strokes,
    drawn,
    answer,
    start() {
      const loaded = data.value;
      if (loaded === undefined) return;
      curves.value = emptyCurves;
      heldOut.value = undefined;
      error.value = undefined;
      progress.value = { epoch: 0, epochs, share: 0, rate: undefined };
      phase.value = "starting";
      client.start({
        name: "digits",
        table: loaded.table,
        target: "digit",
        features: digitFeatures,
        model: { kind: "conv-net" },
        // People slant and turn their digits more than 1,257 examples show.
        augmentation: { rotation: 10, zoom: 0.12, shear: 0.3 },
        epochs,
        batchSize: 64,
        learningRate: 0.003,
        seed: 1,
        source: { name: "digits.csv.gz", fingerprint: loaded.fingerprint },
        backend: backendName,
      });
    },
    pause() {
      client.pause();
      phase.value = "paused";
    },
    resume() {
      client.resume();
      phase.value = "training";
    },
    stop: () => client.stop(),
    async download() {
      try {
        offer(await client.bundle(), "digits.safetensors");
      } catch (cause) {
        fail(cause);
      }
    },
  };
}

function imageTable(values: Float32Array): Columns {
  return { length: 1, columns: new Map([["image", { kind: "tensor", shape: [1, side, side], values }]]) };
}

/** Hands bytes to the person as a file. */
function offer(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The click has handed the address over.
  URL.revokeObjectURL(url);
}

import {
  adam,
  createTrainingGraph,
  EspalierError,
  mlp,
  Random,
  scalar,
  selfTest,
  softmaxCrossEntropy,
  tensor,
  type Backend,
  type BackendDriver,
  type Executable,
  type Tensors,
} from "../core/index.ts";

/** What is known of a backend after trying it. */
export interface Examination {
  readonly name: string;
  readonly works: boolean;
  readonly device?: string;
  /** Whether the device is emulated: "auto" takes it only when nothing else works. */
  readonly software?: boolean;
  /** Why it does not work, or what it did wrong. */
  readonly reason?: string;
  readonly install?: string;
  /** Steps a second of a small network, measured here and now. */
  readonly stepsPerSecond?: number;
}

const rows = 128;
const features = 64;
const classes = 10;

/** Time spent on measuring one backend. */
const measureMs = 500;

/**
 * Tries a backend: opens it, tests it, trains a small network on it for half a second, and looks whether the loss fell.
 *
 * @returns never throws for what is wrong with the backend: that is the result
 */
export async function examineBackend(driver: BackendDriver): Promise<Examination> {
  const { name } = driver;
  try {
    const found = await driver.probe();
    if (!found.available) return { name, works: false, reason: found.reason, install: found.install };
    const backend = await driver.open();
    try {
      await selfTest(backend);
      return { name, works: true, device: found.device, software: found.software, stepsPerSecond: await measureSteps(backend) };
    } finally {
      await backend.dispose();
    }
  } catch (error) {
    const reason = error instanceof EspalierError ? `${error.code}: ${error.message}` : String(error);
    return { name, works: false, reason };
  }
}

async function measureSteps(backend: Backend): Promise<number> {
  const model = mlp({ width: features, hidden: [256, 256], head: { task: "classification", classes }, seed: 1 });
  const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() });
  const executable = await backend.compile(graph, { state: model.state });
  try {
    const random = new Random(1);
    const batch: Tensors = {
      features: tensor("float32", [rows, features], random.normals(rows * features)),
      labels: tensor(
        "int32",
        [rows],
        Int32Array.from({ length: rows }, () => random.integer(classes)),
      ),
    };
    const first = await step(executable, batch, 1);
    const start = performance.now();
    let count = 0;
    let last = first;
    while (count < 3 || performance.now() - start < measureMs) {
      count += 1;
      last = await step(executable, batch, count + 1);
    }
    if (!(last < first))
      throw new EspalierError("BACKEND_SELF_TEST_FAILED", `the loss did not fall in ${count} steps (${first} to ${last})`, { first, last });
    return (1000 * count) / (performance.now() - start);
  } finally {
    await executable.dispose();
  }
}

async function step(executable: Executable, batch: Tensors, number: number): Promise<number> {
  const { loss } = await executable.run({ ...batch, learning_rate: scalar(0.001), step: scalar(number, "int64") });
  const value = Number(loss?.data[0]);
  if (!Number.isFinite(value)) throw new EspalierError("BACKEND_SELF_TEST_FAILED", `the loss is ${value} in step ${number}`, { step: number });
  return value;
}

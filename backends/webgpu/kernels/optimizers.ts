import { toNumbers, type Tensor, type ValueName } from "../../../core/index.ts";
import { exponentialMinusOne } from "./exponential-minus-one.ts";
import { dispatchShader, type Kernel, type KernelContext, type PlacedDispatch, type Placement } from "../kernel.ts";
import type { Place } from "../memory.ts";
import { elementBytes, sizeOf, type Storage } from "../storage.ts";
import { flatLoop, literal, Shader, spreadWorkgroups, workgroupIndex } from "../wgsl.ts";

/**
 * Optimizers update every parameter in one dispatch, however many there are: a table says where the pieces of each lie, and the kernel
 * binds the memory that holds them all. More dispatches are made only where that memory is in several buffers or larger than one binding.
 */
export const optimizerKernels: Readonly<Record<string, Kernel>> = { Adam: adam, Momentum: momentum };

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html */
function adam(context: KernelContext): void {
  const number = numbersOf(context);
  const [alpha, beta] = [context.attributes.float("alpha"), context.attributes.float("beta")];
  // In float32, 1 - beta^T loses its digits for small T: it is worked out in double precision by the host.
  const corrected = (rate: number, step: number): number => (step > 0 ? (rate * Math.sqrt(1 - beta ** step)) / (1 - alpha ** step) : rate);
  const correctedOnDevice = (rate: string, step: string): string =>
    // 1 - base^t = -(e^(t ln base) - 1)
    `select(${rate}, ${rate} * sqrt(-exponentialMinusOne(${step} * ${number.of(Math.log(beta))})) / -exponentialMinusOne(${step} * ${number.of(Math.log(alpha))}), ${step} > 0.0f)`;
  const rate = rateStorage(context, { onHost: corrected, onDevice: correctedOnDevice });
  writeOptimizer(context, {
    rate,
    slots: 2,
    body: [
      `let g = gradient + ${number.attribute("norm_coefficient")} * x;`,
      `let v = ${number.attribute("alpha")} * slot0 + ${number.of(1 - alpha)} * g;`,
      `let h = ${number.attribute("beta")} * slot1 + ${number.of(1 - beta)} * g * g;`,
      `let next = ${number.of(1 - context.attributes.float("norm_coefficient_post"))} * (x - rate * v / (sqrt(h) + ${number.attribute("epsilon")}));`,
    ].join("\n"),
    results: ["next", "v", "h"],
  });
}

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html */
function momentum(context: KernelContext): void {
  const number = numbersOf(context);
  const nesterov = context.attributes.string("mode") === "nesterov";
  const beta = context.attributes.float("beta");
  const rate = rateStorage(context, { onHost: (given) => given, onDevice: (given) => given });
  const share = rateStorage(context, {
    onHost: (_, step) => (step > 0 ? beta : 1),
    onDevice: (_, step) => `select(1.0f, ${number.of(beta)}, ${step} > 0.0f)`,
  });
  writeOptimizer(context, {
    rate,
    share,
    slots: 1,
    body: [
      `let g = gradient + ${number.attribute("norm_coefficient")} * x;`,
      `let v = ${number.attribute("alpha")} * slot0 + share * g;`,
      `let next = x - rate * ${nesterov ? `(g + ${number.attribute("alpha")} * v)` : "v"};`,
    ].join("\n"),
    results: ["next", "v"],
  });
}

interface OptimizerCode {
  readonly rate: Storage;
  readonly share?: Storage;
  readonly slots: number;
  /** WGSL over `x`, `gradient`, `slot0`, ..., `rate`, `share`. */
  readonly body: string;
  /** The names of the new x and slots. */
  readonly results: readonly string[];
}

/** Elements of one table row: a workgroup's work. */
const chunk = 1024;

const threads = 256;

/** The values of one parameter: where x and its slots are updated in place, and where its gradient is read. */
interface Parameter {
  readonly count: number;
  /** x, then the slots, then the gradient. */
  readonly storages: readonly Storage[];
}

function writeOptimizer(context: KernelContext, code: OptimizerCode): void {
  const count = (context.inputCount - 2) / (code.slots + 2);
  const parameters = Array.from({ length: count }, (_, i): Parameter => {
    const updated = Array.from({ length: code.slots + 1 }, (__, part) => {
      const from = context.input(2 + (part === 0 ? 0 : part + 1) * count + i);
      const to = context.output(part * count + i);
      if (from.storage !== to.storage) copyValue(context, { from: from.storage, to: to.storage });
      return to.storage;
    });
    return { count: sizeOf(context.input(2 + i)), storages: [...updated, context.input(2 + count + i).storage] };
  });
  const label = `${context.node.operator} ${context.node.name}`;
  const guard = context.guard;
  const scalars = [code.rate, ...(code.share ? [code.share] : [])];
  context.dispatchLate({
    label,
    storages: [...scalars, ...(guard ? [guard.storage] : []), ...parameters.flatMap(({ storages }) => storages)],
    place: (placement) => batchesOf(parameters, placement).map((batch) => placeBatch(batch, { placement, code, label, scalars, guard })),
  });
}

function copyValue(context: KernelContext, { from, to }: { readonly from: Storage; readonly to: Storage }): void {
  const shader = new Shader();
  const { body, workgroups } = flatLoop(from.elements, `${shader.bind(to)}[i] = ${shader.bind(from)}[i];`);
  dispatchShader(context, shader, { body, workgroups, part: " (copy)" });
}

/** Parameters whose memory fits into one set of bindings: for x, each slot and the gradient, one range of one buffer. */
interface Batch {
  readonly parameters: Parameter[];
  readonly spans: Place[];
}

function batchesOf(parameters: readonly Parameter[], { placeOf, maxBindingBytes }: Placement): readonly Batch[] {
  const batches: Batch[] = [];
  for (const parameter of parameters.filter(({ count }) => count > 0)) {
    const places = parameter.storages.map(placeOf);
    const batch = batches.find(({ spans }) => spans.every((span, i) => joins(span, places[i] ?? span, maxBindingBytes)));
    if (batch === undefined) {
      batches.push({ parameters: [parameter], spans: places });
      continue;
    }
    batch.parameters.push(parameter);
    places.forEach((place, i) => (batch.spans[i] = union(batch.spans[i] ?? place, place)));
  }
  return batches;
}

function joins(span: Place, place: Place, maxBytes: number): boolean {
  return span.buffer === place.buffer && union(span, place).size <= maxBytes;
}

function union(a: Place, b: Place): Place {
  const offset = Math.min(a.offset, b.offset);
  return { buffer: a.buffer, offset, size: Math.max(a.offset + a.size, b.offset + b.size) - offset };
}

interface PlaceOptions {
  readonly placement: Placement;
  readonly code: OptimizerCode;
  readonly label: string;
  readonly scalars: readonly Storage[];
  readonly guard: KernelContext["guard"];
}

function placeBatch({ parameters, spans }: Batch, { placement, code, label, scalars, guard }: PlaceOptions): PlacedDispatch {
  const ranges = disjointRanges(spans, placement.maxBindingBytes);
  const parts = spans.length;
  const rows: number[] = [];
  for (const { count, storages } of parameters) {
    const starts = storages.map((storage, i) => (placement.placeOf(storage).offset - (ranges.places[ranges.of[i] ?? 0]?.offset ?? 0)) / elementBytes);
    for (let first = 0; first < count; first += chunk) rows.push(...starts.map((start) => start + first), Math.min(chunk, count - first));
  }
  const table = placement.upload(Uint32Array.from(rows));
  const groups = rows.length / (parts + 1);
  const extra = [...scalars, ...(guard ? [guard.storage] : [])];
  const firstRange = 1 + extra.length;
  const memory = (part: number): string => `b${firstRange + (ranges.of[part] ?? 0)}[at${part} + k]`;
  const declare = (binding: number, element: string): string =>
    `@group(0) @binding(${binding}) var<storage, read_write> b${binding}: array<${element}>;`;
  const slotLines = code.results.slice(1).map((_, slot) => `let slot${slot} = ${memory(slot + 1)};`);
  const source = [
    declare(0, "u32"),
    ...extra.map((storage, i) => declare(1 + i, storage.source.kind === "status" ? "atomic<u32>" : storage.scalar)),
    ...ranges.places.map((_, i) => declare(firstRange + i, "f32")),
    `@compute @workgroup_size(${threads})`,
    "fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {",
    `let row = ${workgroupIndex(groups)};\nif (row >= ${groups}u) { return; }`,
    guard ? `if (${guard.condition(`b${1 + scalars.length}`)}) { return; }` : "",
    ...spans.map((_, part) => `let at${part} = b0[row * ${parts + 1}u + ${part}u];`),
    `let count = b0[row * ${parts + 1}u + ${parts}u];`,
    "let rate = b1[0];",
    code.share ? "let share = b2[0];" : "",
    `for (var k = lane; k < count; k += ${threads}u) {`,
    `let x = ${memory(0)};\nlet gradient = ${memory(parts - 1)};`,
    ...slotLines,
    code.body,
    ...code.results.map((name, part) => `${memory(part)} = ${name};`),
    "}",
    "}",
  ].join("\n");
  return {
    label,
    code: source,
    places: [table, ...extra.map((storage) => placement.placeOf(storage)), ...ranges.places],
    workgroups: spreadWorkgroups(groups),
  };
}

/** Writable bindings must not overlap: spans of one buffer that do, or that are near enough, become one. */
function disjointRanges(spans: readonly Place[], maxBytes: number): { readonly places: readonly Place[]; readonly of: readonly number[] } {
  const places: Place[] = [];
  for (const span of spans.toSorted((a, b) => a.offset - b.offset)) {
    const at = places.findIndex((place) => place.buffer === span.buffer && (overlap(place, span) || union(place, span).size <= maxBytes));
    if (at < 0) places.push(span);
    else places[at] = union(places[at] ?? span, span);
  }
  return { places, of: spans.map((span) => places.findIndex((place) => place.buffer === span.buffer && contains(place, span))) };
}

function overlap(a: Place, b: Place): boolean {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

function contains(a: Place, b: Place): boolean {
  return a.offset <= b.offset && b.offset + b.size <= a.offset + a.size;
}

interface RateOptions {
  readonly onHost: (rate: number, step: number) => number;
  /** WGSL over two f32 expressions. */
  readonly onDevice: (rate: string, step: string) => string;
}

/** A number that depends on the rate and the step: computed by the host when it knows both, else by a dispatch. */
function rateStorage(context: KernelContext, { onHost, onDevice }: RateOptions): Storage {
  const [rate, step] = [hostNumber(context, 0), hostNumber(context, 1)];
  if (rate && step) return context.hostScalar((feed) => onHost(rate(feed), step(feed)));
  const shader = new Shader();
  shader.define(exponentialMinusOne);
  const storage = context.deviceScalar();
  const body = [
    "if (lane > 0u) { return; }",
    `let rate = ${shader.bind(context.input(0).storage)}[0];\nlet step = f32(${shader.bind(context.input(1).storage)}[0]);`,
    `${shader.bind(storage)}[0] = ${onDevice("rate", "step")};`,
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: [1, 1, 1], part: " (rate)" });
  return storage;
}

type Feed = (input: ValueName) => Tensor;

function hostNumber(context: KernelContext, index: number): ((feed: Feed) => number) | undefined {
  const { constant } = context.input(index);
  if (constant) return () => toNumbers(constant)[0] ?? 0;
  const fed = context.fedAs(index);
  return fed === undefined ? undefined : (feed) => toNumbers(feed(fed))[0] ?? 0;
}

function numbersOf(context: KernelContext): { readonly attribute: (name: string) => string; readonly of: (value: number) => string } {
  const of = (value: number): string => literal(value, "f32") ?? literal(-3e38, "f32") ?? "0.0f"; // ln 0 for an alpha or beta of 0: 1 - 0^t = 1
  return { of, attribute: (name) => of(context.attributes.float(name)) };
}

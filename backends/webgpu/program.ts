import {
  dtypeCodes,
  elementCount,
  EspalierError,
  formatShape,
  tensor,
  type DType,
  type Graph,
  type Node,
  type Tensor,
  type ValueName,
} from "../../core/index.ts";
import { isAlias, rootsOf } from "./aliases.ts";
import { groupNodes, type Group } from "./fusion.ts";
import { groupSource, type GroupSourceOptions } from "./group-source.ts";
import { attributesOf, type Dispatch, type KernelContext, type LateDispatch, type Tuning } from "./kernel.ts";
import { kernels } from "./kernels/index.ts";
import { isDeviceInput, isOptimizer, liveNodes, scheduleNodes } from "./liveness.ts";
import { pairExtremes } from "./pairwise.ts";
import { elementBytes, scalarOf, type Scalar, type Storage, type StorageKind, type View } from "./storage.ts";
import { toDevice } from "./transfer.ts";
import { flatLoop, Shader } from "./wgsl.ts";

/** A kernel's complaint about one element of its input. */
export interface FaultSite {
  readonly node: Node;
  readonly describe: (value: number) => string;
}

/** A graph of fixed sizes as dispatches over storages, before any memory is there. */
export interface Program {
  readonly dispatches: readonly (Dispatch | LateDispatch)[];
  /** Dispatches that write new states, run after the outputs were copied. */
  readonly commits: readonly Dispatch[];
  readonly feeds: ReadonlyMap<ValueName, Storage>;
  readonly outputs: readonly { readonly name: string; readonly view: View }[];
  readonly faults: readonly FaultSite[];
  /** Word 0 counts finished runs, word 1 tells of any fault, then two words a site: a flag and the element. */
  readonly status: Storage;
}

/** What `writeProgram` needs besides the graph. */
export interface ProgramOptions {
  readonly tuning: Tuning;
  /** The largest range that can be bound, in bytes. */
  readonly maxBindingBytes: number;
}

/**
 * Writes the dispatches of a graph whose every size is known and whose operators the engine has.
 *
 * @throws BACKEND_RUN_FAILED naming the node when a value is larger than the device can bind
 */
export function writeProgram(graph: Graph, options: ProgramOptions): Program {
  return new ProgramWriter(pairExtremes(graph), options).write();
}

class ProgramWriter {
  readonly #graph: Graph;
  readonly #options: ProgramOptions;
  readonly #root: (name: ValueName) => ValueName;
  readonly #storages = new Map<ValueName, Storage>();
  readonly #dispatches: (Dispatch | LateDispatch)[] = [];
  readonly #commits: Dispatch[] = [];
  readonly #faults: FaultSite[] = [];
  readonly #constants: Map<ValueName, Tensor>;
  readonly #status: Storage;
  #faultWords = 2;

  constructor(graph: Graph, options: ProgramOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#root = rootsOf(graph);
    this.#constants = new Map(Object.entries(graph.constants));
    const words = (): number => this.#faultWords;
    this.#status = {
      scalar: "u32",
      source: { kind: "status" },
      get elements() {
        return words();
      },
    };
    for (const { name } of graph.inputs) this.#storages.set(name, this.#newStorage(name, { kind: "feed", input: name }));
    for (const { name } of graph.state) this.#storages.set(name, this.#newStorage(name, { kind: "state", state: name }));
  }

  write(): Program {
    const { outputs, updates } = this.#graph;
    this.#foldShapes();
    const nodes = scheduleNodes(liveNodes(this.#graph).filter((node) => node.operator !== "Shape" && !isAlias(this.#graph, node)));
    this.#updateInPlace(nodes);
    const kept = new Set([...Object.values(outputs), ...Object.values(updates)].map(this.#root));
    for (const group of groupNodes(this.#graph, { nodes, root: this.#root, kept, maxBindings: this.#options.tuning.maxBindings }))
      this.#writeGroup(group);
    const shader = new Shader();
    const name = shader.bind(this.#status);
    const count = { code: shader.source(`if (lane == 0u) { atomicAdd(&${name}[0], 1u); }`), storages: shader.storages };
    const views = Object.entries(outputs).map(([output, value]) => ({ name: output, view: this.#view(value) }));
    this.#writeCommits();
    return {
      dispatches: [...this.#dispatches, { label: "count the run", workgroups: [1, 1, 1], ...count }],
      commits: this.#commits,
      feeds: new Map(this.#graph.inputs.map((input) => [input.name, this.#storages.get(input.name) as Storage])), // set in the constructor
      outputs: views,
      faults: this.#faults,
      status: this.#status,
    };
  }

  #foldShapes(): void {
    for (const node of this.#graph.nodes) {
      if (node.operator !== "Shape") continue;
      const attributes = attributesOf(node);
      const sizes = this.#shapeOf(node.inputs[0] ?? "").slice(attributes.int("start"), attributes.has("end") ? attributes.int("end") : undefined);
      this.#constants.set(node.outputs[0] ?? "", tensor("int64", [sizes.length], sizes));
    }
  }

  /** Lets an optimizer write over the state that it replaces, where nobody needs the old or the new value besides. */
  #updateInPlace(nodes: readonly Node[]): void {
    const { outputs, updates } = this.#graph;
    const returned = new Set(Object.values(outputs).map(this.#root));
    const reads = new Map<ValueName, number>();
    for (const name of nodes.flatMap((node) => node.inputs.filter((input, i) => input !== "" && isDeviceInput(node, i)))) {
      reads.set(this.#root(name), (reads.get(this.#root(name)) ?? 0) + 1);
    }
    const sources = new Set(Object.values(updates).map(this.#root));
    const optimizers = nodes.filter(isOptimizer);
    for (const node of optimizers) {
      for (const output of node.outputs) {
        const [state, ...others] = Object.keys(updates).filter((target) => this.#root(updates[target] ?? "") === output);
        if (state === undefined || others.length > 0 || !node.inputs.includes(state)) continue;
        const readLater = optimizers.some((other) => other !== node && other.inputs.some((input) => this.#root(input) === state));
        if (returned.has(output) || reads.has(output) || returned.has(state) || sources.has(state) || readLater) continue;
        this.#storages.set(output, this.#storages.get(state) as Storage); // states were set in the constructor
      }
    }
  }

  #writeGroup(group: Group): void {
    const last = group.nodes.at(-1);
    if (last === undefined) return;
    const kernel = kernels[group.head?.operator ?? last.operator];
    if (elementCount(this.#shapeOf(last.outputs[0] ?? "")) === 0 && last.outputs.length === 1) {
      this.#define(last.outputs[0] ?? "");
      return;
    }
    if (kernel) {
      kernel(this.#contextOf(group.head ?? last, group.head ? group : undefined));
      return;
    }
    const target = this.#define(last.outputs[0] ?? "");
    const shader = new Shader();
    const { body, workgroups } = flatLoop(target.elements, groupSource(shader, { ...this.#sourceOptions(group, target), index: "i" }));
    const label = group.nodes.map((node) => node.operator).join(" ");
    this.#dispatches.push({ label: `${label} ${last.name}`, code: shader.source(body), storages: shader.storages, workgroups });
  }

  #sourceOptions(group: Group, target: Storage): Omit<GroupSourceOptions, "index"> {
    return {
      group,
      target,
      root: this.#root,
      view: (name) => this.#view(name),
      typeOf: (name) => this.#typeOf(name),
      fault: (node, shader, value, describe) => this.#fault(node, shader, value, describe),
      fail: (node, message) => refuse(node, message),
    };
  }

  #contextOf(node: Node, group: Group | undefined): KernelContext {
    const last = group?.nodes.at(-1) ?? node;
    // Outputs that nobody reads still are written: kernels do not ask.
    for (const output of group ? last.outputs : node.outputs) this.#define(output);
    const optional = (index: number): View | undefined => (node.inputs[index] ? this.#view(node.inputs[index]) : undefined);
    const target = this.#view(last.outputs[0] ?? "").storage;
    return {
      node,
      attributes: attributesOf(node),
      tuning: this.#options.tuning,
      optional,
      input: (index) => optional(index) ?? refuse(node, `input ${index} is required`),
      inputCount: node.inputs.length,
      output: (index) => (group ? { ...this.#typeOf(node.outputs[index] ?? ""), storage: target } : this.#view(node.outputs[index] ?? "")),
      outputCount: node.outputs.length,
      epilogue: {
        storage: target,
        store: (shader, index, value) =>
          group
            ? `{\nlet result = ${value};\n${groupSource(shader, { ...this.#sourceOptions(group, target), index, headValue: "result" })}\n}`
            : `${shader.bind(target)}[${index}] = ${value};`,
      },
      temporary: (scalar, elements) => this.#checked(node, { scalar, elements, source: { kind: "temporary" } }),
      table: (data) => ({
        scalar: data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "u32",
        elements: data.length,
        source: { kind: "constant", data },
      }),
      hostScalar: (compute) => ({ scalar: "f32", elements: 1, source: { kind: "scalar", compute } }),
      deviceScalar: () => ({ scalar: "f32", elements: 1, source: { kind: "scalar", compute: undefined } }),
      fedAs: (index) => this.#graph.inputs.find(({ name }) => name === this.#root(node.inputs[index] ?? ""))?.name,
      fault: (shader, value, describe) => this.#fault(node, shader, value, describe),
      guard: this.#guard(),
      dispatch: (dispatch) => this.#dispatches.push(dispatch),
      dispatchLate: (dispatch) => this.#dispatches.push(dispatch),
      fail: (message) => refuse(node, message),
    };
  }

  #guard(): KernelContext["guard"] {
    return this.#faults.length === 0 ? undefined : { storage: this.#status, condition: (binding) => `atomicLoad(&${binding}[1]) != 0u` };
  }

  #fault(node: Node, shader: Shader, value: string, describe: (value: number) => string): string {
    const at = this.#faultWords;
    this.#faults.push({ node, describe });
    this.#faultWords += 2;
    const status = shader.bind(this.#status);
    return `atomicStore(&${status}[1], 1u); atomicStore(&${status}[${at}], 1u); atomicStore(&${status}[${at + 1}], bitcast<u32>(${value}));`;
  }

  /** New states go to their place at the end of a run, all at once; when an element was reported, none does. */
  #writeCommits(): void {
    const sources = Object.entries(this.#graph.updates).map(([state, value]) => {
      const source = this.#view(value).storage;
      const target = this.#storages.get(state) as Storage; // states were set in the constructor
      return { state, target, source: source !== target && source.source.kind === "state" ? this.#snapshot(state, source) : source };
    });
    for (const { state, target, source } of sources) {
      if (source !== target && target.elements > 0) this.#commits.push(this.#copy(`update ${state}`, { source, target, guard: this.#guard() }));
    }
  }

  #snapshot(state: ValueName, source: Storage): Storage {
    const target: Storage = { ...source, source: { kind: "temporary" } };
    if (source.elements > 0) this.#dispatches.push(this.#copy(`keep ${state}`, { source, target, guard: undefined }));
    return target;
  }

  #copy(
    label: string,
    { source, target, guard }: { readonly source: Storage; readonly target: Storage; readonly guard: KernelContext["guard"] },
  ): Dispatch {
    const shader = new Shader();
    const test = guard ? `if (${guard.condition(shader.bind(guard.storage))}) { return; }\n` : "";
    const { body, workgroups } = flatLoop(target.elements, `${test}${shader.bind(target)}[i] = ${shader.bind(source)}[i];`);
    return { label, code: shader.source(body), storages: shader.storages, workgroups };
  }

  #view(name: ValueName): View {
    return { ...this.#typeOf(name), storage: this.#storages.get(this.#root(name)) ?? this.#constantStorage(this.#root(name)) };
  }

  #constantStorage(name: ValueName): Storage {
    const constant = this.#constants.get(name);
    if (constant === undefined) throw new EspalierError("INTERNAL", `"${name}" was read before it was written`, { value: name });
    const storage = this.#newStorage(name, { kind: "constant", data: toDevice(constant, `constant "${name}"`) });
    this.#storages.set(name, storage);
    return storage;
  }

  #typeOf(name: ValueName): { readonly dtype: DType; readonly shape: readonly number[]; readonly constant?: Tensor } {
    const type = this.#graph.values[name];
    if (type === undefined)
      throw new EspalierError("GRAPH_INVALID", `graph "${this.#graph.name}" uses "${name}", which nothing defines`, { value: name });
    const constant = this.#constants.get(name);
    return { dtype: type.dtype, shape: this.#shapeOf(name), ...(constant && { constant }) };
  }

  #shapeOf(name: ValueName): readonly number[] {
    return (this.#graph.values[name]?.shape ?? []).map((size) => {
      if (size === "batch") throw new EspalierError("INTERNAL", `"${name}" still has a symbolic size`, { value: name });
      return size;
    });
  }

  #define(name: ValueName): Storage {
    const known = this.#storages.get(name);
    if (known) return known; // a state that is updated in place
    const storage = this.#newStorage(name, { kind: "temporary" });
    this.#storages.set(name, storage);
    return storage;
  }

  #newStorage(name: ValueName, source: StorageKind): Storage {
    const { dtype, shape } = this.#typeOf(name);
    const scalar: Scalar | undefined = scalarOf(dtype);
    if (scalar === undefined) {
      throw new EspalierError(
        "BACKEND_OPERATOR_MISSING",
        `the webgpu backend computes in float32, float16, int32, int64, uint8 and bool, but "${name}" is ${dtype}`,
        {
          value: name,
          dtype: dtypeCodes[dtype],
        },
      );
    }
    return this.#checked({ name, shape }, { scalar, elements: elementCount(shape), source });
  }

  #checked(of: { readonly name: string; readonly shape?: readonly number[] }, storage: Storage): Storage {
    const bytes = storage.elements * elementBytes;
    if (bytes <= this.#options.maxBindingBytes) return storage;
    throw new EspalierError(
      "BACKEND_RUN_FAILED",
      `"${of.name}"${of.shape ? ` of shape ${formatShape(of.shape)}` : ""} takes ${bytes} bytes on the GPU, which binds ${this.#options.maxBindingBytes} at most; use smaller batches`,
      { value: of.name, bytes, maxBindingBytes: this.#options.maxBindingBytes },
    );
  }
}

function refuse(node: Node, message: string): never {
  throw new EspalierError("BACKEND_RUN_FAILED", `${node.name} (${node.operator}): ${message}`, { node: node.name, operator: node.operator });
}

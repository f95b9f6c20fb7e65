import { checkFeeds, checkState, EspalierError, stateNames, type Executable, type Graph, type KernelTiming, type Tensors } from "../../core/index.ts";
import type { Engine, ExecutableId } from "./engine.ts";

/** One compiled graph; its state and sessions are in the engine. */
export class OnnxRuntimeExecutable implements Executable {
  readonly graph: Graph;
  readonly id: ExecutableId;
  readonly engine: Engine;
  #disposed = false;

  constructor(graph: Graph, id: ExecutableId, engine: Engine) {
    this.graph = graph;
    this.id = id;
    this.engine = engine;
  }

  async run(feeds: Tensors): Promise<Tensors> {
    this.#refuseDisposed();
    const batch = checkFeeds(this.graph, feeds);
    return this.engine.run(this.id, feeds, batch);
  }

  async profile(feeds: Tensors): Promise<readonly KernelTiming[]> {
    this.#refuseDisposed();
    return this.engine.profile(this.id, feeds, checkFeeds(this.graph, feeds));
  }

  async readState(names?: readonly string[]): Promise<Tensors> {
    this.#refuseDisposed();
    return this.engine.readState(this.id, stateNames(this.graph, names));
  }

  async writeState(state: Tensors): Promise<void> {
    this.#refuseDisposed();
    checkState(this.graph, state);
    await this.engine.writeState(this.id, state);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.engine.release(this.id);
  }

  #refuseDisposed(): void {
    if (this.#disposed)
      throw new EspalierError("ARGUMENT_INVALID", `the executable of "${this.graph.name}" was disposed`, { graph: this.graph.name });
  }
}

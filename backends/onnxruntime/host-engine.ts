import { EspalierError, StateStore, type KernelTiming, type Tensor, type Tensors } from "../../core/index.ts";
import type { Engine, EngineCompile, ExecutableId } from "./engine.ts";
import { Program, type ProgramHost } from "./program.ts";
import { copyTensor } from "./state-memory.ts";

/** The engine itself: programs over onnxruntime-node in the thread that calls it. Calls are queued; `run` blocks the thread while it computes. */
export class HostEngine implements Engine {
  readonly #host: ProgramHost;
  readonly #programs = new Map<ExecutableId, Program>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: ProgramHost) {
    this.#host = host;
  }

  compile({ id, graph, state, shareWith }: EngineCompile): Promise<void> {
    return this.#queue(async () => {
      const owner = shareWith === undefined ? undefined : this.#program(shareWith);
      const store = new StateStore<Tensor>(graph, {
        create: (type, first) => this.#host.memory.create(type, first),
        release: (value) => this.#host.memory.release(value),
        first: state,
        shareWith: owner?.store,
      });
      const program = new Program(graph, store, this.#host, { shared: owner !== undefined });
      try {
        await owner?.share();
        await program.prepare();
      } catch (error) {
        await program.dispose();
        throw error;
      }
      this.#programs.set(id, program);
    });
  }

  run(id: ExecutableId, feeds: Tensors, batch: number): Promise<Tensors> {
    return this.#queue(() => this.#program(id).run(feeds, batch));
  }

  profile(id: ExecutableId, feeds: Tensors, batch: number): Promise<readonly KernelTiming[]> {
    return this.#queue(() => this.#program(id).profile(feeds, batch));
  }

  readState(id: ExecutableId, names: readonly string[]): Promise<Tensors> {
    return this.#queue(() => {
      const { store } = this.#program(id);
      return Promise.resolve(Object.fromEntries(names.map((name) => [name, copyTensor(store.get(name))])));
    });
  }

  writeState(id: ExecutableId, state: Tensors): Promise<void> {
    return this.#queue(() => this.#program(id).writeState(state));
  }

  release(id: ExecutableId): Promise<void> {
    return this.#queue(async () => {
      const program = this.#programs.get(id);
      this.#programs.delete(id);
      await program?.dispose();
    });
  }

  close(): Promise<void> {
    return this.#queue(async () => {
      const programs = [...this.#programs.values()];
      this.#programs.clear();
      for (const program of programs) await program.dispose(); // one after the other: each frees native memory
      await this.#host.native?.team?.close();
    });
  }

  #program(id: ExecutableId): Program {
    const program = this.#programs.get(id);
    if (program === undefined) throw new EspalierError("ARGUMENT_INVALID", "onnxruntime: the executable was disposed", { id });
    return program;
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined); // its caller hears of the failure
    return result;
  }
}

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** What steps came to. */
export interface Steps {
  readonly losses: readonly number[];
  /** Of all of them together, measured where they ran. */
  readonly wallMs: number;
  /** Processor time of all threads. */
  readonly cpuMs: number;
}

/** A process that trains one subject with one system. */
export interface Trainer {
  /** The system, its version and how it was set. */
  readonly description: string;
  step(count: number): Promise<Steps>;
  /** Largest resident memory so far. */
  peakBytes(): Promise<number>;
  close(): Promise<void>;
}

/** How a trainer's process is started. */
export interface TrainerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a trainer: a process that answers every line of JSON on its stdin with one on its stdout.
 *
 * First it says `{"description":...}` unasked. `{"steps":n}` runs n training steps: `{"losses":[...],"wallMs":..,"cpuMs":..}`; `{"peak":true}` is
 * answered by `{"peakBytes":..}`. It ends when its stdin does.
 *
 * @throws Error with what the process printed, when it ends before its time
 */
export async function startTrainer({ command, args, env = {} }: TrainerCommand): Promise<Trainer> {
  const environment = Object.fromEntries(Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined));
  const child = spawn(command, [...args], { stdio: ["pipe", "pipe", "pipe"], env: environment });
  const answers = new Answers(child);
  const { description } = (await answers.next()) as { readonly description: string };
  const ask = async (request: unknown): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return answers.next();
  };
  return {
    description,
    step: async (count) => (await ask({ steps: count })) as Steps,
    peakBytes: async () => ((await ask({ peak: true })) as { readonly peakBytes: number }).peakBytes,
    async close() {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

/** The lines that a process prints, one at a time. */
class Answers {
  readonly #lines: string[] = [];
  #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;
  #complaints = "";

  constructor(child: ChildProcess) {
    if (child.stdout === null || child.stderr === null) throw new TypeError("a trainer's output is piped");
    child.stderr.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-4000);
    });
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      if (this.#waiting === undefined) this.#lines.push(line);
      else this.#waiting.resolve(line);
      this.#waiting = undefined;
    });
    const fail = (what: string): void => {
      this.#failure = new Error(`${child.spawnfile} ${child.spawnargs.slice(1).join(" ")} ${what}\n${this.#complaints}`);
      this.#waiting?.reject(this.#failure);
    };
    child.once("error", (error) => fail(error.message));
    lines.once("close", () => fail("ended"));
  }

  async next(): Promise<unknown> {
    const line =
      this.#lines.shift() ??
      (await new Promise<string>((resolve, reject) => {
        if (this.#failure !== undefined) reject(this.#failure);
        this.#waiting = { resolve, reject };
      }));
    return JSON.parse(line) as unknown;
  }
}

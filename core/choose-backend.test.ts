import { describe, expect, it } from "vitest";
import { openReference } from "../backends/reference/index.ts";
import type { Availability, Backend, BackendDriver, Executable } from "./backend.ts";
import { chooseBackend } from "./choose-backend.ts";
import { EspalierError } from "./errors.ts";
import { selfTest } from "./self-test.ts";
import { tensor } from "./tensor.ts";

const there: Availability = { available: true, device: "a device", software: false };

/** A driver whose backend is the reference one under another name; counts what is open. */
function driver(name: string, found: Availability, { opened = [] as string[], failure = undefined as Error | undefined } = {}): BackendDriver {
  return {
    name,
    probe: async () => found,
    async open() {
      if (failure !== undefined) throw failure;
      const backend = openReference();
      opened.push(name);
      return {
        name,
        device: "a device",
        capabilities: backend.capabilities,
        compile: (...args) => backend.compile(...args),
        dispose: async () => void opened.splice(opened.indexOf(name), 1),
      };
    },
  };
}

/** A backend whose losses are slightly wrong. */
function wrong(backend: Backend): Backend {
  return {
    name: "wrong",
    device: "a device",
    capabilities: backend.capabilities,
    dispose: () => backend.dispose(),
    async compile(...args) {
      const executable = await backend.compile(...args);
      const run: Executable["run"] = async (feeds) => ({ ...(await executable.run(feeds)), loss: tensor("float32", [], [1.0987]) });
      return {
        graph: executable.graph,
        run,
        readState: (names) => executable.readState(names),
        writeState: (state) => executable.writeState(state),
        dispose: () => executable.dispose(),
      };
    },
  };
}

describe("selfTest", () => {
  it("passes a backend that computes rightly, and refuses one that is off in the second step", async () => {
    const backend = openReference();
    await expect(selfTest(backend)).resolves.toBeUndefined();
    await expect(selfTest(wrong(backend))).rejects.toMatchObject({
      code: "BACKEND_SELF_TEST_FAILED",
      message: expect.stringContaining("the loss of step 2 is 1.0987"),
    });
    await backend.dispose();
  });
});

describe("chooseBackend", () => {
  it("takes the first that works, and says why the others were passed over", async () => {
    const opened: string[] = [];
    const drivers = [
      driver("absent", { available: false, reason: "it is not installed", install: "npm i absent" }),
      driver("emulated", { ...there, software: true }, { opened }),
      driver("broken", there, { failure: new EspalierError("BACKEND_UNAVAILABLE", "its driver crashed") }),
      driver("good", there, { opened }),
      driver("other", there, { opened }),
    ];
    const { backend, reason, passedOver } = await chooseBackend({ drivers });
    expect(reason).toBe("good on a device (absent: it is not installed; emulated: a device is a software adapter; broken: its driver crashed)");
    expect(passedOver.map(({ name }) => name)).toEqual(["absent", "emulated", "broken"]);
    expect(opened).toEqual(["good"]);
    await backend.dispose();
    expect(opened).toEqual([]);
  });

  it("passes over one that computes wrongly and disposes of it", async () => {
    const opened: string[] = [];
    const drivers = [driver("liar", there, { opened }), driver("good", there, { opened })];
    const test = async (backend: Backend): Promise<void> => {
      if (backend.name === "liar") throw new EspalierError("BACKEND_SELF_TEST_FAILED", "wrong");
    };
    expect((await chooseBackend({ drivers, test })).backend.name).toBe("good");
    expect(opened).toEqual(["good"]);
  });

  it("takes a software adapter when nothing else works", async () => {
    expect((await chooseBackend({ drivers: [driver("emulated", { ...there, software: true })] })).backend.name).toBe("emulated");
  });

  it("opens what was asked for, a software adapter too, or refuses: nothing takes its place", async () => {
    const drivers = [
      driver("good", there),
      driver("emulated", { ...there, software: true }),
      driver("absent", { available: false, reason: "gone", install: "npm i absent" }),
    ];
    expect((await chooseBackend({ drivers, name: "emulated" })).reason).toBe("emulated, as asked");
    await expect(chooseBackend({ drivers, name: "absent" })).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      message: expect.stringContaining("npm i absent"),
    });
    await expect(chooseBackend({ drivers, name: "god" })).rejects.toThrow(/no backend "god"; did you mean "good"/);
    await expect(chooseBackend({ drivers: [] })).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  });
});

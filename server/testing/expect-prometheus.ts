import { expect } from "vitest";

/** Every line is a comment or a sample, every sample's metric has a TYPE before it, and no sample is there twice. */
export function expectPrometheus(text: string): void {
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (type?.[1] !== undefined) types.set(type[1], type[2] ?? "");
    if (line.startsWith("#")) continue;
    const [, name = "", labels = "", value = "x"] = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*\})? (\S+)$/.exec(line) ?? [];
    const typed = types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, "")) === "histogram";
    if (!typed || Number.isNaN(Number(value.replace("Inf", "Infinity"))) || seen.has(name + labels)) wrong.push(line);
    seen.add(name + labels);
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(5);
  expect(text.endsWith("\n")).toBe(true);
}

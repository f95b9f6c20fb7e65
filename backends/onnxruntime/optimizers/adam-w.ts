import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Adam with decoupled weight decay, and with the largest mean square so far (AMSGrad). @see core/operators/adam-w.ts */
export const fusedAdamW: FusedOptimizer = { operator: "AdamW", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [first, second, largest] = slots;
  if (first === undefined || second === undefined) return; // there are two slots at least
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const kept = 1 - rate * attributes.float("weight_decay");
  const corrected = step > 0 ? (rate * Math.sqrt(1 - beta ** step)) / (1 - alpha ** step) : rate;
  const keepFirst = 1 - alpha;
  const keepSecond = 1 - beta;
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (first[i] as number) + keepFirst * g;
    let h = beta * (second[i] as number) + keepSecond * g * g;
    first[i] = v;
    second[i] = h;
    if (largest !== undefined) {
      h = Math.max(h, largest[i] as number);
      largest[i] = h;
    }
    parameter[i] = kept * x - (corrected * v) / (Math.sqrt(h) + epsilon);
  }
}

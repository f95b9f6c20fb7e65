import { nadamMomentumProducts } from "../../../core/index.ts";
import type { FusedOptimizer, ParameterUpdate } from "./optimizer.ts";

/** Adam with Nesterov's momentum. @see core/operators/nadam.ts */
export const fusedNadam: FusedOptimizer = { operator: "Nadam", update };

function update({ parameter, gradient, slots, rate, step, attributes }: ParameterUpdate): void {
  const [mean, square] = slots;
  if (mean === undefined || square === undefined) return; // there are two slots
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const epsilon = attributes.float("epsilon");
  const decay = attributes.float("norm_coefficient");
  const growth = attributes.float("momentum_decay");
  const momentum = (t: number): number => alpha * (1 - 0.5 * 0.96 ** (t * growth));
  const products = [1, ...nadamMomentumProducts(alpha, growth)];
  const ofMean = (rate * momentum(step + 1)) / (1 - (products[step + 1] ?? 0));
  const ofGradient = (rate * (1 - momentum(step))) / (1 - (products[step] ?? 0));
  const correction = 1 - beta ** step;
  for (let i = 0; i < parameter.length; i += 1) {
    const x = parameter[i] as number; // all four arrays have one length
    const g = (gradient[i] as number) + decay * x;
    const v = alpha * (mean[i] as number) + (1 - alpha) * g;
    const h = beta * (square[i] as number) + (1 - beta) * g * g;
    mean[i] = v;
    square[i] = h;
    parameter[i] = x - (ofMean * v + ofGradient * g) / (Math.sqrt(h / correction) + epsilon);
  }
}

import { classes, findSubject, parametersOf, subjectData } from "../subjects/index.ts";
import { adamEpsilon } from "./adam-epsilon.ts";
import { loadJax, type JaxArray } from "./jax.ts";
import { serveSteps } from "./serve-steps.ts";

/** Trains a subject with jax-js on wasm, the whole step compiled: `node jax-steps.ts <subject>`. */
const subject = findSubject(process.argv[2] ?? "");
const forward = subject.jax;
if (forward === undefined) throw new Error(`${subject.name} is not written in jax-js`);
const jax = await loadJax();
const { numpy, nn } = jax;
const [beta1, beta2] = [0.9, 0.999];
const { x, labels } = subjectData(subject);
const [rows, truth] = [x.data as Float32Array, new Float32Array(subject.batch * classes)]; // rows of floats
Array.from(labels.data as Int32Array).forEach((label, row) => truth.fill(1, row * classes + label, row * classes + label + 1));

const loss = (parameters: readonly JaxArray[], images: JaxArray, wanted: JaxArray): JaxArray =>
  nn
    .logSoftmax(forward(jax, parameters, images), -1)
    .mul(wanted)
    .sum()
    .mul(-1 / subject.batch);

interface State {
  readonly parameters: readonly JaxArray[];
  readonly means: readonly JaxArray[];
  readonly squares: readonly JaxArray[];
}

/** @param rate learning rate over the first moment's correction @param correction of the second moment */
const step = jax.jit((state: State, images: JaxArray, wanted: JaxArray, rate: JaxArray, correction: JaxArray): readonly [JaxArray, State] => {
  const kept = state.parameters.map((parameter) => parameter.ref);
  const [value, gradients] = jax.valueAndGrad(loss)(kept, images, wanted);
  const of = (i: number): JaxArray => gradients[i] ?? numpy.array(Number.NaN);
  const means = state.means.map((mean, i) => mean.mul(beta1).add(of(i).ref.mul(1 - beta1)));
  const squares = state.squares.map((square, i) =>
    square.mul(beta2).add(
      of(i)
        .ref.mul(of(i))
        .mul(1 - beta2),
    ),
  );
  const parameters = state.parameters.map((parameter, i) => {
    const [mean, square] = [means[i], squares[i]];
    if (mean === undefined || square === undefined) return parameter;
    return parameter.sub(mean.ref.mul(rate.ref).div(numpy.sqrt(square.ref.mul(correction.ref)).add(adamEpsilon)));
  });
  return [value, { parameters, means, squares }];
});

const parameters = Object.values(parametersOf(subject.build())).map(({ data, shape }) => numpy.array(data as Float32Array).reshape(shape)); // float32
const zeros = (): readonly JaxArray[] => parameters.map(({ shape }) => numpy.zeros(shape));
let state: State = { parameters, means: zeros(), squares: zeros() };
let steps = 0;
await serveSteps("jax-js 0.1.25 on wasm, the step in one jit", async () => {
  steps += 1;
  const [images, wanted] = [numpy.array(rows).reshape(x.shape), numpy.array(truth).reshape([subject.batch, classes])];
  const [rate, correction] = [numpy.array(subject.learningRate / (1 - beta1 ** steps)), numpy.array(1 / (1 - beta2 ** steps))];
  const [value, next] = step(state, images, wanted, rate, correction);
  state = next;
  return Number((await value.data())[0]);
});

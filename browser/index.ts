export { chooseBrowserBackend, type BrowserBackendOptions } from "./browser-backends.ts";
export { openPredictor, type OpenPredictorOptions } from "./open-predictor.ts";
export type { TrainingRequest } from "./training/messages.ts";
export { serveTraining, type ServeTrainingOptions, type WorkerEnd } from "./training/serve-training.ts";
export { connectTraining, type TrainerEnd, type TrainingClient, type TrainingNews } from "./training/training-client.ts";

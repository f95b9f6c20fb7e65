export { chooseBrowserBackend, type BrowserBackendOptions } from "./browser-backends.ts";
export { openPredictor, type OpenPredictorOptions } from "./open-predictor.ts";
export { connectTraining, type TrainerEnd, type TrainingClient, type TrainingNews } from "./training/training-client.ts";
export { serveTraining, type ServeTrainingOptions, type WorkerEnd } from "./training/serve-training.ts";
export type { Answers, FromTrainer, HeldOut, ToTrainer, TrainingRequest } from "./training/messages.ts";

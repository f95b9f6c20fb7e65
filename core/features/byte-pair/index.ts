export { firstMergeToken, paddingToken, startToken } from "./bytes.ts";
export { fitText, type FitTextOptions } from "./fit-text.ts";
export { learnMerges, type LearnMergesOptions } from "./learn-merges.ts";
export { createTokenizer, type Tokenizer } from "./tokenizer.ts";
export { countWords, mergeWordTables, type WordTable } from "./word-table.ts";
export { normalizeText, splitWords } from "./words.ts";

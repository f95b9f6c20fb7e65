import type { Command } from "commander";
import type { ReadingOptions } from "../node/sources/open-files.ts";
import { list } from "./options.ts";

/** The options that every command with data files has, as commander gives them. */
export interface DataOptions {
  readonly asText?: readonly string[];
  /** False with `--no-header`; commander sets true otherwise. */
  readonly header?: boolean;
  readonly delimiter?: string;
}

/** Adds the options. */
export function addDataOptions(command: Command): Command {
  return command
    .option("--as-text <columns>", "read these columns as text, whatever they hold (a,b,c)", list)
    .option("--no-header", "the first line holds values, not names: columns are column_1, column_2 ...")
    .option("--delimiter <character>", 'what is between fields; found in the file when left out ("tab" for a tab)');
}

/** What a user said about reading; the rest is found in the files. */
export function readingOptions({ asText, header, delimiter }: DataOptions): ReadingOptions {
  return {
    ...(asText !== undefined && { asText }),
    ...(header === false && { header }),
    ...(delimiter !== undefined && { delimiter }),
  };
}

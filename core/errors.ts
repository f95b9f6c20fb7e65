/** A failure's stable name: part of the API, unlike the message. */
export type ErrorCode =
  | "ARGUMENT_INVALID"
  | "BACKEND_LOST"
  | "BACKEND_OPERATOR_MISSING"
  | "BACKEND_RUN_FAILED"
  | "BACKEND_SELF_TEST_FAILED"
  | "BACKEND_UNAVAILABLE"
  | "BODY_TOO_LARGE"
  | "BUNDLE_CORRUPT"
  | "BUNDLE_INVALID"
  | "BUNDLE_VERSION"
  | "CANCELLED"
  | "CHECKPOINT_INVALID"
  | "COLUMN_MISSING"
  | "COLUMN_TYPE"
  | "DATA_EMPTY"
  | "DATA_MALFORMED"
  | "FILE_UNREADABLE"
  | "FORMAT_UNSUPPORTED"
  | "GRAPH_INVALID"
  | "GRAPH_NOT_DIFFERENTIABLE"
  | "GRAPH_SHAPE"
  | "INTERNAL"
  | "LOSS_NOT_FINITE"
  | "MODEL_NOT_FOUND"
  | "MODEL_NOT_READY"
  | "PORT_IN_USE"
  | "REQUEST_INVALID"
  | "RUN_NOT_FOUND"
  | "SERVER_BUSY"
  | "TARGET_INVALID"
  | "TENSOR_INVALID";

/** What a code means at the two borders. */
export interface ErrorMeaning {
  /** The HTTP status that a server answers with. */
  readonly status: number;
  /** The exit code of the command line. */
  readonly exit: number;
  readonly summary: string;
}

/**
 * Every failure that Espalier reports, with what it means at the two borders: the HTTP status a server answers with, and the exit
 * code of the command line (2: the user can mend it, 1: a defect or a failing machine). `docs/errors.md` is written from this table.
 */
export const errorCodes: Readonly<Record<ErrorCode, ErrorMeaning>> = {
  ARGUMENT_INVALID: { status: 400, exit: 2, summary: "An argument or option has a value outside its range." },
  BACKEND_LOST: { status: 503, exit: 1, summary: "The device was lost while work was on it." },
  BACKEND_OPERATOR_MISSING: { status: 500, exit: 2, summary: "A graph uses operators that the backend does not have." },
  BACKEND_RUN_FAILED: { status: 500, exit: 1, summary: "A kernel failed while a graph was running." },
  BACKEND_SELF_TEST_FAILED: { status: 500, exit: 2, summary: "A backend computed a wrong result on its first step." },
  BACKEND_UNAVAILABLE: { status: 503, exit: 2, summary: "A backend cannot work here; the message says how to get it." },
  BODY_TOO_LARGE: { status: 413, exit: 2, summary: "A request body is larger than the server's limit." },
  BUNDLE_CORRUPT: { status: 500, exit: 2, summary: "A bundle's bytes do not match its manifest." },
  BUNDLE_INVALID: { status: 500, exit: 2, summary: "A path does not hold a bundle, or its manifest is malformed." },
  BUNDLE_VERSION: { status: 500, exit: 2, summary: "A bundle has a format version that this release does not read." },
  CANCELLED: { status: 499, exit: 130, summary: "The work was stopped by its signal." },
  CHECKPOINT_INVALID: { status: 500, exit: 2, summary: "A checkpoint is damaged or belongs to another model." },
  COLUMN_MISSING: { status: 400, exit: 2, summary: "A named column is not in the data." },
  COLUMN_TYPE: { status: 400, exit: 2, summary: "A column's values are not of the type that its schema says." },
  DATA_EMPTY: { status: 400, exit: 2, summary: "A source has no rows." },
  DATA_MALFORMED: { status: 400, exit: 2, summary: "A source's bytes do not follow its format; the message has the line." },
  FILE_UNREADABLE: { status: 500, exit: 2, summary: "A file is missing or cannot be read or written." },
  FORMAT_UNSUPPORTED: { status: 400, exit: 2, summary: "A model file is of a version, type or construct that is not read." },
  GRAPH_INVALID: { status: 500, exit: 2, summary: "A graph is not well-formed." },
  GRAPH_NOT_DIFFERENTIABLE: { status: 500, exit: 2, summary: "A gradient was asked through an operator without a gradient rule." },
  GRAPH_SHAPE: { status: 500, exit: 2, summary: "A node's inputs have shapes or types that do not go together." },
  INTERNAL: { status: 500, exit: 1, summary: "A defect in Espalier." },
  LOSS_NOT_FINITE: { status: 500, exit: 2, summary: "The loss became NaN or infinite." },
  MODEL_NOT_FOUND: { status: 404, exit: 2, summary: "No model of that name or version is served." },
  MODEL_NOT_READY: { status: 503, exit: 1, summary: "The model is still being loaded." },
  PORT_IN_USE: { status: 500, exit: 2, summary: "The port to listen on is taken." },
  REQUEST_INVALID: { status: 400, exit: 2, summary: "A prediction request does not follow its protocol; the message names the field." },
  RUN_NOT_FOUND: { status: 404, exit: 2, summary: "No run of that id is recorded." },
  SERVER_BUSY: { status: 503, exit: 1, summary: "The server's queue is full." },
  TARGET_INVALID: { status: 400, exit: 2, summary: "The target column cannot be learned." },
  TENSOR_INVALID: { status: 400, exit: 2, summary: "A tensor's data does not match its type or shape." },
};

/**
 * The one error class: `code` is API, `message` is prose that says what was wrong and what to do, `details` holds the numbers.
 *
 * @example throw new EspalierError("COLUMN_MISSING", 'no column "agee"; did you mean "age"?', { column: "agee" });
 */
export class EspalierError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, options: ErrorOptions = {}) {
    super(message, options);
    this.name = "EspalierError";
    this.code = code;
    this.details = details;
  }
}

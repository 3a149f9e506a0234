// The client's own types. What the API takes and gives stands in api.d.ts.

import type { Api, Edit, Problem as ProblemBody } from "./api.js";

export * from "./api.js";

/** Where the service is, and who calls. */
export interface Connection {
  /** Such as `https://vouchsafe.example`. */
  url: string;
  /** The app's key, `vsk_…`. Never in a browser. */
  key?: string;
  /** Instead of a key: a person's token of the app's identity provider. */
  token?: string;
  /** For whom the app's key calls, `sub_…`; `as` makes the same caller for another person. */
  subject?: string;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** What any call may be given. */
export interface Options {
  /** For whom the app's key calls, this once. */
  subject?: string;
  /** Breaks the call off. */
  signal?: AbortSignal;
  /** More headers. */
  headers?: Record<string, string>;
}

/** A page of a list. */
export interface Listing<T> {
  /** The rows. */
  items: Array<T>;
  /** Where the next page begins: hand it back as `cursor`. Absent on the last page. */
  next?: string | null;
}

/** What can be uploaded. A stream is sent as it is read, and never held as a whole. */
export type Upload = Blob | ArrayBuffer | Uint8Array | ReadableStream<Uint8Array>;

/** One of a stream of events. */
export interface ServerEvent<T> {
  /** `progress`, or how it ended: `succeeded`, `failed`, `cancelled`. */
  event: string;
  /** Where to go on from. */
  id: string;
  data: T;
}

/** The API, for one caller. Each operation of the OpenAPI document is a method: `vouchsafe.edits.create(…)`. */
export interface Vouchsafe extends Api {}
export class Vouchsafe {
  constructor(settings: Connection);
  /** The same caller, for this person: an app's server makes one for each of its users. */
  as(subject: string): Vouchsafe;
}

/** What was refused, as the service says it (RFC 9457). */
export class Problem extends Error {
  constructor(body: ProblemBody, retryAfter?: number);
  /** The status. */
  readonly status: number;
  /** Which problem: a stable word such as `not-found`. */
  readonly word: string;
  /** What is wrong with what was sent, where that may be told. */
  readonly detail?: string;
  /** What to quote when asking about it. */
  readonly reference?: string;
  /** In how many seconds to try again, if the service says so. */
  readonly retryAfter?: number;
}

/** An edit as it ended. Follows its events, also over broken connections; `onProgress` hears of each step. */
export function finished(
  vouchsafe: Vouchsafe,
  edit: string,
  options?: Options & { onProgress?: (edit: Edit) => void },
): Promise<Edit>;

/** Every row of a list, page by page: `for await (const edit of rows((query) => vouchsafe.edits.list(query)))`. */
export function rows<T>(
  list: (query: { cursor?: string; limit?: number }) => Promise<Listing<T>>,
  limit?: number,
): AsyncGenerator<T, void, void>;

/** Does `work` for each item, at most `atOnce` at a time; what became of each, in the order of the items. */
export function batch<T, R>(
  items: Iterable<T>,
  work: (item: T, place: number) => Promise<R>,
  atOnce?: number,
): Promise<Array<PromiseSettledResult<R>>>;

/** What a webhook tells. */
export interface WebhookEvent {
  /** What `webhook-id` says, the same on every try: remember it, and drop what you have had. */
  id: string;
  /** Such as `edit.succeeded`. */
  type: string;
  /** When it happened. */
  timestamp: string;
  /** Ids alone. */
  data: { subject?: string; edit?: string; request?: string; webhook?: string };
}

/**
 * The event of a webhook, if it is ours and fresh; throws otherwise. `body` are the bytes as they came, before any parsing;
 * `secrets` the one that was shown at registration, and during a change the one before as well.
 */
export function verifyWebhook(
  secrets: string | Array<string>,
  headers: Headers | Record<string, string | Array<string> | undefined>,
  body: string | Uint8Array,
  options?: { toleranceSeconds?: number; now?: Date },
): Promise<WebhookEvent>;

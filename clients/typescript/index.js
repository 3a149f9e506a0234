// The API of vouchsafe, typed: the methods are made from operations.js, their types stand in api.d.ts. Runs as it is in
// Node 18 or later and in browsers.

import { operations } from "./operations.js";

/** @typedef {import("./index.js").Connection} Connection */
/** @typedef {import("./index.js").Options} Options */
/** What a call was given beside path, body and query: options of every call, and its own. */
/** @typedef {{ subject?: string, signal?: AbortSignal, headers?: Record<string, string>, [own: string]: unknown }} Given */
/** @typedef {{ method: string, path: string, sends?: string, gives: string, query?: boolean, person?: boolean, headers?: Record<string, string> }} Operation */
/** @typedef {import("./api.js").Problem} ProblemBody */

/** How long to wait before following a stream again that broke off, unless it says. */
const COME_BACK = 2000;
/** How often in a row a stream may break off without a word before that is an error. */
const MOST_BREAKS = 5;

export class Problem extends Error {
  /**
   * @param {ProblemBody} body
   * @param {number} [retryAfter]
   */
  constructor(body, retryAfter) {
    super(body.detail ? `${body.title} (${body.detail})` : body.title);
    this.name = "Problem";
    this.status = body.status;
    this.word = body.type.replace("urn:vouchsafe:", "");
    this.detail = body.detail ?? undefined;
    this.reference = body.reference ?? undefined;
    this.retryAfter = retryAfter;
  }
}

export class Vouchsafe {
  /** @param {Connection} settings */
  constructor(settings) {
    const { url, key, token } = settings;
    if (key && token) throw new TypeError("a key or a token, not both");
    const root = new URL(url);
    if (!["http:", "https:"].includes(root.protocol)) throw new TypeError("url: https://…");
    /** @type {Connection} */
    const own = { ...settings, url: root.href.replace(/\/+$/, "") };
    // Not enumerable, so that no log of this object shows the key.
    Object.defineProperty(this, "settings", { value: own });
    for (const [group, calls] of Object.entries(operations)) {
      const methods = Object.entries(calls).map(([name, operation]) => [
        name,
        /** @param {unknown[]} given */
        (...given) => run(own, operation, given),
      ]);
      Object.defineProperty(this, group, { value: Object.fromEntries(methods), enumerable: true });
    }
  }

  /** @param {string} subject */
  as(subject) {
    const { settings } = /** @type {{ settings: Connection }} */ (/** @type {unknown} */ (this));
    return new Vouchsafe({ ...settings, subject });
  }
}

/**
 * One call: `given` are the values of the path, the body, the query and the options, those that it has, in this order.
 *
 * @param {Connection} settings
 * @param {Operation} operation
 * @param {unknown[]} given
 */
function run(settings, operation, given) {
  const rest = [...given];
  const path = operation.path.replace(/\{\w+\}/g, (name) => {
    const value = rest.shift();
    if (typeof value !== "string" || value === "") throw new TypeError(`${name} of ${operation.path} is missing`);
    return encodeURIComponent(value);
  });
  const body = operation.sends ? rest.shift() : undefined;
  const query = operation.query ? rest.shift() : undefined;
  const options = /** @type {Given} */ (rest.shift() ?? {});
  const url = new URL(settings.url + path);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  if (operation.gives === "events") return follow(settings, operation, url, options);
  return answer(settings, operation, url, options, body);
}

/**
 * @param {Connection} settings
 * @param {Operation} operation
 * @param {URL} url
 * @param {Given} options
 * @param {unknown} [body]
 */
async function answer(settings, operation, url, options, body) {
  const response = await send(settings, operation, url, options, body);
  switch (operation.gives) {
    case "json":
      return response.json();
    case "text":
      return response.text();
    case "stream":
      return response;
    default:
      // Read to its end, so that the connection is free again.
      await response.arrayBuffer();
      return undefined;
  }
}

/**
 * Sends a call and gives the answer, if it is a good one; throws the problem otherwise.
 *
 * @param {Connection} settings
 * @param {Operation} operation
 * @param {URL} url
 * @param {Given} options
 * @param {unknown} [body]
 */
async function send(settings, operation, url, options, body) {
  const headers = new Headers(options.headers ?? {});
  const proof = settings.key ?? settings.token;
  if (proof) headers.set("authorization", `Bearer ${proof}`);
  const subject = options.subject ?? settings.subject;
  if (operation.person && settings.key && subject) headers.set("vouchsafe-subject", subject);
  for (const [option, header] of Object.entries(operation.headers ?? {})) {
    const value = options[option];
    if (value !== undefined) headers.set(header, String(value));
  }
  /** @type {RequestInit & { duplex?: "half" }} */
  const init = { method: operation.method, headers, redirect: "error" };
  if (options.signal) init.signal = options.signal;
  if (operation.sends === "json") {
    headers.set("content-type", "application/json");
    init.body = JSON.stringify(body);
  } else if (operation.sends === "bytes") {
    const known = typeof Blob !== "undefined" && body instanceof Blob ? body.type : "";
    headers.set("content-type", String(options["type"] ?? "") || known || "application/octet-stream");
    init.body = /** @type {BodyInit} */ (body);
    init.duplex = "half";
  }
  const response = await (settings.fetch ?? fetch)(url, init);
  if (!response.ok) throw await problem(response);
  return response;
}

/** @param {Response} response */
async function problem(response) {
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  const seconds = Number.isFinite(after) ? after : undefined;
  const text = await response.text();
  try {
    const body = /** @type {ProblemBody} */ (JSON.parse(text));
    if (typeof body.type === "string" && typeof body.title === "string") return new Problem(body, seconds);
  } catch {
    // Not one of the service's own: something stands between it and us.
  }
  const title = `The service answered ${response.status}, not in its own words.`;
  return new Problem({ type: "urn:vouchsafe:foreign", title, status: response.status }, seconds);
}

/**
 * A stream of events, taken up again where it broke off, until the service says that there is no more.
 *
 * @param {Connection} settings
 * @param {Operation} operation
 * @param {URL} url
 * @param {Given} options
 */
async function* follow(settings, operation, url, options) {
  let [last, pause, breaks] = [String(options["lastEventId"] ?? ""), COME_BACK, 0];
  for (;;) {
    try {
      const given = last === "" ? options : { ...options, lastEventId: last };
      const response = await send(settings, operation, url, given);
      if (response.status === 204 || !response.body) return;
      for await (const said of events(response.body)) {
        if (said.retry !== undefined) pause = said.retry;
        if (said.data === "") continue;
        [last, breaks] = [said.id, 0];
        const event = said.event || "message";
        yield { event, id: said.id, data: JSON.parse(said.data) };
        if (event !== "progress") return;
      }
    } catch (e) {
      // What the service refuses is no broken connection, and neither is a caller who has heard enough.
      if (e instanceof Problem && e.status < 500) throw e;
      if (options.signal?.aborted || breaks >= MOST_BREAKS) throw e;
    }
    breaks += 1;
    if (breaks > MOST_BREAKS) throw new Error("the stream of events broke off again and again");
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

/**
 * The events of a stream (the HTML standard's server-sent events).
 *
 * @param {ReadableStream<Uint8Array>} stream
 */
async function* events(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let [event, data, id] = ["", /** @type {string[]} */ ([]), ""];
  /** @type {number | undefined} */
  let retry;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      // A carriage return at the end may be half of a line's end.
      const lines = text.split(/\r\n|\n|\r(?!$)/);
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0 || retry !== undefined) yield { event, data: data.join("\n"), id, retry };
          [event, data, retry] = ["", [], undefined];
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue;
        const field = colon < 0 ? line : line.slice(0, colon);
        const said = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event = said;
        else if (field === "data") data.push(said);
        else if (field === "id" && !said.includes("\0")) id = said;
        else if (field === "retry" && /^\d+$/.test(said)) retry = Number(said);
      }
    }
  } finally {
    // Heard enough: the connection ends too.
    await reader.cancel().catch(() => {});
  }
}

/**
 * @param {import("./index.js").Vouchsafe} vouchsafe
 * @param {string} edit
 * @param {Options & { onProgress?: (edit: import("./api.js").Edit) => void }} [options]
 */
export async function finished(vouchsafe, edit, options = {}) {
  const { onProgress, ...rest } = options;
  for await (const { event, data } of vouchsafe.edits.events(edit, rest)) {
    if (event !== "progress") return data;
    onProgress?.(data);
  }
  throw new Error("the edit is gone");
}

/**
 * @template T
 * @param {(query: { cursor?: string, limit?: number }) => Promise<import("./index.js").Listing<T>>} list
 * @param {number} [limit]
 */
export async function* rows(list, limit = 200) {
  /** @type {{ cursor?: string, limit?: number }} */
  let query = { limit };
  for (;;) {
    const page = await list(query);
    yield* page.items;
    if (!page.next) return;
    query = { limit, cursor: page.next };
  }
}

/**
 * @template T, R
 * @param {Iterable<T>} items
 * @param {(item: T, place: number) => Promise<R>} work
 * @param {number} [atOnce]
 */
export async function batch(items, work, atOnce = 4) {
  const waiting = [...items].entries();
  /** @type {Array<PromiseSettledResult<R>>} */
  const done = [];
  const one = async () => {
    for (const [place, item] of waiting) {
      try {
        done[place] = { status: "fulfilled", value: await work(item, place) };
      } catch (reason) {
        done[place] = { status: "rejected", reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, one));
  return done;
}

/**
 * @param {string | string[]} secrets
 * @param {Headers | Record<string, string | string[] | undefined>} headers
 * @param {string | Uint8Array} body
 * @param {{ toleranceSeconds?: number, now?: Date }} [options]
 * @returns {Promise<import("./index.js").WebhookEvent>}
 */
export async function verifyWebhook(secrets, headers, body, options = {}) {
  const given = headers instanceof Headers ? headers : flat(headers);
  const id = given.get("webhook-id") ?? "";
  const time = given.get("webhook-timestamp") ?? "";
  // A dot in the id would let two different messages sign alike.
  if (id === "" || id.includes(".") || id.length > 128) throw new Error("webhook-id is missing, or none of ours");
  if (!/^\d{1,12}$/.test(time)) throw new Error("webhook-timestamp is missing, or no time");
  const away = Math.abs((options.now ?? new Date()).getTime() / 1000 - Number(time));
  if (away > (options.toleranceSeconds ?? 300)) throw new Error("the webhook is too old, or from the future");
  const raw = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const head = new TextEncoder().encode(`${id}.${time}.`);
  const signed = new Uint8Array(head.length + raw.length);
  signed.set(head);
  signed.set(raw, head.length);
  const signatures = (given.get("webhook-signature") ?? "").split(" ").filter((s) => s.startsWith("v1,"));
  const subtle = await cryptography();
  for (const secret of [secrets].flat()) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const own = bytes(secret.replace(/^whsec_/, ""));
    // One that is cut or mistyped signs nothing; the other one may.
    if (own.length === 0) continue;
    const key = await subtle.importKey("raw", own, algorithm, false, ["verify"]);
    for (const signature of signatures) {
      if (await subtle.verify("HMAC", key, bytes(signature.slice(3)), signed)) {
        return { ...JSON.parse(new TextDecoder().decode(raw)), id };
      }
    }
  }
  throw new Error("the webhook is not signed with this secret");
}

/** @param {Record<string, string | string[] | undefined>} headers */
function flat(headers) {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // A header given twice has no one meaning.
    if (typeof value === "string") all.set(name, value);
  }
  return all;
}

/**
 * Base64 as bytes; none for what is not base64.
 *
 * @param {string} text
 */
function bytes(text) {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

/** WebCrypto: a global in browsers and in Node 19, a module before. */
async function cryptography() {
  if (globalThis.crypto?.subtle) return globalThis.crypto.subtle;
  const name = "node:crypto";
  return /** @type {SubtleCrypto} */ ((await import(name)).webcrypto.subtle);
}

// The server of an app that edits photographs. Pictures, prompts and history lie in the vault of the service; here are
// sessions, and which of them is which person there.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { Problem, verifyWebhook, Vouchsafe } from "../../clients/typescript/index.js";
import * as pages from "./pages.js";

const MOST_BYTES = 30 * 1024 * 1024;
const PRESENT = 5;
const HOURS = 12;

/** Starts the app, and has the service tell it of what happens. Gives where it is, and how to stop it. */
export async function photoApp({ url, key, port = 0, host = "127.0.0.1", toleranceSeconds = 300 }) {
  const state = { app: new Vouchsafe({ url, key }), service: url, sessions: new Map(), told: [], seen: new Set(), secret: "", toleranceSeconds };
  const server = createServer((request, response) => {
    route(state, request, response).catch((e) => fail(response, e));
  });
  await new Promise((ready, broken) => server.once("error", broken).listen(port, host, ready));
  const own = `http://${host}:${server.address().port}`;
  let hook;
  try {
    await sweep(state.app, `${own}/hooks`);
    const events = ["edit.succeeded", "edit.failed", "account.erased"];
    hook = await state.app.webhooks.register({ url: `${own}/hooks`, events, label: "the photo app" });
    state.secret = hook.secret;
  } catch (e) {
    server.close();
    throw e;
  }
  const stop = async () => {
    await state.app.webhooks.remove(hook.webhook.id).catch(() => {});
    server.closeAllConnections?.();
    await new Promise((closed) => server.close(closed));
  };
  return { url: own, stop };
}

/** Webhooks of an earlier run that was cut off: their secret is lost, so they go. */
async function sweep(app, url) {
  const { items } = await app.webhooks.list();
  for (const one of items.filter((hook) => hook.url === url)) await app.webhooks.remove(one.id);
}

async function route(state, request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://app");
  const [, first = "", id = "", what = ""] = pathname.split("/");
  const at = `${request.method} /${first}${id ? "/:id" : ""}${what ? `/${what}` : ""}`;
  if (at === "POST /hooks") return hear(state, request, response);
  if (request.method === "POST" && !ownPage(request)) return page(response, pages.sorry("That came from another site."), 403);
  const session = signedIn(state, request);
  if (at === "GET /") return home(state, session, response, searchParams);
  if (at === "POST /sign-in") return signIn(state, request, response);
  if (!session) return go(response, "/");
  const { person } = session;
  switch (at) {
    case "POST /edits":
      return ask(session, request, response);
    case "GET /edits/:id":
      return page(response, pages.edit(await person.edits.read(id)));
    case "GET /edits/:id/events":
      return events(person, id, request, response);
    case "POST /edits/:id/stop":
      await person.edits.cancel(id).catch(settled);
      return go(response, `/edits/${id}`);
    case "POST /edits/:id/delete":
      await person.edits.delete(id);
      return go(response, "/?said=deleted");
    case "GET /images/:id":
      return picture(await person.images.read(id), response);
    case "GET /images/:id/small":
      return picture(await person.images.small(id), response);
    case "POST /sign-out":
      state.sessions.delete(session.token);
      return go(response, "/");
    default:
      return page(response, pages.sorry("There is nothing here."), 404);
  }
}

async function home(state, session, response, searchParams) {
  if (!session) return page(response, pages.welcome(state.service));
  const [edits, credits] = await Promise.all([session.person.edits.list({ limit: 24 }), session.person.credits.read({ limit: 1 })]);
  const told = state.told.filter((event) => event.data.subject === session.subject).slice(-5);
  return page(response, pages.home({ name: session.name, edits: edits.items, balance: credits.balance, told, said: searchParams.get("said") }));
}

/** Opens the person's account, once, however often it is asked for; a real app would have its own sign-in before this. */
async function signIn(state, request, response) {
  const form = await sent(request);
  const [name, email] = [String(form.get("name") ?? "").trim(), String(form.get("email") ?? "").trim().toLowerCase()];
  const username = email.split("@")[0];
  const idempotencyKey = `open-${createHash("sha256").update(`${name}\n${email}`).digest("hex")}`;
  const { subject } = await state.app.accounts.open({ name, email, username }, { idempotencyKey });
  const person = state.app.as(subject);
  // A key is remembered for a day; who comes back later has had the gift, and the history says so.
  const { history } = await person.credits.read({ limit: 200 });
  if (!history.items.some((change) => change.reason === "gift")) {
    await state.app.credits.grant({ subject, amount: PRESENT, reason: "gift" }, { idempotencyKey: `gift-${subject}` });
  }
  const token = randomBytes(32).toString("base64url");
  state.sessions.set(token, { token, name, subject, person, asked: new Map(), until: Date.now() + HOURS * 3_600_000 });
  response.setHeader("set-cookie", `photo-app=${token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${HOURS * 3600}`);
  return go(response, "/");
}

/** Uploads the photograph and asks for the edit: once for each form that was shown, however often its button is pressed. */
async function ask({ person, asked }, request, response) {
  const form = await sent(request);
  const photograph = form.get("photograph");
  if (!(photograph instanceof Blob) || photograph.size === 0) return page(response, pages.sorry("Choose a photograph first."), 422);
  const once = String(form.get("once") ?? "");
  if (once === "") return page(response, pages.sorry("Go back to the form and send it from there."), 422);
  const prompt = String(form.get("prompt") ?? "");
  if (!asked.has(once)) asked.set(once, begin(person, once, photograph, prompt));
  try {
    return go(response, `/edits/${(await asked.get(once)).id}`);
  } catch (e) {
    asked.delete(once);
    throw e;
  }
}

/** Both calls have a key that comes from the form, so that a second asking, after a crash too, is the first one again. */
async function begin(person, once, photograph, prompt) {
  const key = createHash("sha256").update(once).digest("hex");
  const type = photograph.type || "image/jpeg";
  const arrived = await person.images.upload(photograph, { type, idempotencyKey: `photograph-${key}` });
  return person.edits.create({ inputs: [arrived.id], prompt }, { idempotencyKey: `edit-${key}` });
}

/** The events of an edit, handed on to the browser. */
async function events(person, id, request, response) {
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  const lastEventId = request.headers["last-event-id"];
  const stream = person.edits.events(id, { signal: leaving.signal, ...(lastEventId ? { lastEventId } : {}) });
  try {
    for await (const event of stream) {
      if (!response.headersSent) {
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      }
      response.write(`id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify({ state: event.data.state, progress: event.data.progress })}\n\n`);
    }
    // Nothing more to tell: a browser that hears this does not come back.
    if (!response.headersSent) response.writeHead(204);
    response.end();
  } catch (e) {
    if (!leaving.signal.aborted) throw e;
  }
}

/** A webhook: verified before it is read, and without effect when it was here before. */
async function hear(state, request, response) {
  let event;
  try {
    const { secret, toleranceSeconds } = state;
    event = await verifyWebhook(secret, request.headers, await bytes(request, 64 * 1024), { toleranceSeconds });
  } catch {
    return response.writeHead(401).end();
  }
  if (!state.seen.has(event.id)) {
    state.seen.add(event.id);
    state.told = [...state.told.slice(-99), event];
    if (event.type === "account.erased") {
      for (const [token, session] of state.sessions) if (session.subject === event.data.subject) state.sessions.delete(token);
    }
  }
  return response.writeHead(204).end();
}

function signedIn(state, request) {
  const cookies = (request.headers.cookie ?? "").split(/;\s*/);
  const token = cookies.find((pair) => pair.startsWith("photo-app="))?.slice("photo-app=".length) ?? "";
  const session = state.sessions.get(token);
  if (session && session.until < Date.now()) state.sessions.delete(token);
  return session && session.until >= Date.now() ? session : undefined;
}

/** Whether a form came from a page of this app. */
function ownPage(request) {
  const site = request.headers["sec-fetch-site"];
  return site ? site === "same-origin" : request.headers.origin === `http://${request.headers.host}`;
}

async function bytes(request, most) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > most) throw new TooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

class TooLarge extends Error {}

/** A form that was sent, with files or without. */
async function sent(request) {
  const body = await bytes(request, MOST_BYTES);
  return new Response(body, { headers: { "content-type": request.headers["content-type"] ?? "" } }).formData();
}

async function picture(found, response) {
  response.writeHead(200, {
    "content-type": found.headers.get("content-type"),
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
  });
  await pipeline(Readable.fromWeb(found.body), response);
}

/** That it had ended by itself is fine. */
function settled(e) {
  if (!(e instanceof Problem && e.status === 409)) throw e;
}

function page(response, html, status = 200) {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": pages.POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  response.end(html);
}

function go(response, path) {
  response.writeHead(303, { location: path }).end();
}

/** What the service refuses is told in its own words; anything else is ours, and the log has it. */
function fail(response, e) {
  if (!(e instanceof Problem || e instanceof TooLarge)) console.error(e);
  if (response.headersSent) return response.destroy();
  if (e instanceof Problem && e.status < 500) return page(response, pages.sorry(e.message), e.status);
  if (e instanceof TooLarge) return page(response, pages.sorry("That is more than 30 MB."), 413);
  return page(response, pages.sorry("Something went wrong here. Nothing was lost; try again."), 502);
}

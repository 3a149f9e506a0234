// What the client does against a service that runs: a test starts one, and runs this with its address and a key.
// Each `check` that does not hold ends it with a word; the last line says that all held.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { Readable } from "node:stream";

import { batch, finished, Problem, rows, verifyWebhook, Vouchsafe } from "../index.js";

const { VOUCHSAFE_URL: url = "", VOUCHSAFE_KEY: key = "", PHOTOGRAPH: photograph = "" } = process.env;

let held = 0;
/** @type {(holds: unknown, what: string) => void} */
function check(holds, what) {
  if (!holds) throw new Error(`it does not hold: ${what}`);
  held += 1;
}

/** @type {(work: Promise<unknown>, status: number, what: string) => Promise<Problem>} */
async function refused(work, status, what) {
  try {
    await work;
  } catch (e) {
    check(e instanceof Problem && e.status === status, `${what}: ${e}`);
    return e;
  }
  throw new Error(`it was not refused: ${what}`);
}

/** Receives webhooks on this machine: the first is turned away, so that it comes again. */
async function receiver() {
  const heard = [];
  let waiting = () => {};
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    heard.push({ headers: request.headers, body: Buffer.concat(pieces) });
    response.writeHead(heard.length === 1 ? 503 : 204).end();
    waiting();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const at = async (count) => {
    while (heard.length < count) await new Promise((more) => (waiting = more));
    return heard;
  };
  return { url: `http://127.0.0.1:${server.address().port}/hooks`, heard: at, close: () => server.close() };
}

async function signUp(app, name) {
  const who = { email: `${name}@example.org`, name: `${name} of the test`, username: name };
  const opened = await app.accounts.open(who, { idempotencyKey: `open-${name}` });
  const again = await app.accounts.open(who, { idempotencyKey: `open-${name}` });
  check(opened.subject === again.subject, "the same key gives the first answer again");
  await app.credits.grant({ subject: opened.subject, amount: 20, reason: "gift" });
  return app.as(opened.subject);
}

async function oneEdit(ada) {
  // Streamed from the disk: never in memory as a whole.
  const stream = Readable.toWeb(createReadStream(photograph));
  const arrived = await ada.images.upload(stream, { type: "image/jpeg" });
  check(arrived.format === "jpeg" && arrived.removed.length > 0, "the photograph arrived and was stripped");
  check(arrived.bytes < (await stat(photograph)).size, "what the camera wrote is gone");
  const asked = await ada.edits.create({ inputs: [arrived.id], prompt: "make it warmer" });
  check(asked.state === "queued", "the edit is queued");
  const steps = [];
  const edit = await finished(ada, asked.id, { onProgress: (e) => steps.push(e.state) });
  check(edit.state === "succeeded" && steps[0] === "queued", `its events lead to its end: ${steps}`);
  const picture = await ada.images.read(edit.output);
  const bytes = new Uint8Array(await picture.arrayBuffer());
  check(bytes[0] === 0xff && bytes[1] === 0xd8, "the result is a JPEG");
  const part = await ada.images.read(edit.output, { range: "bytes=2-9" });
  const same = Buffer.from(await part.arrayBuffer()).equals(Buffer.from(bytes.slice(2, 10)));
  check(part.status === 206 && same, "a part of it is the same bytes");
  const told = await ada.edits.read(edit.id);
  check(told.prompt === "make it warmer", "what was asked is told");
  return edit;
}

/** A connection that breaks after the first event: the stream goes on where it was. */
async function brokenStream(ada, another) {
  const arrived = await ada.images.upload(await readFile(photograph), { type: "image/jpeg" });
  const asked = await ada.edits.create({ inputs: [arrived.id], prompt: "make it colder" });
  const said = [];
  const breaking = async (input, init) => {
    said.push(new Headers(init.headers).get("last-event-id"));
    const response = await fetch(input, init);
    if (said.length > 1) return response;
    const reader = response.body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(value);
        controller.close();
      },
    });
    return new Response(body, { status: 200, headers: response.headers });
  };
  const frail = another(breaking);
  const edit = await finished(frail, asked.id);
  check(edit.state === "succeeded", "the stream was taken up again");
  check(said.length === 2 && said[0] === null && said[1] !== "", `where it broke off: ${said}`);
  const after = [];
  for await (const event of ada.edits.events(asked.id, { lastEventId: "succeeded-100" })) after.push(event);
  check(after.length === 0, "after the end there is nothing more");
}

async function aBatch(ada) {
  const picture = await readFile(photograph);
  const made = await batch([1, 2, 3, 4, 5], async (seed) => {
    const arrived = await ada.images.upload(picture, { type: "image/jpeg" });
    const edit = await ada.edits.create({ inputs: [arrived.id], prompt: "film grain", settings: { seed } });
    return finished(ada, edit.id);
  }, 3);
  const good = made.filter((one) => one.status === "fulfilled" && one.value.state === "succeeded");
  check(good.length === 5, `a batch of five: ${JSON.stringify(made)}`);
  const mixed = await batch(["obj_", "x"], (id) => ada.images.details(id), 8);
  check(mixed.every((one) => one.status === "rejected"), "one that fails does not stop the others");
}

async function story() {
  const app = new Vouchsafe({ url, key });
  check(!JSON.stringify(app).includes(key) && !String(Object.keys(app)).includes("settings"), "no log shows the key");
  const [ada, eve] = [await signUp(app, "ada"), await signUp(app, "eve")];
  const ears = await receiver();
  const { webhook, secret } = await app.webhooks.register({ url: ears.url, events: ["edit.succeeded"] });

  const edit = await oneEdit(ada);
  await refused(eve.edits.read(edit.id), 404, "another's edit is not there");
  await refused(eve.edits.events(edit.id)[Symbol.asyncIterator]().next(), 404, "nor are its events");

  const [first, second] = await ears.heard(2);
  check(first.body.equals(second.body), "a webhook that was turned away came again");
  const now = new Date(Number(second.headers["webhook-timestamp"]) * 1000);
  const event = await verifyWebhook(secret, second.headers, second.body, { now });
  check(event.id === first.headers["webhook-id"], "under the same id");
  check(event.type === "edit.succeeded" && event.data.edit === edit.id, "and says which edit");
  const verify = (headers, body, when) => verifyWebhook(secret, headers, body, { now: when ?? now });
  const late = new Date(now.getTime() + 301_000);
  const forged = { ...second.headers, "webhook-id": "msg_other" };
  const cut = Buffer.from(second.body.toString().replace("edt_", "edt-"));
  for (const attempt of [
    () => verify(second.headers, second.body, late),
    () => verify(forged, second.body),
    () => verify(second.headers, cut),
    () => verify({ ...second.headers, "webhook-signature": "" }, second.body),
    () => verifyWebhook("whsec_AAAA", second.headers, second.body, { now }),
  ]) {
    const passed = await attempt().then(() => true, () => false);
    check(!passed, "a webhook that is old, forged or foreign is refused");
  }
  const { secret: newer } = await app.webhooks.rotate(webhook.id);
  await app.webhooks.test(webhook.id);
  const third = (await ears.heard(3))[2];
  const then = new Date(Number(third.headers["webhook-timestamp"]) * 1000);
  for (const one of [secret, newer, ["whsec_AAAA", newer], ["whsec_", "whsec_%", "", newer]]) {
    const told = await verifyWebhook(one, third.headers, third.body, { now: then });
    check(told.type === "webhook.test", "for a day both secrets sign");
  }
  const log = await app.webhooks.log(webhook.id, { limit: 1 });
  check(log.items.length === 1 && log.next, "its log comes in pages");
  await app.webhooks.remove(webhook.id);

  await brokenStream(ada, (fetching) => new Vouchsafe({ url, key, fetch: fetching }).as(edit && adaSubject(ada)));
  await aBatch(ada);
  const all = [];
  for await (const row of rows((query) => ada.edits.list(query), 3)) all.push(row);
  check(all.length === 7 && new Set(all.map((e) => e.id)).size === 7, "every page of the list, each edit once");

  const arrived = await ada.images.upload(new Blob([await readFile(photograph)], { type: "image/jpeg" }));
  const stopped = await ada.edits.create({ inputs: [arrived.id], prompt: "warmer" });
  const outcome = await ada.edits.cancel(stopped.id).catch((e) => e);
  check(outcome.state === "cancelled" || outcome.status === 409, "an edit can be stopped, unless it was quicker");
  await ada.edits.delete(edit.id);
  await refused(ada.edits.read(edit.id), 404, "what was deleted is gone");
  await ada.images.delete(arrived.id).catch((e) => check(e.status === 404, "the upload went with its edit"));

  const bad = await refused(ada.edits.create({ inputs: [] }), 422, "an edit of nothing");
  check(bad.word === "invalid" && bad.detail && bad.message.includes(bad.detail), "and says why");
  await refused(ada.images.upload("no picture", { type: "image/jpeg" }), 415, "words are no picture");
  const choices = await ada.consents.read();
  check(choices.items.length > 0, "purposes can be read");
  const filed = await ada.requests.file({ right: "access" }).catch((e) => e);
  check(filed.id ? (await ada.requests.read(filed.id)).id === filed.id : filed.status === 403, "a right can be filed");
  const stop = new AbortController();
  stop.abort();
  const broken = await ada.edits.list({}, { signal: stop.signal }).catch((e) => e.name);
  check(broken === "AbortError", "a call can be broken off");
  ears.close();
}

/** Whom a client calls for. */
function adaSubject(client) {
  return client.settings.subject;
}

try {
  await story();
  console.log(`${held} checks held`);
} catch (e) {
  console.error(e);
  process.exitCode = 1;
}

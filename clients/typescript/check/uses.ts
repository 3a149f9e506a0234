// Not run: a type checker reads it. What an app writes must be accepted, and each slip below must be found.

import { batch, finished, Problem, rows, verifyWebhook, Vouchsafe } from "../index.js";
import type { Arrived, Edit, EditState, Told } from "../index.js";

const app = new Vouchsafe({ url: "https://vouchsafe.example", key: "vsk_…" });

export async function anEdit(photograph: Blob): Promise<EditState> {
  const { subject } = await app.accounts.open(
    { email: "ada@example.org", name: "Ada", username: "ada" },
    { idempotencyKey: "sign-up-1815" },
  );
  const ada = app.as(subject);
  const arrived: Arrived = await ada.images.upload(photograph, { type: "image/jpeg" });
  const edit: Edit = await ada.edits.create({ inputs: [arrived.id], prompt: "a rainy evening", model: "max" });
  const ended = await finished(ada, edit.id, { onProgress: (e) => console.log(e.progress) });
  if (ended.output) {
    const picture: Response = await ada.images.read(ended.output, { range: "bytes=0-1023" });
    console.log(picture.status);
  }
  const told: Told = await ada.edits.read(edit.id);
  console.log(told.prompt ?? "", told.settings?.style);
  return ended.state;
}

export async function lists(): Promise<number> {
  let credits = 0;
  for await (const edit of rows((query) => app.edits.list(query))) credits += edit.cost;
  const page = await app.images.list({ category: "output-image", limit: 10 });
  const done = await batch(page.items, (image) => app.images.details(image.id), 2);
  return credits + done.filter((one) => one.status === "fulfilled").length;
}

export async function words(): Promise<void> {
  await app.consents.set("training", { on: false });
  await app.requests.file({ right: "access" });
  for await (const { event, data } of app.edits.events("edt_…")) console.log(event, data.progress);
}

export async function hooks(headers: Headers, body: Uint8Array): Promise<string | undefined> {
  const made = await app.webhooks.register({ url: "https://app.example/hooks", events: ["edit.succeeded"] });
  const event = await verifyWebhook([made.secret], headers, body);
  return event.data.edit;
}

export function why(e: unknown): string {
  return e instanceof Problem && e.status === 429 ? `${e.word}, again in ${e.retryAfter ?? 5} s` : "";
}

export async function slips(): Promise<void> {
  // @ts-expect-error a model that nobody has
  await app.edits.create({ inputs: ["obj_…"], model: "ultra" });
  // @ts-expect-error an edit of nothing
  await app.edits.create({ prompt: "warmer" });
  // @ts-expect-error a misspelt field
  await app.edits.create({ inputs: ["obj_…"], promt: "warmer" });
  // @ts-expect-error a misspelt query
  await app.edits.list({ curser: "x" });
  // @ts-expect-error no id
  await app.edits.cancel();
  // @ts-expect-error a type that is not taken
  await app.images.upload(new Blob(), { type: "image/gif" });
  // @ts-expect-error the desk is for staff in a browser
  await app.desk.queue();
  const edit = await app.edits.read("edt_…");
  // @ts-expect-error a state that there is not
  if (edit.state === "finished") return;
}

// Uses the app as a browser would, without script and then with it. A test starts a service, and runs this with its
// address and a key.

import { readFile } from "node:fs/promises";

import { photoApp } from "./app.js";

const { VOUCHSAFE_URL: url = "", VOUCHSAFE_KEY: key = "", PHOTOGRAPH: photograph = "" } = process.env;

let held = 0;
function check(holds, what) {
  if (!holds) throw new Error(`it does not hold: ${what}`);
  held += 1;
}

/** A browser, as far as this needs one: it keeps one cookie and says that its forms come from the app's own pages. */
class Browser {
  constructor(root) {
    this.root = root;
    this.cookie = "";
  }

  async go(path, init = {}) {
    const headers = { "sec-fetch-site": "same-origin", ...init.headers, ...(this.cookie ? { cookie: this.cookie } : {}) };
    const response = await fetch(this.root + path, { ...init, headers, redirect: "manual" });
    const set = response.headers.get("set-cookie");
    if (set) this.cookie = set.split(";")[0];
    if (response.status !== 303) return response;
    await response.arrayBuffer();
    return this.go(response.headers.get("location"));
  }

  send(path, fields) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return this.go(path, { method: "POST", body: form });
  }
}

async function signedUp(app, name) {
  const browser = new Browser(app.url);
  const page = await (await browser.send("/sign-in", { name, email: `${name}@example.org` })).text();
  check(page.includes(name) && page.includes("5 credits are left"), `${name} is greeted, with five credits`);
  return browser;
}

async function anEdit(ada) {
  const picture = new Blob([await readFile(photograph)], { type: "image/jpeg" });
  const asked = await (await ada.send("/edits", { photograph: picture, prompt: 'warmer & <b>"kinder"</b>', once: "1" })).text();
  check(asked.includes("is being edited") && asked.includes("http-equiv=\"refresh\""), "progress is shown, with script or without");
  check(!asked.includes("<b>"), "what a person wrote is text");
  const id = /data-edit="(edt_[0-9a-f]+)"/.exec(asked)[1];
  const twice = await Promise.all(["1", "1"].map((once) => ada.send("/edits", { photograph: picture, prompt: "a second click", once })));
  for (const page of twice) check((await page.text()).includes(id), "a button that is pressed twice asks for one edit");
  const stream = await ada.go(`/edits/${id}/events`);
  check(stream.headers.get("content-type") === "text/event-stream", "progress is a stream");
  const said = await stream.text();
  check(/event: succeeded\n/.test(said) && !said.includes("warmer"), `which tells of the end, and nothing else: ${said}`);
  const heard = await ada.go(`/edits/${id}/events`, { headers: { "last-event-id": "succeeded-100" } });
  check(heard.status === 204, "and is not begun again");
  const done = await (await ada.go(`/edits/${id}`)).text();
  const [, output] = /src="\/images\/(obj_[0-9a-f]+)"/.exec(done);
  check(done.includes("Here it is"), "the result is shown");
  const bytes = new Uint8Array(await (await ada.go(`/images/${output}`)).arrayBuffer());
  check(bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.length > 1000, "and is a picture");
  return { id, output };
}

async function walk(app) {
  const stranger = new Browser(app.url);
  check((await (await stranger.go("/")).text()).includes("Begin"), "a stranger is asked in");
  check((await (await stranger.go("/edits/edt_1")).text()).includes("Begin"), "and sees nothing else");
  const ada = await signedUp(app, "ada");
  const { id, output } = await anEdit(ada);
  const eve = await signedUp(app, "eve");
  check((await eve.go(`/edits/${id}`)).status === 404, "another's edit is not there");
  check((await eve.go(`/images/${output}`)).status === 404, "nor is their picture");
  const foreign = await ada.go(`/edits/${id}/delete`, { method: "POST", headers: { "sec-fetch-site": "cross-site" } });
  check(foreign.status === 403, "a form of another site does nothing");

  // The service's word of it comes by webhook.
  let page = "";
  while (!page.includes("edit.succeeded")) page = await (await ada.go("/")).text();
  check(page.includes("4 credits are left") && page.includes(`/images/${output}/small`), "the gallery has it");
  const forged = await fetch(`${app.url}/hooks`, { method: "POST", body: '{"type":"account.erased"}' });
  check(forged.status === 401, "a webhook that nobody signed is not believed");

  const words = new Blob(["no picture"], { type: "image/jpeg" });
  const refused = await ada.send("/edits", { photograph: words, prompt: "warmer", once: "2" });
  check(refused.status === 415 && (await refused.text()).includes("not of a type that we take"), "a refusal is told in words");
  check((await ada.send("/edits", { prompt: "warmer", once: "3" })).status === 422, "so is a form without a photograph");
  const deleted = await (await ada.send(`/edits/${id}/delete`, {})).text();
  check(deleted.includes("Deleted") && !deleted.includes(output), "what is deleted is gone");
  check((await ada.go(`/images/${output}`)).status === 404, "with its picture");
  await ada.send("/sign-out", {});
  check((await (await ada.go("/")).text()).includes("Begin"), "signed out");
  const back = await signedUpAgain(app, "ada");
  check(back.includes("4 credits are left"), "the same person again, and no second present");
}

async function signedUpAgain(app, name) {
  return (await new Browser(app.url).send("/sign-in", { name, email: `${name}@example.org` })).text();
}

// A service under test may have a clock of its own.
const toleranceSeconds = process.env.OTHER_CLOCK ? Number.POSITIVE_INFINITY : 300;
const app = await photoApp({ url, key, toleranceSeconds });
try {
  await walk(app);
  console.log(`${held} checks held`);
} catch (e) {
  console.error(e);
  process.exitCode = 1;
} finally {
  await app.stop();
}

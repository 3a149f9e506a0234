// The app's pages: server-rendered, useful without script, quicker with it.

import { createHash, randomBytes } from "node:crypto";

const STYLE = `
:root { --paper:#fbfaf7; --ink:#1b1f24; --line:#dcd8cf; --green:#1e6b52; --red:#b3261e; --slate:#4a5560; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper:#16191d; --ink:#e9e6df; --line:#3a3f46; --green:#6fc3a3; --red:#f2a49d; --slate:#a9b3bd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, sans-serif; }
main, header { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; border-bottom: 1px solid var(--line); flex-wrap: wrap; }
h1, h2, .brand { font-family: "Iowan Old Style", Palatino, Georgia, serif; font-weight: 600; line-height: 1.2; }
.brand { font-size: 1.2rem; } a { color: var(--green); } .brand a { color: inherit; text-decoration: none; }
form.ask { display: grid; gap: 1rem; max-width: 36rem; } label { display: grid; gap: .3rem; font-weight: 600; }
input, textarea { font: inherit; font-weight: 400; color: inherit; background: transparent; border: 1px solid var(--slate); border-radius: 4px; padding: .55rem .7rem; width: 100%; min-width: 0; }
button { font: inherit; min-height: 2.75rem; padding: .4rem 1.1rem; border: 1px solid var(--green); border-radius: 4px; background: var(--green); color: var(--paper); cursor: pointer; }
button.quiet { background: transparent; color: var(--green); } button.grave { background: transparent; border-color: var(--red); color: var(--red); }
:focus-visible { outline: 3px solid var(--green); outline-offset: 2px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .9rem; list-style: none; padding: 0; }
.gallery a { display: block; text-decoration: none; color: inherit; } .gallery img, .gallery .none { display: block; width: 100%; margin-bottom: .3rem; aspect-ratio: 1; object-fit: cover; border: 1px solid var(--line); border-radius: 4px; }
.gallery .none { display: grid; place-items: center; color: var(--slate); }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
progress { width: 100%; max-width: 36rem; accent-color: var(--green); height: 1rem; } small, .note { color: var(--slate); overflow-wrap: anywhere; }
.actions { display: flex; gap: .75rem; flex-wrap: wrap; align-items: center; } .said { border-left: 3px solid var(--green); padding-left: .8rem; }
.sorry { border-left: 3px solid var(--red); padding-left: .8rem; }
`;

// Hears of progress and takes the page anew when it is over; without script the page asks every two seconds.
const SCRIPT = `
const bar = document.querySelector("progress[data-edit]");
if (bar) {
  const stream = new EventSource("/edits/" + bar.dataset.edit + "/events");
  const over = () => { stream.close(); location.reload(); };
  stream.addEventListener("progress", (e) => { bar.value = JSON.parse(e.data).progress; });
  for (const end of ["succeeded", "failed", "cancelled"]) stream.addEventListener(end, over);
}
`;

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What a page of this app may do. */
export const POLICY = `default-src 'none'; img-src 'self'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const STATES = {
  queued: "Waits for its turn",
  running: "Under way",
  succeeded: "Done",
  failed: "It could not be made",
  cancelled: "Stopped",
};

function layout(title, body, { signedIn = false, refresh = false } = {}) {
  const out = signedIn ? '<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>' : "";
  const again = refresh ? '<noscript><meta http-equiv="refresh" content="2"></noscript>' : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Photo app</title>${again}<style>${STYLE}</style></head>
<body><header><span class="brand"><a href="/">Photo app</a></span>${out}</header><main>${body}</main>
<script type="module">${SCRIPT}</script></body></html>`;
}

export function welcome(service) {
  return layout("Welcome", `
<h1>Say what should change, and see it changed</h1>
<p>Your photographs are kept by a service that runs its privacy policy as a program. <a href="${escape(service)}/flux-kontext/policy">Read what it keeps, and whether it is keeping it now</a>.</p>
<form class="ask" method="post" action="/sign-in">
<label>Your name <input name="name" autocomplete="name" required maxlength="80"></label>
<label>Your e-mail address <input name="email" type="email" autocomplete="email" required maxlength="200"></label>
<div><button>Begin</button></div></form>`);
}

export function home({ name, edits, balance, told, said }) {
  const credits = balance === 1 ? "One credit is left." : `${escape(balance)} credits are left.`;
  const shown = edits.map((edit) => `<li><a href="/edits/${escape(edit.id)}">${thumb(edit)}<small>${STATES[edit.state]}</small></a></li>`);
  const list = shown.length > 0 ? `<ul class="gallery">${shown.join("")}</ul>` : '<p class="note">Your edits will appear here.</p>';
  const heard = told.map((event) => `<li><small>${escape(event.timestamp)} · ${escape(event.type)} · ${escape(event.data.edit ?? "")}</small></li>`);
  return layout("Your photographs", `
${said === "deleted" ? '<p class="said" role="status">Deleted, with its result and everything that was kept for it.</p>' : ""}
<h1>Good to see you, ${escape(name)}</h1>
<form class="ask" method="post" action="/edits" enctype="multipart/form-data">
<label>A photograph <input type="file" name="photograph" accept="image/jpeg,image/png,image/webp" required></label>
<label>What should change? <textarea name="prompt" rows="2" maxlength="2000" required placeholder="make it warmer, with film grain"></textarea></label>
<input type="hidden" name="once" value="${randomBytes(16).toString("hex")}">
<div class="actions"><button>Edit it</button> <small>${credits} An edit takes one.</small></div></form>
<h2>Your edits</h2>${list}
${heard.length > 0 ? `<h2>What the service told this app</h2><ul>${heard.join("")}</ul>` : ""}`, { signedIn: true });
}

function thumb(edit) {
  if (edit.output) return `<img src="/images/${escape(edit.output)}/small" alt="The result of an edit">`;
  return `<span class="none" aria-hidden="true">${edit.state === "failed" ? "✕" : "…"}</span>`;
}

export function edit(told) {
  const id = escape(told.id);
  const words = told.prompt ? `<p>You asked: “${escape(told.prompt)}”</p>` : "";
  const button = (action, label, kind) => `<form method="post" action="/edits/${id}/${action}"><button class="${kind}">${label}</button></form>`;
  const remove = button("delete", "Delete this edit and its result", "grave");
  if (told.state === "succeeded") {
    return layout("Your edit", `<h1>Here it is</h1>${words}
<figure><img src="/images/${escape(told.output)}" alt="The photograph as it was edited"></figure>
<p class="note">The photograph that you uploaded is gone already: it was needed for this edit and for nothing else. The picture is marked as edited.</p>
<div class="actions"><a href="/images/${escape(told.output)}" download="edited">Keep a copy</a> ${remove} <a href="/">Edit another</a></div>`, { signedIn: true });
  }
  if (told.state === "failed" || told.state === "cancelled") {
    const why = told.error ? `<p class="sorry">${escape(told.error)}</p>` : "";
    return layout("Your edit", `<h1>${STATES[told.state]}</h1>${words}${why}
<p>The credit was given back. <a href="/">Try another</a>.</p><div class="actions">${remove}</div>`, { signedIn: true });
  }
  return layout("Your edit", `<h1>Your photograph is being edited</h1>${words}
<p><progress data-edit="${id}" max="100" value="${escape(told.progress)}">${escape(told.progress)} %</progress></p>
<p class="note" role="status">${STATES[told.state]}. You can leave this page and come back.</p>
<div class="actions">${button("stop", "Stop it", "quiet")}</div>`, { signedIn: true, refresh: true });
}

export function sorry(why) {
  return layout("That did not work", `<h1>That did not work</h1><p class="sorry" role="alert">${escape(why)}</p><p><a href="/">Go back</a></p>`);
}

'use strict';
/* Checks a receipt with nothing but this file and the browser's own SHA-256 and Ed25519: C2SP signed-note,
   tlog-checkpoint, tlog-proof and tlog-cosignature, RFC 6962, RFC 8785. Sends nothing, keeps nothing. */
(() => {
  const words = JSON.parse(document.getElementById('words').textContent);
  const utf8 = new TextEncoder();
  const LARGEST_TREE = 1n << 48n;

  /** Why a receipt does not hold, in words for whoever has it. */
  class Flaw extends Error {}
  const flaw = (why) => { throw new Flaw(why); };
  /** Why nothing can be said of a receipt: there is none, or no key to check it with. */
  class Unread extends Error {}
  const unread = (why) => { throw new Unread(why); };

  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  };
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
  /** Standard base64 in its one spelling; null for anything else. */
  const base64 = (text) => {
    try {
      const raw = atob(text);
      return btoa(raw) === text ? Uint8Array.from(raw, (c) => c.charCodeAt(0)) : null;
    } catch { return null; }
  };

  async function signed(key, message, signature) {
    if (signature.length !== 64) return false;
    const held = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
    return crypto.subtle.verify({ name: 'Ed25519' }, held, signature, message);
  }

  /** Whether this browser can check at all: a signature of RFC 8032 must hold, and an altered one must not. */
  async function unable() {
    if (!globalThis.crypto || !crypto.subtle) {
      return 'This browser keeps its cryptography from this page. Save the page and open it from your own disk, or over HTTPS.';
    }
    const of = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
    const key = of('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const good = of('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b');
    const bad = good.slice();
    bad[0] ^= 1;
    try {
      if (await signed(key, new Uint8Array(0), good) && !await signed(key, new Uint8Array(0), bad)) return null;
    } catch { /* Said below. */ }
    return 'This browser cannot check Ed25519 signatures. Chrome and Edge can from version 137, Firefox from 129, Safari from 17. ' +
      'Nothing is known about your receipt yet.';
  }

  /** A key as C2SP writes it: name+id+base64. */
  async function keyOf(text) {
    const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? unread('The key cannot be read. It has the form name+id+base64.');
    const bytes = base64(encoded);
    if (!bytes || bytes.length !== 33 || (bytes[0] !== 1 && bytes[0] !== 4)) unread('The key is not an Ed25519 key of a ledger or a witness.');
    const own = hex((await sha256(utf8.encode(name + '\n'), bytes)).slice(0, 4));
    if (own !== id) unread('The key was mistyped: its id is not that of its name and bytes.');
    return { name, id, key: bytes.slice(1), cosigns: bytes[0] === 4 };
  }

  /** A signed note: its text, and its signature lines. */
  function noteOf(text) {
    const at = text.lastIndexOf('\n\n');
    if (at < 0 || !text.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f\u007f]/u.test(text)) flaw('The checkpoint cannot be read.');
    const lines = text.slice(at + 2, -1).split('\n').map((line) => {
      const [, name, encoded] = /^\u2014 ([^+\s]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? flaw('A signature of the checkpoint cannot be read.');
      const bytes = base64(encoded);
      if (!bytes || bytes.length < 5) flaw('A signature of the checkpoint cannot be read.');
      return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
    });
    return { text: text.slice(0, at + 1), lines };
  }

  const linesBy = (note, key) => note.lines.filter((line) => line.name === key.name && line.id === key.id);

  /** The head that the ledger signed. */
  async function checkpointOf(text, key) {
    const note = noteOf(text);
    const [origin, size, root, ...more] = note.text.slice(0, -1).split('\n');
    const hash = base64(root ?? '');
    if (!/^(0|[1-9][0-9]*)$/u.test(size ?? '') || BigInt(size) > LARGEST_TREE || !hash || hash.length !== 32 || more.includes('')) {
      flaw('The checkpoint cannot be read.');
    }
    if (origin !== key.name) flaw(`The checkpoint is one of ${origin}, and the key you trust is that of ${key.name}.`);
    const own = linesBy(note, key);
    if (own.length === 0) flaw('The checkpoint is not signed by the key that you trust.');
    for (const line of own) {
      if (!await signed(key.key, utf8.encode(note.text), line.signature)) flaw('The signature of the checkpoint does not hold.');
    }
    return { note, origin, size: BigInt(size), root: hash };
  }

  /** When a witness cosigned; null if it did not. */
  async function cosigned(note, witness) {
    let at = null;
    for (const { signature } of linesBy(note, witness)) {
      if (signature.length !== 72) flaw('A witness’s signature does not hold.');
      const seconds = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
      const message = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
      if (!await signed(witness.key, message, signature.slice(8))) flaw(`The signature of the witness ${witness.name} does not hold.`);
      at = new Date(Number(seconds) * 1000);
    }
    return at;
  }

  /** A tlog-proof: index, hashes, checkpoint. */
  function proofOf(text) {
    const broken = () => flaw('The proof cannot be read.');
    const gap = text.indexOf('\n\n');
    if (gap < 0) broken();
    const [header, ...lines] = text.slice(0, gap).split('\n');
    const extra = lines[0]?.startsWith('extra ') ? lines.shift() : null;
    const [, index] = /^index (0|[1-9][0-9]*)$/u.exec(lines.shift() ?? '') ?? broken();
    const hashes = lines.map((line) => base64(line) ?? broken());
    if (header !== 'c2sp.org/tlog-proof@v1' || hashes.length > 63 || hashes.some((h) => h.length !== 32)) broken();
    return { index: BigInt(index), hashes, extra, checkpoint: text.slice(gap + 2) };
  }

  /** RFC 9162, 2.1.3.2: the root that a leaf and its path lead to. */
  async function rootOf(entry, index, size, hashes) {
    const node = (left, right) => sha256(Uint8Array.of(1), left, right);
    let [at, last, root] = [index, size - 1n, await sha256(Uint8Array.of(0), entry)];
    for (const hash of hashes) {
      if (last === 0n) return null;
      if (at % 2n === 1n || at === last) {
        root = await node(hash, root);
        while (at % 2n === 0n && at !== 0n) { at >>= 1n; last >>= 1n; }
      } else {
        root = await node(root, hash);
      }
      at >>= 1n;
      last >>= 1n;
    }
    return last === 0n ? root : null;
  }

  /** RFC 8785, with whole numbers only. */
  function canonical(value, deeper = 32) {
    if (deeper === 0) flaw('The details are nested too deep.');
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : flaw('The details hold a number that is not whole.');
    if (Array.isArray(value)) return `[${value.map((v) => canonical(v, deeper - 1)).join(',')}]`;
    return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k], deeper - 1)}`).join(',')}}`;
  }

  const members = (value, names) => value !== null && typeof value === 'object' && !Array.isArray(value) &&
    Object.keys(value).sort().join() === [...names].sort().join();

  /** An entry of this kind of ledger, in its one spelling. */
  function entryOf(text) {
    const names = ['v', 'id', 'at', 'tenant', 'kind', 'actor', 'subject', 'facts', 'commit'];
    let read;
    try { read = JSON.parse(text); } catch { flaw('The entry cannot be read.'); }
    if (!members(read, names) || read.v !== 1 || !members(read.facts, Object.keys(read.facts ?? {}))) flaw('The entry cannot be read.');
    const facts = Object.fromEntries(Object.keys(read.facts).sort().map((name) => [name, read.facts[name]]));
    const own = Object.fromEntries(names.map((name) => [name, name === 'facts' ? facts : read[name]]));
    if (JSON.stringify(own) !== text) flaw('The entry is not in its one spelling.');
    return own;
  }

  const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
  const two = (n) => String(n).padStart(2, '0');
  const inWords = (at) => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
  const shown = (fact) => (fact === true ? 'yes' : fact === false ? 'no' : String(fact));

  /** What an entry says, in one sentence: a receipt cannot carry another. */
  function sentenceOf(entry) {
    const person = entry.subject === null ? 'a person' : `the person known here as ${entry.subject}`;
    const says = (words.clauses[entry.kind] ?? `the event ${entry.kind}`).replaceAll('{person}', () => person);
    const facts = Object.entries(entry.facts).map(([name, fact]) => `${name}: ${shown(fact)}`).join('; ');
    const who = entry.tenant ?? 'the operator of this ledger';
    return `On ${inWords(new Date(entry.at))}, ${who} recorded ${says}${facts ? ` (${facts})` : ''}.`;
  }

  function limitOf(kind) {
    const [first] = kind.split('.');
    if (kind === 'policy.published') return words.limits.publication;
    return words.limits[{ erasure: 'erasure', consent: 'consent', objection: 'consent', export: 'export' }[first] ?? 'generic'];
  }

  /** Takes a receipt, or a proof with the entry it is for, apart. */
  function read(text, beside) {
    if (text.startsWith('c2sp.org/tlog-proof@v1\n')) {
      if (beside === null) unread('This is a proof alone. Choose the file of the entry that it is for as well.');
      return { proof: proofOf(text), bytes: beside, entry: null };
    }
    let file;
    try { file = JSON.parse(text); } catch { unread('This is not a receipt. It is a file named receipt-….json.'); }
    if (!members(file, ['format', 'sentence', 'entry', 'opening', 'proof']) || file.format !== 'vouchsafe-receipt/v1' ||
      typeof file.entry !== 'string' || typeof file.proof !== 'string' || typeof file.sentence !== 'string') {
      unread('This is not a receipt. It is a file named receipt-….json.');
    }
    const proof = proofOf(file.proof);
    if (proof.extra !== null) flaw('The receipt carries something that nobody signed.');
    return { proof, bytes: utf8.encode(file.entry), entry: file.entry, file };
  }

  async function opened(opening, commit) {
    if (opening === null) return false;
    const salt = members(opening, ['salt', 'details']) && typeof opening.salt === 'string' ? base64(opening.salt) : null;
    if (!salt || salt.length !== 32) flaw('What opens the private details cannot be read.');
    const fixed = typeof commit === 'string' ? base64(commit) : null;
    if (!fixed || !same(await sha256(salt, utf8.encode(canonical(opening.details))), fixed)) {
      flaw('The private details are not those that were fixed when the entry was written.');
    }
    return true;
  }

  /** The whole check. Gives what holds and what that proves; throws a Flaw when it does not hold. */
  async function check(text, keyText, witnessTexts, atLeast, beside) {
    const key = await keyOf(keyText.trim());
    if (key.cosigns) unread('The key you trust is a witness’s. The ledger’s own is wanted here.');
    const { proof, bytes, entry: spelled, file } = read(text, beside);
    const head = await checkpointOf(proof.checkpoint, key);
    if (proof.index >= head.size) flaw(`There is no entry ${proof.index} in a ledger of ${head.size}.`);
    const root = await rootOf(bytes, proof.index, head.size, proof.hashes);
    if (!root || !same(root, head.root)) flaw('The entry does not lead to the signed root: it was changed, or stands in another ledger.');
    const entry = spelled === null ? null : entryOf(spelled);
    const details = entry !== null && await opened(file.opening, entry.commit);
    const sentence = entry === null ? `The entry of ${bytes.length} bytes with the SHA-256 ${hex(await sha256(bytes))} stands in this ledger.` : sentenceOf(entry);
    if (entry !== null && file.sentence !== sentence) flaw('The sentence of the receipt says other than its entry.');
    const seen = [];
    for (const line of witnessTexts.split('\n').map((l) => l.trim()).filter((l) => l !== '')) {
      const witness = await keyOf(line);
      if (!witness.cosigns) unread(`The key of ${witness.name} is not a witness’s.`);
      const at = await cosigned(head.note, witness);
      if (at && !seen.some((s) => s.name === witness.name)) seen.push({ name: witness.name, at });
    }
    if (seen.length < atLeast) flaw(`${seen.length} of the witnesses you trust saw this ledger, and you ask for ${atLeast}.`);
    const proved = [`The holder of the key of ${head.origin} signed a ledger of ${head.size} entries in which this is entry ${proof.index}. It cannot be changed or removed without that signature becoming evidence.`];
    const not = [limitOf(entry === null ? '' : entry.kind)];
    if (details) proved.push('The details in the file are those fixed when the entry was written.');
    else if (entry !== null && entry.commit !== null) not.push('The entry fixes private details that this receipt does not show.');
    for (const { name, at } of seen) proved.push(`The witness ${name} saw this very ledger on ${inWords(at)}, as the continuation of all it had seen before.`);
    if (seen.length === 0) not.push('No witness you trust has cosigned it: compare the checkpoint with somebody else’s to know that everybody is shown the same ledger.');
    return { sentence, origin: head.origin, index: String(proof.index), size: String(head.size), proved, not };
  }

  /** The check with its outcome as plain data. */
  async function verify(text, key, witnesses = '', atLeast = 0, beside = null) {
    const cannot = await unable();
    if (cannot) return { verdict: 'cannot', why: cannot };
    try {
      return { verdict: 'holds', ...await check(text, key, witnesses, atLeast, beside) };
    } catch (error) {
      if (error instanceof Unread) return { verdict: 'unread', why: error.message };
      if (error instanceof Flaw) return { verdict: 'broken', why: error.message };
      return { verdict: 'broken', why: 'The receipt cannot be read.' };
    }
  }

  const by = (id) => document.getElementById(id);
  const make = (tag, text, name) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const list = (texts) => {
    const all = make('ul', '', 'plainly');
    texts.forEach((text) => all.append(make('li', text)));
    return all;
  };
  const TITLES = { holds: 'This receipt holds.', broken: 'This receipt does not hold.', cannot: 'This browser cannot tell.', unread: 'Nothing was checked.' };
  const STATES = { holds: ['kept', '✓ Holds'], broken: ['broken', '✕ Does not hold'], cannot: ['waiting', '○ Not checked'], unread: ['waiting', '○ Not checked'] };

  function show(outcome) {
    const place = by('outcome');
    const [name, state] = STATES[outcome.verdict];
    const parts = [make('p', state, `state ${name}`), make('h2', TITLES[outcome.verdict])];
    if (outcome.verdict === 'holds') {
      parts.push(make('p', outcome.sentence, 'lede'), make('h3', 'What that proves'), list(outcome.proved),
        make('h3', 'What it does not prove'), list(outcome.not));
    } else {
      parts.push(make('p', outcome.why, 'lede'));
    }
    if (outcome.verdict === 'broken') parts.push(make('p', 'Do not believe what it says. Keep it: a receipt that was once handed out and fails is evidence.'));
    if (outcome.verdict === 'cannot') parts.push(make('p', 'On any computer, with no network: vouchsafe verify receipt.json --key KEY'));
    place.replaceChildren(...parts);
    place.dataset.verdict = outcome.verdict;
    place.hidden = false;
    place.focus();
  }

  /** The receipt or proof among the files chosen, and what else was chosen. */
  async function chosen() {
    const files = Array.from(by('file').files);
    if (files.length === 0) return { text: by('pasted').value, beside: null };
    const zip = (bytes) => bytes[0] === 0x50 && bytes[1] === 0x4b;
    const begins = await Promise.all(files.map(async (f) => new Uint8Array(await f.slice(0, 2).arrayBuffer())));
    if (begins.some(zip)) unread('This is an archive (ZIP), and this page checks receipts. On any computer, with no network: vouchsafe verify ARCHIVE.zip --key KEY');
    if (files.some((f) => f.size > 262144)) unread('No receipt is longer than 256 KiB.');
    const all = await Promise.all(files.map(async (f) => new Uint8Array(await f.arrayBuffer())));
    const text = (bytes) => { try { return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes); } catch { return ''; } };
    const first = Math.max(0, all.findIndex((bytes) => text(bytes).startsWith('c2sp.org/tlog-proof@v1\n')));
    if (text(all[first]) === '') unread('This file holds no text, so it is no receipt.');
    return { text: text(all[first]), beside: all.find((_, i) => i !== first) ?? null };
  }

  by('check').addEventListener('click', async () => {
    by('outcome').hidden = true;
    try {
      const { text, beside } = await chosen();
      if (text.trim() === '') unread('Choose the file of your receipt first.');
      show(await verify(text, by('key').value, by('witnesses').value, Number(by('at-least').value) || 0, beside));
    } catch (error) {
      show({ verdict: 'unread', why: error instanceof Unread ? error.message : 'The file cannot be read.' });
    }
  });
  globalThis.vouchsafeVerify = verify;
  by('able').hidden = false;
  unable().then((why) => { if (why) show({ verdict: 'cannot', why }); });
})();

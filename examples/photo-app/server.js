// Runs the app: `VOUCHSAFE_KEY=vsk_… node examples/photo-app/server.js`.

import { photoApp } from "./app.js";

const { VOUCHSAFE_KEY: key, VOUCHSAFE_URL: url = "http://127.0.0.1:8080", PORT: port = "3000" } = process.env;
if (!key) {
  console.error("VOUCHSAFE_KEY is missing. Make one:");
  console.error("  cargo run -- api-key create --dev --data data --tenant flux-kontext --scopes edits,accounts,credits,webhooks");
  process.exit(2);
}
try {
  const app = await photoApp({ url, key, port: Number(port) });
  console.log(`The photo app is on ${app.url}; it works with ${url}.`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.stop().then(() => process.exit(0)));
} catch (e) {
  console.error(`The photo app cannot start: ${e.message}`);
  process.exit(1);
}

// Printed from exports/openapi.json by `make docs`; a test holds it to that. Do not edit.

export const operations = {
  accounts: {
    acknowledge: { method: "PUT", path: "/v1/account/policies/{version}/acknowledgement", gives: "json", person: true },
    close: { method: "POST", path: "/v1/account/close", gives: "json", person: true },
    correct: { method: "PATCH", path: "/v1/account", sends: "json", gives: "json", person: true },
    link: { method: "POST", path: "/v1/accounts/elsewhere", sends: "json", gives: "nothing" },
    open: { method: "POST", path: "/v1/accounts", sends: "json", gives: "json", headers: { idempotencyKey: "Idempotency-Key" } },
    prefer: { method: "PUT", path: "/v1/account/preferences", sends: "json", gives: "json", person: true },
    preferences: { method: "GET", path: "/v1/account/preferences", gives: "json", person: true },
    read: { method: "GET", path: "/v1/account", gives: "json", person: true },
    timeline: { method: "GET", path: "/v1/account/policies", gives: "json", person: true },
  },
  consents: {
    history: { method: "GET", path: "/v1/consents/history", gives: "json", person: true },
    read: { method: "GET", path: "/v1/consents", gives: "json", person: true },
    set: { method: "PUT", path: "/v1/consents/{purpose}", sends: "json", gives: "json", person: true },
  },
  credits: {
    grant: { method: "POST", path: "/v1/credits", sends: "json", gives: "json", headers: { idempotencyKey: "Idempotency-Key" } },
    read: { method: "GET", path: "/v1/credits", gives: "json", query: true, person: true },
  },
  edits: {
    batch: { method: "POST", path: "/v1/edits/batch", sends: "json", gives: "json", person: true, headers: { idempotencyKey: "Idempotency-Key" } },
    cancel: { method: "POST", path: "/v1/edits/{id}/cancel", gives: "json", person: true },
    create: { method: "POST", path: "/v1/edits", sends: "json", gives: "json", person: true, headers: { idempotencyKey: "Idempotency-Key" } },
    delete: { method: "DELETE", path: "/v1/edits/{id}", gives: "nothing", person: true },
    events: { method: "GET", path: "/v1/edits/{id}/events", gives: "events", person: true, headers: { lastEventId: "Last-Event-ID" } },
    list: { method: "GET", path: "/v1/edits", gives: "json", query: true, person: true },
    read: { method: "GET", path: "/v1/edits/{id}", gives: "json", person: true },
  },
  images: {
    delete: { method: "DELETE", path: "/v1/images/{id}", gives: "nothing", person: true },
    details: { method: "GET", path: "/v1/images/{id}/details", gives: "json", person: true },
    list: { method: "GET", path: "/v1/images", gives: "json", query: true, person: true },
    read: { method: "GET", path: "/v1/images/{id}", gives: "stream", person: true, headers: { range: "Range" } },
    small: { method: "GET", path: "/v1/images/{id}/small", gives: "stream", person: true },
    upload: { method: "POST", path: "/v1/images", sends: "bytes", gives: "json", person: true, headers: { idempotencyKey: "Idempotency-Key" } },
  },
  ledger: {
    checkpoint: { method: "GET", path: "/ledger/checkpoint", gives: "text" },
    key: { method: "GET", path: "/ledger/key", gives: "text" },
    tile: { method: "GET", path: "/ledger/tile/{path}", gives: "stream" },
  },
  operation: {
    live: { method: "GET", path: "/healthz", gives: "text" },
    ready: { method: "GET", path: "/readyz", gives: "json" },
  },
  policies: {
    document: { method: "GET", path: "/v1/policies/{tenant}", gives: "json" },
    promises: { method: "GET", path: "/v1/promises/{tenant}", gives: "json" },
    retention: { method: "GET", path: "/v1/retention/{tenant}", gives: "json" },
  },
  receipts: {
    receipt: { method: "GET", path: "/v1/receipts/{id}", gives: "text" },
  },
  requests: {
    archive: { method: "GET", path: "/v1/requests/{id}/archive", gives: "stream", headers: { range: "Range" } },
    cancel: { method: "POST", path: "/v1/requests/{id}/cancel", gives: "json", person: true },
    file: { method: "POST", path: "/v1/requests", sends: "json", gives: "json", person: true, headers: { idempotencyKey: "Idempotency-Key" } },
    import: { method: "POST", path: "/v1/imports", sends: "bytes", gives: "json" },
    list: { method: "GET", path: "/v1/requests", gives: "json", query: true, person: true },
    preview_import: { method: "POST", path: "/v1/imports/preview", sends: "bytes", gives: "json" },
    read: { method: "GET", path: "/v1/requests/{id}", gives: "json", person: true },
    waive: { method: "POST", path: "/v1/requests/{id}/waive", gives: "json" },
  },
  webhooks: {
    again: { method: "POST", path: "/v1/deliveries/{id}/again", gives: "json" },
    change: { method: "PATCH", path: "/v1/webhooks/{id}", sends: "json", gives: "json" },
    list: { method: "GET", path: "/v1/webhooks", gives: "json" },
    log: { method: "GET", path: "/v1/webhooks/{id}/deliveries", gives: "json", query: true },
    read: { method: "GET", path: "/v1/webhooks/{id}", gives: "json" },
    register: { method: "POST", path: "/v1/webhooks", sends: "json", gives: "json" },
    remove: { method: "DELETE", path: "/v1/webhooks/{id}", gives: "nothing" },
    rotate: { method: "POST", path: "/v1/webhooks/{id}/secret", gives: "json" },
    test: { method: "POST", path: "/v1/webhooks/{id}/test", gives: "json" },
  },
};

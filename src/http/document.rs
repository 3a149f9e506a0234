//! The OpenAPI document: what stands beside the operations, which describe themselves.

use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use crate::edge::{DESK_COOKIE, SESSION_COOKIE};

const ABOUT: &str = "\
Images and edits of people, under a privacy policy that is kept by the program itself.

**Who calls.** An app's server, with its key (`Authorization: Bearer vsk_…`), says for whom in `Vouchsafe-Subject`. A \
person's app calls with a token of its identity provider (a JWT). A browser has its session's cookie, and may change \
something only from a page of this site. Staff have a session of their own.

**Errors** are `application/problem+json` (RFC 9457): `type` is a stable word, `title` a fixed sentence, `detail` says \
what is wrong with what was sent. Something of somebody else and something that is not there are the same 404.

**Twice is once.** A `POST` with an `Idempotency-Key` can be sent again without fear: within a day the same key gives \
the first answer; with another body it is refused (422), and while the first is running, too (409).

**Lists** come in pages: hand `next` back as `cursor`. `limit` is 1 to 200, 50 unless said.

**Strict.** A field or parameter that is not described here is refused (422): a misspelt one does not go unnoticed.";

const TAGS: [(&str, &str); 14] = [
    ("accounts", "A person, as far as the app needs to know them."),
    ("images", "Uploads and results, sealed under their owner's own key."),
    ("edits", "From what was asked to the result."),
    ("credits", "What a person has left."),
    ("consents", "What a person agreed to, refused, took back or objected to."),
    ("requests", "Every right as a workflow with two clocks."),
    ("mandates", "Agents, who ask for somebody else once that person says so."),
    (
        "agents",
        "The Data Rights Protocol 1.0: authorised agents, who sign what they ask. They answer to the protocol's own rules.",
    ),
    ("receipts", "Proof that verifies offline."),
    ("webhooks", "What an app's server is told, signed (Standard Webhooks 1.0)."),
    ("policies", "The documents, and whether they are being kept now."),
    ("desk", "For staff."),
    ("ledger", "What happened, in the forms of C2SP tlog-tiles."),
    ("operation", "For whoever keeps the service running."),
];

/// The document without its operations.
pub(super) fn blank() -> OpenApi {
    let info = InfoBuilder::new()
        .title("vouchsafe")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    let tag = |(name, about): (&str, &str)| TagBuilder::new().name(name).description(Some(about)).build();
    OpenApiBuilder::new()
        .info(info)
        .tags(Some(TAGS.into_iter().map(tag)))
        .components(Some(who_calls()))
        .build()
}

fn who_calls() -> Components {
    let bearer = |format: &str, about: &str| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format);
        SecurityScheme::Http(http.description(Some(about)).build())
    };
    let cookie = |name: &str, about: &str| {
        let value = ApiKeyValue::with_description(name, about);
        SecurityScheme::ApiKey(ApiKey::Cookie(value))
    };
    let subject = ApiKeyValue::with_description("Vouchsafe-Subject", "For whom the app's server calls.");
    let mut components = Components::new();
    components.add_security_scheme("app-key", bearer("vsk_…", "The key of an app's server, with scopes."));
    components.add_security_scheme("subject", SecurityScheme::ApiKey(ApiKey::Header(subject)));
    components.add_security_scheme("token", bearer("JWT", "A token of the app's identity provider."));
    let about = "The token that an agent of people was given when it paired.";
    components.add_security_scheme("agent-token", bearer("opaque", about));
    components.add_security_scheme("session", cookie(SESSION_COOKIE, "A person's session."));
    components.add_security_scheme("staff-session", cookie(DESK_COOKIE, "A session of a member of staff."));
    components
}

/// The document with paths as OpenAPI writes them: it has no word for a path that goes on. Each operation is called by its
/// group and what it does, `edits.create`: a name must not be there twice.
pub(super) fn finished(mut document: OpenApi) -> OpenApi {
    let mut paths = Paths::new();
    paths.extensions = document.paths.extensions.take();
    for (path, mut item) in std::mem::take(&mut document.paths.paths) {
        let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in all.into_iter().flatten() {
            let group = operation.tags.iter().flatten().next();
            if let (Some(group), Some(name)) = (group, &operation.operation_id) {
                operation.operation_id = Some(format!("{group}.{name}"));
            }
        }
        paths.paths.insert(path.replace("{*", "{"), item);
    }
    document.paths = paths;
    document
}

//! What is said when the service is up.

use std::path::Path;

use crate::app::App;
use crate::cli::Say;
use crate::edge::Edge;
use crate::web;

/// In production: where it is, and nothing else.
pub(super) fn production(app: &App, say: &mut Say) {
    say.line(format!("Serving {} on {}.", app.config.server.public_url, app.config.server.listen));
}

/// In development: which pages to open, and links to sign in with, for somebody who has never seen it.
pub(super) async fn development(edge: &Edge, letters: Option<&Path>, say: &mut Say) -> anyhow::Result<()> {
    let config = &edge.app.config;
    let root = config.server.public_url.clone();
    say.gap();
    say.title("vouchsafe is running, in development.");
    say.note(
        "Not for data of real people: there is no TLS, letters are files on this disk, and whoever sees this screen can \
         sign in.",
    );
    say.gap();
    say.row("start here", format!("{root}/"));
    say.row("the API", format!("{root}/docs/api"));
    say.row("data folder", config.data.folder.display().to_string());
    if let Some(letters) = letters {
        say.row("letters", format!("{}: files instead of mail", letters.display()));
    }
    let doors = web::doors(edge).await;
    let doors = doors.map_err(|fault| anyhow::anyhow!("no way in could be made: {:?}", fault.kind))?;
    for tenant in edge.app.library.tenants() {
        say.gap();
        say.title(&format!("  {tenant}"));
        say.row("its policy", format!("{root}/{tenant}/policy"));
        for door in doors.iter().filter(|door| door.tenant == tenant) {
            let label = if door.staff { "sign in as staff" } else { "sign in as a person" };
            say.row(label, format!("{root}{}", door.path));
        }
    }
    say.gap();
    say.note("Each link works once, within an hour; starting again prints new ones. Ctrl-C stops.");
    say.gap();
    Ok(())
}

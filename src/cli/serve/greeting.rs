//! What is said when the service is up.

use std::path::Path;

use chrono::TimeDelta;

use crate::app::App;
use crate::base::TenantId;
use crate::cli::Say;
use crate::policy::Role;
use crate::subjects::{Email, NewAccount, SignedIn};
use crate::vault::Owner;

/// How long a printed link works: a day of trying things out.
const LIFE: TimeDelta = TimeDelta::hours(12);
const PERSON: &str = "person@example.org";
const STAFF: &str = "staff@example.org";
const CREDITS: i64 = 20;

/// In production: where it is, and nothing else.
pub(super) fn production(app: &App, say: &mut Say) {
    say.line(format!("Serving {} on {}.", app.config.server.public_url, app.config.server.listen));
}

/// In development: which pages to open, and links to sign in with, for somebody who has never seen it.
pub(super) async fn development(app: &App, letters: Option<&Path>, say: &mut Say) -> anyhow::Result<()> {
    let root = app.config.server.public_url.trim_end_matches('/').to_owned();
    say.gap();
    say.title("vouchsafe is running, in development.");
    say.note(
        "Not for data of real people: there is no TLS, letters are files on this disk, and whoever sees this screen can \
         sign in.",
    );
    say.gap();
    say.row("start here", format!("{root}/"));
    say.row("the API", format!("{root}/api"));
    say.row("data folder", app.config.data.folder.display().to_string());
    if let Some(letters) = letters {
        say.row("letters", format!("{}: files instead of mail", letters.display()));
    }
    for tenant in app.library.tenants() {
        let person = person(app, &tenant).await?;
        let staff = staff(app, &tenant).await?;
        say.gap();
        say.title(&format!("  {tenant}"));
        say.row("its policy", format!("{root}/{tenant}/policy"));
        say.row(
            "sign in as a person",
            confirm(app, &root, &tenant, "sign-in", &SignedIn::Subject(person)).await?,
        );
        say.row("sign in as staff", confirm(app, &root, &tenant, "desk/sign-in", &staff).await?);
    }
    say.gap();
    say.note("Each link works once, within twelve hours; starting again prints new ones. Ctrl-C stops.");
    say.gap();
    Ok(())
}

/// A link that signs somebody in: opened, it shows a button; the button uses it up.
async fn confirm(
    app: &App,
    root: &str,
    tenant: &TenantId,
    page: &str,
    who: &SignedIn,
) -> anyhow::Result<String> {
    let link = app.subjects.direct_link(who, LIFE).await?;
    Ok(format!("{root}/{tenant}/{page}/confirm?token={}", link.token.expose()))
}

async fn person(app: &App, tenant: &TenantId) -> anyhow::Result<Owner> {
    let email: Email = PERSON.parse()?;
    if let Some(owner) = app.subjects.find(tenant, &email).await? {
        return Ok(owner);
    }
    let account = NewAccount { email, name: "A person".to_owned(), username: "person".to_owned() };
    let owner = app.subjects.open(tenant, account).await?;
    app.credits.grant(&owner, CREDITS, "welcome").await?;
    Ok(owner)
}

async fn staff(app: &App, tenant: &TenantId) -> anyhow::Result<SignedIn> {
    let email: Email = STAFF.parse()?;
    if let Some(known) = app.subjects.staff_by_email(tenant, &email).await? {
        return Ok(SignedIn::Staff(known));
    }
    Ok(SignedIn::Staff(app.subjects.hire(tenant, &email, Role::Compliance).await?))
}

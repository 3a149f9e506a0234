//! Staff, for what only words describe: somebody reads it at the desk, and does it.

use chrono::TimeDelta;

use super::case::Case;
use super::town::TENANT;
use super::visitor::Visitor;
use crate::edge::Edge;
use crate::policy::Role;
use crate::requests::Request;
use crate::subjects::SignedIn;

/// Corrects a name as its person asked in words.
pub(super) async fn correct(case: &Case<'_>, request: &Request) -> anyhow::Result<()> {
    let mut clerk = clerk(case).await?;
    let page = format!("/{TENANT}/desk/requests/{}", request.reference);
    let read = format!("{page}?read=yes");
    let why = [("reason", "to carry out the correction that was asked for")];
    let let_in = clerk.send(&page, &format!("{page}/read"), &why).await?;
    anyhow::ensure!(let_in.status.is_redirection(), "the desk does not let read: {}", let_in.status);
    let (old, new) = (case.who.word.as_str(), case.new_name());
    let shown = clerk.get(&read).await?;
    anyhow::ensure!(shown.text().contains(&new), "the desk does not show what was written: {}", shown.status);
    let fields = [("field", "name"), ("old", old), ("new", new.as_str())];
    let done = clerk.send(&page, &format!("{page}/correct"), &fields).await?;
    anyhow::ensure!(done.status.is_redirection(), "the desk does not correct: {}", done.status);
    Ok(())
}

/// Somebody who was taken on, at the desk.
async fn clerk(case: &Case<'_>) -> anyhow::Result<Visitor> {
    let subjects = &case.app().subjects;
    let address = format!("clerk{}@staff.example", case.town.step).parse()?;
    let member = SignedIn::Staff(subjects.hire(case.tenant(), &address, Role::Compliance).await?);
    let link = subjects.direct_link(&member, TimeDelta::minutes(1)).await?;
    let redeemed = subjects.redeem(case.tenant(), link.token.expose(), None).await?;
    let name = Edge::new(case.app().clone()).await?.desk_cookie();
    Ok(Visitor::new(case.routes).with_cookie(name, redeemed.cookie.expose()))
}

//! Erasing an account: what goes and what stays, then the proof, which whoever was erased can still read.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;

use super::account::forget;
use super::requests::prove;
use crate::base::{PageSize, RequestId};
use crate::edge::Fault;
use crate::keystore::EPOCH_LASTS;
use crate::ledger::Logged;
use crate::policy::{Processor, Right};
use crate::requests::{Ask, Erasure, ErasureProofs, Request, State};
use crate::speech::{Tongue, key};
use crate::web::form::Filled;
use crate::web::page::{Answer, Person, Visit, again, html, id, not_found, see};
use crate::web::shape::account::mistake;
use crate::web::shape::ask::filing;
use crate::web::shape::entries::{file_name, receipt_href, seal};
use crate::web::shape::privacy::{goes_with_account, images};
use crate::web::shape::requests::{open_copies, recipient, staying, staying_elsewhere, would_stay};
use crate::web::view::{Erase, Erased, Fact, Mistakes, StepProof};

/// `GET /privacy/erase`
pub(crate) async fn ask(person: Person) -> Answer {
    html(&page(&person, Mistakes::default()).await?)
}

async fn page(person: &Person, mistakes: Mistakes) -> Result<Erase, Fault> {
    let app = &person.edge.app;
    let found = app.requests.holdings(&person.owner).await?;
    let sent = app.disclosures.of(&person.owner).await?;
    let there = |p: &&Processor| sent.iter().any(|d| d.processor == p.id && d.deleted_at.is_none());
    let copies = person.policy.processors().filter(there);
    let requests = app.requests.list(&person.owner, None, PageSize::default()).await?;
    let answers_with_data =
        |r: &&Request| matches!(r.right, Right::Access | Right::Portability) && r.state.is_open();
    let tongue = person.tongue();
    // Nothing is erased while their address is new.
    let held = app.subjects.address_held(&person.owner).await?;
    let take_back = app.requests.could_be_taken_back(&person.policy, held).ok();
    let copies = copies.map(|p| {
        tongue.put("The copies at {processor} are deleted as well.").with("processor", &p.name).text()
    });
    Ok(Erase {
        shell: person.shell().await?,
        images: images(&found),
        goes: goes_with_account(tongue, &person.policy, &found),
        elsewhere: copies.collect(),
        stays: app.vault.kept(&person.owner).await?.into_iter().map(|k| would_stay(tongue, k)).collect(),
        take_back: take_back.map(Into::into),
        // An epoch is destroyed when the second after it begins.
        backups_unreadable: take_back.unwrap_or(person.now).plus(EPOCH_LASTS * 2).into(),
        step_up: !person.proved_lately(),
        open_access: requests.items.iter().find(answers_with_data).map(|r| r.reference.clone()),
        mistakes,
    })
}

/// `POST /privacy/erase`
pub(crate) async fn file(person: Person, headers: HeaderMap, form: Filled) -> Answer {
    if form.one("sure") != "yes" {
        let wrong = mistake(
            "sure",
            person.tongue().say("Tick the box, so that we know you have kept what you want to keep."),
        );
        return again(&page(&person, wrong).await?);
    }
    if !person.proved_lately() {
        return prove(&person, &headers, "/privacy/erase").await;
    }
    let at_once = form.one("when") == "now";
    let filing = filing(Ask::Erasure { at_once }, person.actor(), "");
    let filed = person.edge.app.requests.file(&person.owner, filing).await?.request;
    let held = person.edge.app.subjects.address_held(&person.owner).await?.is_some();
    let filed = if at_once && filed.state == State::Grace && !held {
        Box::pin(person.edge.app.requests.waive(&person.owner, filed.id)).await?
    } else {
        filed
    };
    let there = see(&format!("{}/erased/{}", person.root(), filed.id));
    if filed.state == State::Grace {
        return Ok(there);
    }
    leave(&person, &filed, there).await
}

/// After an erasure nobody is signed in. When it could not begin, the person is shown why instead.
async fn leave(person: &Person, filed: &Request, there: Response) -> Answer {
    if person.edge.app.subjects.get(&person.owner).await.is_ok_and(|s| !s.erasing) {
        return Ok(see(&format!("{}/privacy/requests/{}", person.root(), filed.reference)));
    }
    Ok(forget(&person.edge, there))
}

/// `GET /erased/{request}`: for whoever has the request's id. It names nobody.
pub(crate) async fn erased(visit: Visit, Path((_, request)): Path<(String, String)>) -> Answer {
    let request: RequestId = id(&request)?;
    let app = &visit.edge.app;
    let request = app.requests.find(&visit.tenant, request).await?;
    if request.right != Right::Erasure {
        return Err(not_found());
    }
    let erasure = app.requests.erasure_that_answers(&visit.tenant, request.id).await?;
    let receipt = request.receipt.or_else(|| erasure.as_ref().and_then(|e| e.receipt));
    let proof = match receipt {
        Some(receipt) => Some(app.requests.receipt(receipt).await?.1),
        None => None,
    };
    let told = app.elsewhere.of_request(&visit.tenant, request.id).await?;
    let (tongue, policy) = (visit.tongue(), app.vault.policy(&visit.tenant)?);
    let here = erasure.as_ref().and_then(|e| e.stays.as_ref()).map(|s| staying(tongue, s)).into_iter();
    let here = here.chain(erasure.as_ref().and_then(|e| open_copies(tongue, e)));
    let seal = proof.map(|receipt| seal(&receipt, app.ledger.verifier())).transpose()?;
    let proofs = match receipt {
        Some(id) => step_by_step(&visit.root(), &app.requests.erasure_proofs(id).await?),
        None => Vec::new(),
    };
    html(&Erased {
        proofs,
        shell: visit.shell().await?,
        scheduled_for: request.grace_until.filter(|_| request.state == State::Grace).map(Into::into),
        at: erasure.as_ref().and_then(|e| e.verified_at).unwrap_or(request.received_at).into(),
        reference: request.reference.clone(),
        done: erasure.as_ref().is_some_and(|e| e.verified_at.is_some()),
        erased: erasure.as_ref().map(|e| what(tongue, e)).unwrap_or_default(),
        verified: erasure.as_ref().map(|e| places(tongue, e)).unwrap_or_default(),
        stays: here.chain(told.iter().filter_map(|t| staying_elsewhere(tongue, &policy, t))).collect(),
        elsewhere: told.iter().map(|task| recipient(tongue, &policy, task)).collect(),
        seal,
        receipt_href: receipt.map(|id| receipt_href(&visit.root(), id)),
        receipt_file: receipt.map(|id| file_name(&id.to_string())).unwrap_or_default(),
        verifier_key: app.ledger.verifier().to_string(),
    })
}

fn step_by_step(root: &str, proofs: &ErasureProofs) -> Vec<StepProof> {
    let of_tenant = |e: &Logged| format!("{root}/ledger/{}", e.index);
    // The end of an epoch concerns the whole house.
    let of_house = |e: &Logged| format!("/ledger/{}", e.index);
    let step = |says, entry: Option<&Logged>, href: &dyn Fn(&Logged) -> String| StepProof {
        says,
        at: entry.map(|e| e.leaf.at.into()),
        href: entry.map(href),
    };
    vec![
        step(
            key("From here on nothing of yours was read or written."),
            proofs.requested.as_ref(),
            &of_tenant,
        ),
        step(
            key("Your key was destroyed, and nothing opened any more."),
            proofs.unreadable.as_ref(),
            &of_tenant,
        ),
        step(key("A second look found nothing left."), Some(&proofs.completed), &of_tenant),
        step(
            key("With the keys of that time, what old backups held is unreadable too."),
            proofs.beyond_backups.as_ref(),
            &of_house,
        ),
    ]
}

fn fact(name: &str, value: String) -> Fact {
    Fact { name: name.to_owned(), value }
}

fn what(tongue: Tongue, erasure: &Erasure) -> Vec<Fact> {
    let count = |n: i64| tongue.number(u64::try_from(n).unwrap_or(0));
    let mut facts = vec![
        fact(tongue.say("Pictures"), count(erasure.images)),
        fact(tongue.say("Records"), count(erasure.records)),
    ];
    facts.extend(erasure.destroyed_at.map(|at| fact(tongue.say("Key destroyed"), tongue.time(at))));
    facts.extend(erasure.key.clone().map(|key| fact(tongue.say("Its fingerprint"), key)));
    facts
}

/// The first four are the places where data lie; the tables behind them are told one by one only if something was found.
fn places(tongue: Tongue, erasure: &Erasure) -> Vec<Fact> {
    let found = erasure.looked_through();
    let says = |n: i64| match n {
        0 => tongue.say("nothing found").to_owned(),
        n => tongue.put("{count} found").with("count", n).text(),
    };
    let called = |place: &str| tongue.tell(&place.replace(['_', '-'], " "));
    let (stores, tables) = found.split_at(found.len().min(4));
    let mut facts: Vec<Fact> = stores.iter().map(|(place, left)| fact(&called(place), says(*left))).collect();
    let (clean, rest): (Vec<_>, Vec<_>) = tables.iter().partition(|(_, left)| *left == 0);
    facts.extend(rest.iter().map(|(place, left)| fact(&called(place), says(*left))));
    if !clean.is_empty() {
        let name = if rest.is_empty() { key("every table") } else { key("the other tables") };
        let said = tongue.put("{count} of them, nothing found").with("count", clean.len());
        facts.push(fact(tongue.say(name), said.text()));
    }
    facts
}

//! People who use the service all at once, each with a memory of what was acknowledged and of the one thing that may or
//! may not have been done; and the look, afterwards, at whether it is so.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::Chance;
use super::home::{ISSUER, token};
use super::program::{Calls, Lost, Told};
use crate::support::app::photograph;

const PICTURES: u64 = 4;
const PURPOSE: &str = "improvement";
const GRANTED: i64 = 1000;
const MOST_IMAGES: usize = 10;
/// Things known to be gone that are asked for each time.
const ASKED_AGAIN: usize = 12;

/// The people, and what they know.
pub(super) struct Load {
    key: String,
    pictures: Vec<Picture>,
    pub(super) people: Vec<Person>,
    /// Those whose erasure was acknowledged.
    gone: Vec<Person>,
    next: usize,
    /// What was acknowledged, for the figures.
    pub(super) acknowledged: usize,
}

/// A picture as it is sent, and as it is kept.
struct Picture {
    sent: Bytes,
    kept: Bytes,
}

pub(super) struct Person {
    token: String,
    /// Their images, each with the picture it is of.
    images: BTreeMap<String, usize>,
    /// Images an edit was asked of: they go when it has succeeded.
    lent: BTreeSet<String>,
    gone: Vec<String>,
    edits: BTreeSet<String>,
    consents: bool,
    maybe: Option<Act>,
    calls: usize,
}

/// One kind of thing that the first person is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Upload,
    Delete,
    Edit,
    Consent,
    Erase,
}

/// Something a person does.
#[derive(Debug, Clone)]
enum Act {
    Upload(usize),
    Look(String),
    Delete(String),
    Edit(String),
    Consent(bool),
    Erase,
}

impl Load {
    /// So many people with accounts, over a service that runs and will not be disturbed meanwhile.
    pub(super) async fn new(service: &Calls, key: String, people: usize) -> Self {
        let mut load = Self {
            key,
            pictures: Vec::new(),
            people: Vec::new(),
            gone: Vec::new(),
            next: 0,
            acknowledged: 0,
        };
        for _ in 0..people {
            load.join(service).await;
        }
        for n in 0..PICTURES {
            let sent = Bytes::from(photograph(n));
            load.pictures.push(Picture { sent, kept: Bytes::new() });
            let person = &mut load.people[0];
            person.calls += 1;
            let told =
                person.ask(service, &load.pictures, &Act::Upload(usize::try_from(n).unwrap())).await.unwrap();
            assert_eq!(told.status, 201, "{}", told.text());
            let id = told.json()["id"].as_str().unwrap().to_owned();
            let kept = service.get(&format!("/v1/images/{id}"), &person.token).await.unwrap();
            assert!(kept.status == 200 && !kept.body.is_empty(), "{}", kept.text());
            load.pictures.last_mut().unwrap().kept = kept.body;
            person.images.insert(id, usize::try_from(n).unwrap());
        }
        load
    }

    /// Opens an account for one more.
    async fn join(&mut self, service: &Calls) {
        let login = format!("user-{}", self.next);
        self.next += 1;
        let asked = json!({ "email": format!("{login}@example.org"), "name": login, "username": login,
            "login": { "issuer": ISSUER, "subject": login } });
        let told = service.call("POST", "/v1/accounts", &self.key, |c| c.json(&asked)).await.unwrap();
        assert_eq!(told.status, 201, "{}", told.text());
        let credits = json!({ "subject": told.json()["subject"], "amount": GRANTED, "reason": "gift" });
        let told = service.call("POST", "/v1/credits", &self.key, |c| c.json(&credits)).await.unwrap();
        assert_eq!(told.status, 201, "{}", told.text());
        self.people.push(Person {
            token: token(&login),
            images: BTreeMap::new(),
            lent: BTreeSet::new(),
            gone: Vec::new(),
            edits: BTreeSet::new(),
            consents: false,
            maybe: None,
            calls: 0,
        });
    }

    /// Everybody does what chance tells them, until no answer comes any more. Gives what went wrong before.
    pub(super) async fn run(&mut self, service: &Calls, chance: &Chance, uploads_alone: bool) -> Vec<String> {
        let pictures = &self.pictures;
        let done = join_all(self.people.iter_mut().map(|person| async move {
            let mut acknowledged = 0;
            loop {
                let act = if uploads_alone { Act::Upload(chance.below(4)) } else { person.choose(chance) };
                match person.act(service, pictures, act).await {
                    Ok(None) => acknowledged += 1,
                    Ok(Some(fault)) => return (acknowledged, Some(fault)),
                    Err(Lost) => return (acknowledged, None),
                }
                if person.erasing() {
                    return (acknowledged, None);
                }
            }
        }))
        .await;
        self.acknowledged += done.iter().map(|(n, _)| n).sum::<usize>();
        done.into_iter().filter_map(|(_, fault)| fault).collect()
    }

    /// The first person does one thing. What was told; `None` when no whole answer came.
    pub(super) async fn one(&mut self, service: &Calls, deed: Deed) -> Option<Told> {
        let person = &mut self.people[0];
        let mine = person.images.keys().find(|id| !person.lent.contains(*id)).cloned();
        let act = match (deed, mine) {
            (Deed::Upload, _) => Act::Upload(person.calls % 4),
            (Deed::Delete, Some(id)) => Act::Delete(id),
            (Deed::Edit, Some(id)) => Act::Edit(id),
            (Deed::Consent, _) => Act::Consent(!person.consents),
            (Deed::Erase, _) => Act::Erase,
            (_, None) => panic!("there is no image for it"),
        };
        person.calls += 1;
        person.maybe = Some(act.clone());
        let told = person.ask(service, &self.pictures, &act).await.ok()?;
        match told.status {
            200..300 => {
                self.acknowledged += 1;
                person.learn(&act, Some(&told));
            }
            // Refused: nothing of it may be there.
            _ => person.maybe = None,
        }
        Some(told)
    }

    /// The first person deletes all but one of their images.
    pub(super) async fn tidy(&mut self, service: &Calls) {
        while self.people[0].images.keys().filter(|id| !self.people[0].lent.contains(*id)).count() > 1 {
            assert_eq!(self.one(service, Deed::Delete).await.unwrap().status, 204);
        }
    }

    /// Waits until no edit is under way.
    pub(super) async fn wait_for_edits(&self, service: &Calls) {
        for person in &self.people {
            for id in &person.edits {
                let path = format!("/v1/edits/{id}");
                while matches!(
                    service.get(&path, &person.token).await.unwrap().json()["state"].as_str(),
                    Some("queued" | "running")
                ) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Looks, over a service that was started anew, whether all that was acknowledged is there and nothing else. What may
    /// have been done is asked for once more, with the same key. Gives what is wrong.
    pub(super) async fn look(&mut self, service: &Calls) -> Vec<String> {
        let pictures = &self.pictures;
        let looked = join_all(self.people.iter_mut().map(|person| person.look(service, pictures))).await;
        let mut wrong = looked.concat();
        let (gone, staying): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.people).into_iter().partition(Person::erasing);
        let joining = gone.len();
        self.people = staying;
        self.gone.extend(gone);
        for person in self.gone.iter().rev().take(ASKED_AGAIN) {
            wrong.extend(person.look_for_the_dead(service).await);
        }
        for _ in 0..joining {
            self.join(service).await;
        }
        wrong
    }

    /// Looks, when every edit is over, whether each was made and paid for once.
    pub(super) async fn reckon(&self, service: &Calls) -> Vec<String> {
        let mut wrong = Vec::new();
        for person in &self.people {
            wrong.extend(person.reckon(service).await);
        }
        wrong
    }
}

impl Person {
    fn erasing(&self) -> bool {
        matches!(self.maybe, Some(Act::Erase))
    }

    fn choose(&self, chance: &Chance) -> Act {
        let mine: Vec<_> = self.images.keys().filter(|id| !self.lent.contains(*id)).collect();
        let one = |of: &[&String]| of[chance.below(of.len())].clone();
        match chance.below(100) {
            0..=44 if mine.len() < MOST_IMAGES => Act::Upload(chance.below(4)),
            45..=59 if !mine.is_empty() => Act::Look(one(&mine)),
            60..=74 if !mine.is_empty() => Act::Delete(one(&mine)),
            75..=79 if !mine.is_empty() && self.edits.len() < 40 => Act::Edit(one(&mine)),
            98.. => Act::Erase,
            _ => Act::Consent(!self.consents),
        }
    }

    /// Asks, under a key that makes a second asking the same one.
    async fn ask(&self, service: &Calls, pictures: &[Picture], act: &Act) -> Result<Told, Lost> {
        let (token, once) = (self.token.as_str(), format!("key-{}", self.calls));
        let post = |path: &'static str, body: Value| {
            let once = once.clone();
            service.call("POST", path, token, move |c| c.header("idempotency-key", once).json(&body))
        };
        match act {
            Act::Upload(picture) => {
                let sent = pictures[*picture].sent.clone();
                let call = service.call("POST", "/v1/images", token, |c| {
                    c.header("idempotency-key", once).header("content-type", "image/jpeg").body(sent)
                });
                call.await
            }
            Act::Look(id) => service.get(&format!("/v1/images/{id}"), token).await,
            Act::Delete(id) => service.call("DELETE", &format!("/v1/images/{id}"), token, |c| c).await,
            Act::Edit(id) => post("/v1/edits", json!({ "inputs": [id], "prompt": "warmer" })).await,
            Act::Consent(on) => {
                let on = json!({ "on": on });
                service.call("PUT", &format!("/v1/consents/{PURPOSE}"), token, |c| c.json(&on)).await
            }
            Act::Erase => post("/v1/requests", json!({ "right": "erasure", "at_once": true })).await,
        }
    }

    /// Does something, and remembers what was told. What was told wrongly is given back.
    async fn act(&mut self, service: &Calls, pictures: &[Picture], act: Act) -> Result<Option<String>, Lost> {
        self.calls += 1;
        self.maybe = Some(act.clone());
        let told = self.ask(service, pictures, &act).await?;
        let expected = match act {
            Act::Upload(_) | Act::Edit(_) | Act::Erase => 201,
            Act::Delete(_) => 204,
            Act::Look(_) | Act::Consent(_) => 200,
        };
        if told.status != expected {
            return Ok(Some(format!("{act:?}: {} {}", told.status, told.text())));
        }
        if let Act::Look(id) = &act
            && told.body != pictures[self.images[id]].kept
        {
            return Ok(Some(format!("{id} is another picture")));
        }
        self.learn(&act, Some(&told));
        Ok(None)
    }

    /// Takes down what is so now.
    fn learn(&mut self, act: &Act, told: Option<&Told>) {
        let id =
            told.filter(|t| t.status == 201).and_then(|t| t.json()["id"].as_str().map(ToOwned::to_owned));
        match act {
            Act::Upload(picture) => self.images.extend(id.map(|id| (id, *picture))),
            Act::Delete(gone) => {
                self.images.remove(gone);
                self.gone.push(gone.clone());
            }
            Act::Edit(input) => {
                self.lent.insert(input.clone());
                self.edits.extend(id);
            }
            Act::Consent(on) => self.consents = *on,
            Act::Look(_) | Act::Erase => {}
        }
        // Whoever asked to be erased is, whatever comes.
        if !matches!(act, Act::Erase) {
            self.maybe = None;
        }
    }

    /// Looks at all that is theirs.
    async fn look(&mut self, service: &Calls, pictures: &[Picture]) -> Vec<String> {
        match self.try_to_look(service, pictures).await {
            Ok(wrong) => wrong,
            Err(Lost) => vec!["the service broke off while it was looked at".to_owned()],
        }
    }

    async fn try_to_look(&mut self, service: &Calls, pictures: &[Picture]) -> Result<Vec<String>, Lost> {
        let mut wrong = Vec::new();
        let undecided = self.maybe.clone();
        if let Some(Act::Erase) = undecided {
            // Asked again with the same key, it is done if it was not; refused, it was.
            let told = self.ask(service, pictures, &Act::Erase).await?;
            if !matches!(told.status, 201 | 401 | 404) {
                wrong.push(format!("an erasure asked for again: {} {}", told.status, told.text()));
            }
            return Ok(wrong);
        }
        let listed = self.listed(service, "/v1/images?category=input-image&limit=200").await?;
        let unknown: Vec<_> = listed.iter().filter(|id| !self.images.contains_key(*id)).cloned().collect();
        if let Some(act) = undecided {
            wrong.extend(self.decide(service, pictures, &act, &unknown).await?);
        } else if !unknown.is_empty() {
            wrong.push(format!("images nobody asked for: {unknown:?}"));
        }
        for (id, picture) in self.images.iter().filter(|(id, _)| !self.lent.contains(*id)) {
            let told = service.get(&format!("/v1/images/{id}"), &self.token).await?;
            if told.status != 200 {
                wrong.push(format!("{id} is lost: {} {}", told.status, told.text()));
            } else if told.body != pictures[*picture].kept {
                wrong.push(format!("{id} is another picture"));
            }
        }
        for id in self.gone.iter().rev().take(ASKED_AGAIN) {
            let told = service.get(&format!("/v1/images/{id}"), &self.token).await?;
            if told.status != 404 {
                wrong.push(format!("{id} was deleted and is there: {}", told.status));
            }
        }
        if self.consents != self.consented(service).await? {
            wrong.push(format!("the last word on {PURPOSE} is not {}", self.consents));
        }
        let edits = self.listed(service, "/v1/edits?limit=200").await?;
        let missing: Vec<_> = self.edits.iter().filter(|id| !edits.contains(*id)).collect();
        let more: Vec<_> = edits.iter().filter(|id| !self.edits.contains(*id)).collect();
        if !missing.is_empty() || !more.is_empty() {
            wrong.push(format!("edits that are lost: {missing:?}; that nobody asked for: {more:?}"));
        }
        Ok(wrong)
    }

    /// Finds out whether something was done that nobody was told of, and has it done if not: once in all.
    async fn decide(
        &mut self,
        service: &Calls,
        pictures: &[Picture],
        act: &Act,
        unknown: &[String],
    ) -> Result<Vec<String>, Lost> {
        let mut wrong = Vec::new();
        let most = usize::from(matches!(act, Act::Upload(_)));
        if unknown.len() > most {
            wrong.push(format!("{act:?} came to {unknown:?}"));
        }
        match act {
            Act::Upload(picture) => {
                let told = self.ask(service, pictures, act).await?;
                let id = told.json()["id"].as_str().map(ToOwned::to_owned);
                match (told.status, id, unknown.first()) {
                    // It was done, and the first answer says so again; or it was not, and is now.
                    (201, Some(id), known) if known.is_none_or(|known| *known == id) => {
                        self.images.insert(id, *picture);
                    }
                    (status, id, known) => wrong.push(format!("one upload, {known:?} and {id:?} ({status})")),
                }
            }
            Act::Edit(input) => {
                let told = self.ask(service, pictures, act).await?;
                let edits = self.listed(service, "/v1/edits?limit=200").await?;
                let new: Vec<_> = edits.into_iter().filter(|id| !self.edits.contains(id)).collect();
                // It was done, and the first answer says so again; or it was not, and is now.
                let id = told.json()["id"].as_str().map(ToOwned::to_owned);
                if told.status != 201 || new.len() != 1 || new.first() != id.as_ref() {
                    wrong.push(format!("one edit, {new:?} and {id:?} ({})", told.status));
                }
                if !new.is_empty() {
                    self.lent.insert(input.clone());
                }
                self.edits.extend(new);
            }
            Act::Delete(_) => {
                let told = self.ask(service, pictures, act).await?;
                if !matches!(told.status, 204 | 404) {
                    wrong.push(format!("{act:?} again: {} {}", told.status, told.text()));
                }
                self.learn(act, None);
            }
            Act::Consent(_) => self.consents = self.consented(service).await?,
            Act::Look(_) | Act::Erase => {}
        }
        self.maybe = None;
        Ok(wrong)
    }

    async fn listed(&self, service: &Calls, path: &str) -> Result<Vec<String>, Lost> {
        let told = service.get(path, &self.token).await?;
        let Some(rows) = told.json()["items"].as_array().cloned() else { return Ok(vec![told.text()]) };
        Ok(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect())
    }

    async fn consented(&self, service: &Calls) -> Result<bool, Lost> {
        let told = service.get("/v1/consents", &self.token).await?.json();
        let choice = told["items"].as_array().and_then(|all| all.iter().find(|c| c["purpose"] == PURPOSE));
        Ok(choice.is_some_and(|c| c["on"] == true))
    }

    /// Somebody who was erased has nothing.
    async fn look_for_the_dead(&self, service: &Calls) -> Option<String> {
        let account = service.get("/v1/account", &self.token).await.ok()?;
        let mut there = usize::from(account.status == 200);
        for id in self.images.keys().chain(&self.gone).take(ASKED_AGAIN) {
            let told = service.get(&format!("/v1/images/{id}"), &self.token).await.ok()?;
            there += usize::from(told.status == 200);
        }
        (there > 0)
            .then(|| format!("{there} things of somebody who was erased are there: {}", account.text()))
    }

    async fn reckon(&self, service: &Calls) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut spent = 0;
        for id in &self.edits {
            let told = service.get(&format!("/v1/edits/{id}"), &self.token).await.unwrap().json();
            if told["state"] != "succeeded" {
                wrong.push(format!("an edit that was acknowledged is not made: {told}"));
                continue;
            }
            spent += told["cost"].as_i64().unwrap();
            let output = format!("/v1/images/{}", told["output"].as_str().unwrap_or_default());
            let result = service.get(&output, &self.token).await.unwrap();
            if result.status != 200 || result.body.is_empty() {
                wrong.push(format!("the result of an edit is lost: {}", result.text()));
            }
        }
        let credits = service.get("/v1/credits", &self.token).await.unwrap().json();
        if credits["balance"] != GRANTED - spent {
            wrong.push(format!("{spent} credits were spent, and the balance is {}", credits["balance"]));
        }
        wrong
    }
}

//! The gallery and its pictures.

use axum::extract::{Path, Query};
use serde::Deserialize;

use crate::base::{EditId, ObjectId, Page, PageSize};
use crate::edge::Fault;
use crate::editing::{Edit, PURPOSE};
use crate::ledger::{EntryKind, Filter};
use crate::speech::key;
use crate::vault::{Access, Record, StoredObject};
use crate::web::form::Filled;
use crate::web::page::{Answer, Done, Person, html, id, see_done};
use crate::web::shape::pictures::{called, file_name, goes, is_running, metadata, prompt, tile};
use crate::web::shape::privacy::is_of;
use crate::web::view::{Count, Gallery, ImageDelete, ImagePage, Running, Size, Tile};

/// Pictures on a page.
const ON_A_PAGE: u32 = 24;

/// Which page of the gallery.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    before: Option<String>,
}

/// `GET /images`
pub(crate) async fn gallery(person: Person, Query(place): Query<Place>) -> Answer {
    let app = &person.edge.app;
    let before = place.before.as_deref();
    let page = newest(&person, "output-image", before, ON_A_PAGE).await?;
    let root = person.root();
    let older = page.next.map(|next| format!("{root}/images?before={next}"));
    let size = (older.is_none() && before.is_none())
        .then(|| Size(page.items.iter().map(|object| object.meta.len).sum()));
    let going =
        if before.is_none() { newest(&person, "input-image", None, ON_A_PAGE).await?.items } else { vec![] };
    let holdings = app.vault.holdings(&person.owner).await?;
    let count = holdings.iter().find(|h| h.category == "output-image").map_or(0, |h| h.images);
    html(&Gallery {
        shell: person.shell().await?,
        count: Count(u64::try_from(count).unwrap_or(0)),
        size,
        images: tiles(&person, &page.items).await?,
        going: tiles(&person, &going).await?,
        running: running(&person).await?,
        older_href: older,
        newer_href: before.is_some().then(|| format!("{root}/images")),
        inactive_until: None,
    })
}

async fn newest(
    person: &Person,
    category: &str,
    before: Option<&str>,
    most: u32,
) -> Result<Page<StoredObject>, Fault> {
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    let from = (before, PageSize::new(most).unwrap_or_default());
    Ok(person.edge.app.vault.newest_objects(&person.owner, &access, category, from).await?)
}

async fn tiles(person: &Person, objects: &[StoredObject]) -> Result<Vec<Tile>, Fault> {
    let mut tiles = Vec::with_capacity(objects.len());
    for object in objects {
        let words = called(person.tongue(), &belongings(person, object.item.parent.as_deref()).await?);
        tiles.push(tile(person.tongue(), object, &words, person.now));
    }
    Ok(tiles)
}

/// What is kept of the edit that a picture belongs to.
async fn belongings(person: &Person, parent: Option<&str>) -> Result<Vec<Record>, Fault> {
    let Some(parent) = parent else { return Ok(Vec::new()) };
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    Ok(person.edge.app.vault.records_of(&person.owner, &access, parent).await?)
}

async fn running(person: &Person) -> Result<Vec<Running>, Fault> {
    let edits = person.edge.app.editing.list(&person.owner, None, PageSize::default()).await?;
    let mut running = Vec::new();
    for edit in edits.items.iter().filter(|e| is_running(e)) {
        let records = belongings(person, Some(&edit.id.to_string())).await?;
        let step = if edit.started_at.is_some() { key("Being made") } else { key("Waiting for its turn") };
        running.push(Running {
            id: edit.id.to_string(),
            caption: called(person.tongue(), &records),
            step: person.tongue().say(step).to_owned(),
            since: edit.created_at.into(),
        });
    }
    Ok(running)
}

/// One picture of the person, by the id in an address.
pub(super) async fn picture(person: &Person, object: &str) -> Result<(StoredObject, Vec<Record>), Fault> {
    let object: ObjectId = id(object)?;
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    let object = person.edge.app.vault.object(&person.owner, &access, object).await?;
    let records = belongings(person, object.item.parent.as_deref()).await?;
    Ok((object, records))
}

/// `GET /images/{id}`
pub(crate) async fn image(person: Person, Path((_, object)): Path<(String, String)>) -> Answer {
    let (object, records) = picture(&person, &object).await?;
    let edit = edit_of(&person, &object).await;
    let (previous, next) = neighbours(&person, &object).await?;
    let (tongue, policy) = (person.tongue(), &person.policy);
    let clause = policy.category(&object.category).and_then(|c| policy.clause(&c.clause));
    let upload = object.category == "input-image";
    html(&ImagePage {
        shell: person.shell().await?,
        tile: tile(tongue, &object, &called(tongue, &records), person.now),
        title: tongue
            .say(if upload { key("A photograph you uploaded") } else { key("An edited picture") })
            .to_owned(),
        file_name: file_name(&object),
        size: Size(object.meta.len),
        prompt: prompt(&records),
        metadata: metadata(tongue, &object, edit.as_ref(), &records),
        why: goes(tongue, policy, &object.category),
        clause: clause.map(|c| c.title.clone()).unwrap_or_default(),
        clause_id: clause.map(|c| c.id.clone()).unwrap_or_default(),
        staff_reads: staff_reads(&person, &object.category).await?,
        previous,
        next,
    })
}

async fn edit_of(person: &Person, object: &StoredObject) -> Option<Edit> {
    let edit: EditId = object.item.parent.as_deref()?.parse().ok()?;
    person.edge.app.editing.get(&person.owner, edit).await.ok()
}

async fn neighbours(
    person: &Person,
    object: &StoredObject,
) -> Result<(Option<String>, Option<String>), Fault> {
    let here = object.id.to_string();
    let actor = person.actor();
    let access = Access { actor: &actor, purpose: PURPOSE };
    let one = PageSize::new(1).unwrap_or_default();
    let from = (Some(here.as_str()), one);
    let vault = &person.edge.app.vault;
    let newer = vault.objects(&person.owner, &access, &object.category, from).await?;
    let older = vault.newest_objects(&person.owner, &access, &object.category, from).await?;
    let first = |page: Page<StoredObject>| page.items.first().map(|o| o.id.to_string());
    Ok((first(newer), first(older)))
}

/// How often staff read things of this category of the person.
async fn staff_reads(person: &Person, category: &str) -> Result<Count, Fault> {
    let subject = person.edge.app.vault.subject_ref(&person.owner).await?;
    let filter = Filter { kind: Some(EntryKind::READ_STAFF), subject: Some(subject) };
    let most = PageSize::new(200).unwrap_or_default();
    let page = person.edge.app.ledger.list(&person.tenant, &filter, most, None).await?;
    Ok(Count(page.items.iter().filter(|entry| is_of(entry, category)).count() as u64))
}

/// `GET /images/{id}/delete`: asks first.
pub(crate) async fn ask_delete(person: Person, Path((_, object)): Path<(String, String)>) -> Answer {
    let (object, records) = picture(&person, &object).await?;
    let tongue = person.tongue();
    let mut goes = vec![tongue.say("the picture itself, and what we hold of its format and size").to_owned()];
    if object.category == "output-image" {
        let says = tongue.say("the words and settings that made it, and the record of its edit");
        goes.push(says.to_owned());
    }
    let stays = tongue.say("That credits were spent, because the count is part of our contract with you.");
    html(&ImageDelete {
        shell: person.shell().await?,
        tile: tile(tongue, &object, &called(tongue, &records), person.now),
        goes,
        stays: vec![stays.to_owned()],
        blocked: None,
    })
}

/// `POST /images/{id}/delete`
pub(crate) async fn delete(
    person: Person,
    Path((_, object)): Path<(String, String)>,
    _form: Filled,
) -> Answer {
    let (object, _) = picture(&person, &object).await?;
    let (app, actor) = (&person.edge.app, person.actor());
    app.vault.erase_belongings(&person.owner, &object.id.to_string(), actor.role()).await?;
    match edit_of(&person, &object).await.filter(|e| e.output == Some(object.id) && e.more_outputs.is_empty())
    {
        Some(edit) => app.editing.delete(&person.owner, edit.id, &actor).await?,
        None => app.vault.erase_object(&person.owner, object.id, actor.role()).await?,
    }
    Ok(see_done(&format!("{}/images", person.root()), Done::PictureDeleted))
}

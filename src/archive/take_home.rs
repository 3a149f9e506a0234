//! Turns what is held of a person into the files of an archive.

use std::collections::BTreeSet;

use serde::Serialize;

use super::documents::{Answer, Consents, Held, Images, Picture, Reads, Records};
use super::manifest::{MANIFEST, SIGNATURE};
use super::model::{Body, Contents, Facts, File, Head, Retention};
use super::names::{self, Names};
use super::person::{Category, Image, TakeHome};
use super::table::{cell, table_csv};
use super::{Error, gap, json, page};
use crate::base::Timestamp;
use crate::crypto::sha256;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

impl TakeHome {
    /// The files: the page to read first, the answer, the data of each category as JSON and CSV, consents, readings,
    /// attachments, checksums, and the images last.
    pub fn contents(self) -> Result<Contents, Error> {
        let mut names = Names::default();
        // Taken first, so that no attachment gets them.
        let [_, _, page_path, sums_path] =
            [MANIFEST, SIGNATURE, "index.html", "checksums.sha256"].map(|own| names.take(own));
        let answer = Answer::of(&self);
        let images = images(&self, &mut names);
        let pictures: Vec<Picture> = images.iter().map(|(p, _)| p.clone()).collect();

        let mut files = vec![document(&mut names, "answer.json", "The answer of Article 15", &answer)?];
        for category in self.categories.iter().filter(|c| !c.records.is_empty()) {
            data(category, &mut names, &mut files)?;
        }
        tables(&self, &listed(&images), &mut names, &mut files)?;
        files.extend(self.attachments.iter().map(|f| File { path: names.take(&f.path), ..f.clone() }));
        let listed: Vec<(String, String)> = files.iter().map(|f| (f.path.clone(), f.title.clone())).collect();
        let index = page::render(&self, &answer, &pictures, &listed)?;
        files.insert(0, memory(page_path, "Everything, to read in a browser", "text/html", index));
        files.extend(images.into_iter().map(|(_, file)| file));
        let sums = checksums(&files);
        files.push(memory(sums_path, "For sha256sum -c", "text/plain", sums));
        Ok(Contents { head: self.head, files })
    }
}

/// `images.json`: a picture that could not be read is listed apart from those that are here.
fn listed(images: &[(Picture, File)]) -> Images {
    let of = |gaps: bool| {
        let those = images.iter().filter(|(_, file)| matches!(file.body, Body::Gap(_)) == gaps);
        those.map(|(picture, _)| picture.clone()).collect()
    };
    Images { schema: "vouchsafe/archive-images/1".to_owned(), images: of(false), missing: of(true) }
}

/// Every image with its file, in the order of the gallery.
fn images(home: &TakeHome, names: &mut Names) -> Vec<(Picture, File)> {
    let mut out = Vec::new();
    for category in &home.categories {
        for image in &category.images {
            let name = if image.missing { gap_name(image) } else { image_name(image) };
            let path = names.take(&format!("images/{}/{name}", names::part(&category.id)));
            let picture = Picture {
                path: path.clone(),
                id: image.stored.object.to_string(),
                category: category.id.clone(),
                media_type: image.media_type.clone(),
                bytes: image.stored.len,
                sha256: hex::encode(image.stored.sha256),
                width: image.size.map(|s| s.0),
                height: image.size.map(|s| s.1),
                at: image.at,
                ends: image.ends,
                original_name: image.original_name.as_deref().map(names::shown),
                caption: image.caption.clone(),
            };
            let (title, media_type, body) = if image.missing {
                let note = gap::note(&home.head, image);
                (format!("{}: could not be read", image.alt), "text/plain", Body::Gap(note.into()))
            } else {
                (image.alt.clone(), image.media_type.as_str(), Body::Stored(image.stored))
            };
            let file = File {
                path,
                title,
                media_type: media_type.to_owned(),
                facts: Some(facts(category, image.ends)),
                original_name: image.original_name.clone(),
                body,
            };
            out.push((picture, file));
        }
    }
    out
}

/// `2026-05-05-holiday-in-rome.jpg`: the day, what the person called it, and the extension of what it is.
fn image_name(image: &Image) -> String {
    let extension = match image.media_type.as_str() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        _ => "bin",
    };
    format!("{}-{}.{extension}", day(image), stem(image))
}

/// `2026-05-05-missing-holiday-in-rome.txt`: the note in the place of one that could not be read.
fn gap_name(image: &Image) -> String {
    format!("{}-missing-{}.txt", day(image), stem(image))
}

fn day(image: &Image) -> String {
    image.at.to_utc().format("%Y-%m-%d").to_string()
}

/// What the person called it, without the extension, fit for a path.
fn stem(image: &Image) -> String {
    let stem =
        image.original_name.as_deref().map_or("image", |n| n.rsplit_once('.').map_or(n, |(stem, _)| stem));
    // The stem's own dots are not to be taken for an extension.
    names::part(&stem.replace('.', "-"))
}

fn facts(category: &Category, ends: Option<Timestamp>) -> Facts {
    Facts {
        category: category.id.clone(),
        provenance: category.provenance,
        basis: category.basis.clone(),
        retention: Retention { ends, rule: category.rule.clone() },
    }
}

/// The records of one category, as JSON and as CSV.
fn data(category: &Category, names: &mut Names, files: &mut Vec<File>) -> Result<(), Error> {
    let held = Held::of(category);
    let facts = Some(facts(category, held.retention.ends));
    let name = format!("data/{}", names::part(&category.id));
    let records = Records {
        schema: "vouchsafe/archive-records/1".to_owned(),
        category: held,
        records: category.records.clone(),
    };
    let file = document(names, &format!("{name}.json"), &category.title, &records)?;
    files.push(File { facts: facts.clone(), ..file });

    let columns = columns(category);
    let headers: Vec<&str> = ["id", "at", "ends"].into_iter().chain(columns.iter().copied()).collect();
    let rows = category.records.iter().map(|r| {
        let fixed = [r.id.clone(), r.at.rfc3339(), r.ends.map(Timestamp::rfc3339).unwrap_or_default()];
        let rest = columns.iter().map(|c| r.values.get(*c).map(cell).unwrap_or_default());
        fixed.into_iter().chain(rest).collect::<Vec<String>>()
    });
    let table = table_csv(&headers, rows);
    files.push(File { facts, ..memory(names.take(&format!("{name}.csv")), &category.title, CSV, table) });
    Ok(())
}

/// The names of all fields that any record of the category has, in alphabetical order.
pub(super) fn columns(category: &Category) -> Vec<&str> {
    let all: BTreeSet<&str> =
        category.records.iter().flat_map(|r| r.values.keys().map(String::as_str)).collect();
    all.into_iter().collect()
}

/// What is the same for everyone: the lists of images, consents and readings.
fn tables(home: &TakeHome, images: &Images, names: &mut Names, files: &mut Vec<File>) -> Result<(), Error> {
    files.push(document(names, "images.json", "Your images, with where each lies", images)?);
    let reads = Reads { schema: "vouchsafe/archive-reads/1".to_owned(), reads: home.reads.clone() };
    files.push(document(names, "reads.json", "Who read your data", &reads)?);
    let consents =
        Consents { schema: "vouchsafe/archive-consents/1".to_owned(), consents: home.consents.clone() };
    files.push(document(names, "consents.json", "What you allowed, refused and took back", &consents)?);
    let rows = home.consents.iter().map(|c| {
        [&c.purpose, &c.title, &c.state, &c.at.rfc3339(), &c.method, &c.policy_version].map(Clone::clone)
    });
    let table = table_csv(&["purpose", "title", "state", "at", "method", "policy_version"], rows);
    files.push(memory(names.take("consents.csv"), "What you allowed, refused and took back", CSV, table));
    Ok(())
}

/// For `sha256sum -c`: every file before it.
fn checksums(files: &[File]) -> Vec<u8> {
    let mut out = String::new();
    for file in files {
        let hash = match &file.body {
            Body::Bytes(bytes) | Body::Gap(bytes) => sha256(bytes),
            Body::Stored(stored) => stored.sha256,
        };
        out.extend([hex::encode(hash).as_str(), "  ", &file.path, "\n"]);
    }
    out.into_bytes()
}

fn document<T: Serialize>(names: &mut Names, path: &str, title: &str, value: &T) -> Result<File, Error> {
    let bytes = json::write(value).map_err(|_| Error::Unwritable("a JSON file"))?;
    Ok(memory(names.take(path), title, JSON, bytes))
}

fn memory(path: String, title: &str, media_type: &str, bytes: Vec<u8>) -> File {
    File {
        path,
        title: title.to_owned(),
        media_type: media_type.to_owned(),
        facts: None,
        original_name: None,
        body: Body::Bytes(bytes.into()),
    }
}

/// The name of the whole archive, for whoever offers it.
impl Head {
    /// `flux-kontext-your-data-2026-05-05.zip`.
    pub fn file_name(&self) -> String {
        format!("{}-your-data-{}.zip", self.tenant, self.made_at.to_utc().format("%Y-%m-%d"))
    }
}

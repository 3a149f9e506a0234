//! A person's own place: their pictures, and the making of a new one.

use askama::Template;

use super::{Count, Fact, Mark, Mistakes, Moment, Shell, Size, State, Viewer};

/// The gallery.
#[derive(Template, Debug, Clone)]
#[template(path = "person/gallery.html", config = "src/web/askama.toml")]
pub struct Gallery {
    /// What every page is given.
    pub shell: Shell,
    /// How many finished pictures there are in all.
    pub count: Count,
    /// How much room they take, when all of them are on this page.
    pub size: Option<Size>,
    /// The pictures of this page, newest first.
    pub images: Vec<Tile>,
    /// Uploads that are still here and will go by themselves.
    pub going: Vec<Tile>,
    /// Edits under way.
    pub running: Vec<Running>,
    /// The page of older pictures.
    pub older_href: Option<String>,
    /// The page of newer pictures.
    pub newer_href: Option<String>,
    /// When the account was told it would be cleaned up for being unused, if it was.
    pub inactive_until: Option<Moment>,
}

/// A picture in the grid.
#[derive(Debug, Clone)]
pub struct Tile {
    /// The object's id; its pages are below `/images/`.
    pub id: String,
    /// What is on it, for those who do not see it: `Edited picture of 5 May 2026: make the sky warmer`.
    pub alt: String,
    /// One line below it: the words that made it, or the file's kind.
    pub caption: String,
    /// When it was made.
    pub made: Moment,
    /// Pixels across and down, so that nothing jumps while loading.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// How long it stays.
    pub age: Age,
}

/// How long a picture stays.
#[derive(Debug, Clone)]
pub enum Age {
    /// Until its owner deletes it or closes the account.
    UntilDeleted,
    /// It goes at this time.
    Goes(Moment),
    /// Its time is over and it is being erased now.
    Going,
    /// A legal hold keeps it.
    Held,
}

/// An edit that has not ended.
#[derive(Debug, Clone)]
pub struct Running {
    /// The edit's id.
    pub id: String,
    /// The words that were asked for.
    pub caption: String,
    /// The step it is at: `Waiting for the model`.
    pub step: String,
    /// When it was asked for.
    pub since: Moment,
}

/// The form that asks for a picture and what to do with it.
#[derive(Template, Debug, Clone)]
#[template(path = "person/edit-form.html", config = "src/web/askama.toml")]
pub struct EditForm {
    /// What every page is given.
    pub shell: Shell,
    /// A picture already here that is to be edited again, if one was chosen.
    pub source: Option<Tile>,
    /// The words typed before.
    pub prompt: String,
    /// The models on offer.
    pub models: Vec<ModelChoice>,
    /// The styles on offer.
    pub styles: Vec<Choice>,
    /// The shapes on offer.
    pub shapes: Vec<Choice>,
    /// Credits left.
    pub credits: Count,
    /// The most bytes an upload may have.
    pub most_bytes: Size,
    /// The most pixels, in words: `40 megapixels`.
    pub most_pixels: String,
    /// Who does the work, as the policy names them: `FAL.AI`, or `studio, on this machine`.
    pub processor: String,
    /// Whether that processor is in this house, so that nothing leaves it.
    pub stays_here: bool,
    /// The longest an upload stays: `48 hours`.
    pub input_at_most: String,
    /// Why nothing can be edited now, if so: a restriction in force, no credits.
    pub blocked: Option<String>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// A model a person may choose.
#[derive(Debug, Clone)]
pub struct ModelChoice {
    /// Its id: `pro`, `max`.
    pub id: String,
    /// Its name: `Kontext Pro`.
    pub name: String,
    /// What it is good for, in a sentence.
    pub good_for: String,
    /// What it costs in credits.
    pub credits: Count,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// One of several options.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its value.
    pub value: String,
    /// Its words.
    pub says: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// An edit under way, or ended. Reloads by itself without script; with it, follows the event stream at
/// `/edits/{id}/events`: `progress` with `{"steps":[{"state":"done"|"now"|"ahead","says":"…"}]}`, then `ended`.
#[derive(Template, Debug, Clone)]
#[template(path = "person/edit-progress.html", config = "src/web/askama.toml")]
pub struct EditProgress {
    /// What every page is given.
    pub shell: Shell,
    /// The edit's id.
    pub id: String,
    /// The words that were asked for.
    pub prompt: String,
    /// The model's name.
    pub model: String,
    /// When it was asked for.
    pub since: Moment,
    /// Where it stands.
    pub stage: Stage,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The finished pictures: several when variations were asked for.
    pub results: Vec<Tile>,
    /// What was done with the upload, as a sentence; `None` while it is still needed.
    pub input_gone: Option<String>,
}

/// Where an edit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It ended without a picture; the sentence says why and what it means for credits.
    Failed(String),
    /// The person stopped it.
    Cancelled,
}

/// A step of a timeline.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is, in words.
    pub says: String,
    /// When it was reached; `None` if not yet.
    pub at: Option<Moment>,
    /// Whether it is the one that goes on now.
    pub now: bool,
    /// More about it, if there is more.
    pub note: String,
}

/// One picture.
#[derive(Template, Debug, Clone)]
#[template(path = "person/image.html", config = "src/web/askama.toml")]
pub struct ImagePage {
    /// What every page is given.
    pub shell: Shell,
    /// The picture.
    pub tile: Tile,
    /// What kind it is: `An edited picture`, `A picture you uploaded`.
    pub title: String,
    /// The name of the file one downloads.
    pub file_name: String,
    /// Its size.
    pub size: Size,
    /// The words that made it.
    pub prompt: String,
    /// What is kept beside it, each with its name.
    pub metadata: Vec<Fact>,
    /// Why it is here: the rule in a sentence.
    pub why: String,
    /// The clause of the policy that says so: its heading.
    pub clause: String,
    /// The clause's id on the policy page.
    pub clause_id: String,
    /// Who else has read it: nobody, or a count with a link to the list.
    pub staff_reads: Count,
    /// The picture before and after this one in the gallery.
    pub previous: Option<String>,
    /// The next one.
    pub next: Option<String>,
}

/// The page that asks before one picture is deleted.
#[derive(Template, Debug, Clone)]
#[template(path = "person/image-delete.html", config = "src/web/askama.toml")]
pub struct ImageDelete {
    /// What every page is given.
    pub shell: Shell,
    /// The picture.
    pub tile: Tile,
    /// What goes, each a few words.
    pub goes: Vec<String>,
    /// What stays, and why, each a sentence.
    pub stays: Vec<String>,
    /// What is in the way, if a legal hold or a request keeps it: the sentence.
    pub blocked: Option<String>,
}

impl Gallery {
    /// Whether there is nothing at all to show.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.going.is_empty() && self.running.is_empty()
    }
}

impl Step {
    /// The shape beside it: done, going on, or yet to come.
    pub fn state(&self) -> State {
        if self.at.is_some() { State::Kept } else { State::Waiting }
    }
}

//! Moving from one seal to another while the service runs. An epoch file may be wrapped by two seals at once, and any
//! process that has either opens it; so each file is first wrapped by both, then read back and tried with the new one
//! alone, and only when all of them have passed is the old wrapping taken away. Cut short anywhere, every file still
//! opens, and the same command goes on.

use super::epoch_file::{self, EpochFile};
use super::lead::Lead;
use super::{Error, Keystore, Seal, SealKind};

/// What moving to another seal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The seals that wrapped the epochs before.
    pub from: Vec<String>,
    /// The one that wraps them now.
    pub to: String,
    /// How many epochs were wrapped anew.
    pub epochs: usize,
}

impl Keystore {
    /// Wraps every epoch key by the configured seal of this sort, and by no other. When it is the one in use already,
    /// by the newest version of its key. Item keys, subject keys and everything sealed under them stay as they are.
    pub async fn move_seal(&self, to: SealKind) -> Result<Moved, Error> {
        let seal = self.epochs.seals().of_kind(to)?.clone();
        seal.look().await.map_err(|fault| Error::Seal { seal: seal.id().to_owned(), fault })?;
        let lead = self.lead().await?;
        let moved = self.move_led(&lead, &seal).await;
        lead.release().await?;
        moved
    }

    async fn move_led(&self, lead: &Lead<'_>, to: &Seal) -> Result<Moved, Error> {
        let (files, _) = epoch_file::read_folder(self.epochs.folder())?;
        let mut from: Vec<String> = Vec::new();
        for file in &files {
            from.extend(file.seals().into_iter().filter(|id| *id != to.id()).map(str::to_owned));
            if file.known_by.is_none() {
                from.push("a seal without a name".to_owned());
            }
            lead.still().await?;
            self.wrap_by_both(file, to).await?;
        }
        self.verify(&files, to).await?;
        let (wrapped, _) = epoch_file::read_folder(self.epochs.folder())?;
        for mut file in wrapped {
            if file.wraps.len() == 1 {
                continue;
            }
            lead.still().await?;
            file.wraps.retain(|(id, _)| id.as_deref() == Some(to.id()));
            self.put_in_place(&file)?;
        }
        self.verify(&files, to).await?;
        self.epochs.sweep()?;
        self.epochs.look(self.clock.now()).await?;
        from.sort();
        from.dedup();
        Ok(Moved { from, to: to.id().to_owned(), epochs: files.len() })
    }

    /// Adds the new wrapping beside the old one; one that is there already is renewed.
    async fn wrap_by_both(&self, file: &EpochFile, to: &Seal) -> Result<(), Error> {
        let key = self.epochs.unwrap(file).await?;
        let binding = self.epochs.binding(file.number, file.since);
        let mut next = file.clone();
        next.known_by = Some(key.known_by);
        let there = next.wraps.iter_mut().find(|(id, _)| id.as_deref() == Some(to.id()));
        if let Some((_, wrapped)) = there {
            *wrapped = to.rewrap(wrapped, &binding, &self.entropy).await?;
        } else {
            let wrapped = to.wrap(&key.key, &binding, &self.entropy).await?;
            next.wraps.push((Some(to.id().to_owned()), wrapped));
        }
        // A wrapping without a name is by a key in hand, which every process with the old configuration tries.
        self.put_in_place(&next)
    }

    fn put_in_place(&self, file: &EpochFile) -> Result<(), Error> {
        let known_by = file.known_by.ok_or(Error::Damaged)?;
        let steps = self.epochs.steps();
        epoch_file::replace(self.epochs.folder(), file.number, &file.text(known_by), &self.entropy, &**steps)
            .map_err(Error::Epochs)
    }

    /// Reads every file back and opens it with this seal alone.
    async fn verify(&self, expected: &[EpochFile], by: &Seal) -> Result<(), Error> {
        let (files, _) = epoch_file::read_folder(self.epochs.folder())?;
        if files.len() != expected.len() {
            return Err(Error::Damaged);
        }
        for file in files {
            let wrapped = file.wraps.iter().find(|(id, _)| id.as_deref() == Some(by.id()));
            let (_, wrapped) = wrapped.ok_or(Error::Damaged)?;
            let key = by.unwrap(wrapped, &self.epochs.binding(file.number, file.since)).await?;
            if file.known_by != Some(epoch_file::known_by(file.number, &key)) {
                return Err(Error::Damaged);
            }
        }
        Ok(())
    }
}

//! What a provider sent is a stranger's file. It is decoded and encoded anew, in a process of its own with hard limits, so
//! that nothing which hides in it gets further than that; then it is marked, and the mark is read back.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::editing::landing::Made;
use crate::editing::{Editing, Error};
use crate::imaging::{self, DigitalSourceType, Limits, Refused};

/// How long it may take. A picture that asks for too much is stopped long before, by the child's own limits; what takes this
/// long has not come to its turn, which says nothing of the picture.
const REDRAW_WITHIN: Duration = Duration::from_mins(2);
/// The most bytes that come out.
const MOST: u64 = 64 << 20;
/// The quality of a JPEG that is written anew: above what the eye tells from the original.
const QUALITY: u8 = 95;

const UNUSABLE: Error = Error::BadValue("the picture");

/// Decodes a picture and encodes it anew, in the same container: pixels and nothing else. What the child process does.
pub fn redraw(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let inspected = imaging::inspect(bytes, &Limits::default())?;
    let image = imaging::decode(bytes, &inspected, None)?;
    imaging::encode(&image, inspected.format, QUALITY)
}

impl Editing {
    /// The result that a provider sent, made anew and marked as edited with AI.
    pub(super) async fn made_of(&self, bytes: Bytes) -> Result<Made, Error> {
        let _turn = self.pixels.acquire().await.map_err(|_| crate::store::Error::Unavailable)?;
        let redrawn = match &self.outside.redrawer {
            Some(program) => in_a_child(program, &bytes).await?,
            None => tokio::task::spawn_blocking(move || redraw(&bytes)).await.map_err(|_| UNUSABLE)??,
        };
        let limits = self.limits;
        tokio::task::spawn_blocking(move || marked(&redrawn, &limits)).await.map_err(|_| UNUSABLE)?
    }
}

fn marked(redrawn: &[u8], limits: &Limits) -> Result<Made, Error> {
    let source = DigitalSourceType::CompositeWithTrainedAlgorithmicMedia;
    let bytes = imaging::mark(redrawn, source)?;
    // What is stored must say what it is; a mark that does not read back is none.
    if imaging::read_mark(&bytes) != Some(source) {
        return Err(UNUSABLE);
    }
    let inspected = imaging::inspect(&bytes, limits)?;
    let (width, height) = inspected.upright_size();
    Ok(Made { bytes, format: inspected.format, width, height })
}

async fn in_a_child(program: &Path, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut child = Command::new(program)
        .arg("redraw")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| crate::store::Error::Unavailable)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let work = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A child that refuses stops reading; that is no error of ours.
                let _stopped = stdin.write_all(bytes).await;
            }
        };
        let read = async {
            let mut out = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(MOST + 1).read_to_end(&mut out).await.map_err(|_| UNUSABLE)?;
            }
            Ok::<_, Error>(out)
        };
        let ((), out) = tokio::join!(write, read);
        let status = child.wait().await.map_err(|_| UNUSABLE)?;
        out.map(|out| (out, status.success()))
    };
    match tokio::time::timeout(REDRAW_WITHIN, work).await {
        Ok(Ok((out, true))) if out.len() as u64 <= MOST && !out.is_empty() => Ok(out),
        Ok(Ok(_)) => Err(UNUSABLE),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(crate::store::Error::Unavailable.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_redrawn_has_the_same_container_and_nothing_hidden() {
        for format in imaging::Format::ALL {
            let mut picture = imaging::sample::photograph(7, "a test's", format).unwrap();
            picture.extend_from_slice(b"PK\x03\x04 an archive behind the picture");
            let redrawn = redraw(&picture).unwrap();
            let seen = imaging::inspect(&redrawn, &Limits::default()).unwrap();
            assert_eq!(seen.format, format);
            assert!(seen.carries.is_empty(), "{format}: {:?}", seen.carries);
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for hostile in [&b"<!doctype html>"[..], b"", b"\xff\xd8\xff", b"%PDF-1.7"] {
            assert!(redraw(hostile).is_err());
        }
    }
}

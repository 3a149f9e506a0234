//! Bodies that break off once their head is sent: no status tells of it any more, so the log does.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};

use super::RoomError;
use crate::base::Kind;

/// The same bytes; an error among them is told in the log by its kind, for its words may name a file.
pub fn watched<S, E>(bytes: S) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: RoomError + 'static,
{
    bytes.inspect_err(broke_off)
}

fn broke_off<E: RoomError>(why: &E) {
    match why.room_kind() {
        // What was erased while it was on its way is not there to be sent.
        Kind::Conflict => tracing::info!("a body broke off: something in it was erased meanwhile"),
        kind => tracing::error!(?kind, "a body broke off after its head was sent"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use futures_util::{FutureExt as _, StreamExt as _, stream};

    use super::*;
    use crate::{archive, vault};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the log says of a body that gives two pieces and then this.
    fn told<E: RoomError + Send + 'static>(end: Option<E>) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let heard = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(heard, || {
            let pieces = [Ok(Bytes::from_static(b"a piece")), Ok(Bytes::from_static(b"another"))];
            let body = stream::iter(pieces.into_iter().chain(end.map(Err)));
            let given = watched(body).collect::<Vec<_>>().now_or_never().unwrap();
            assert_eq!(given.iter().filter(|piece| piece.is_ok()).count(), 2);
        });
        let all = lines.0.lock().unwrap().clone();
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn a_body_that_breaks_off_is_told_by_its_kind_and_by_nothing_in_it() {
        let damaged = told(Some(vault::Error::Damaged));
        assert!(damaged.contains("ERROR") && damaged.contains("kind=Internal"), "{damaged}");
        let path = "images/upload/2026-05-05-ada.jpg".to_owned();
        let changed = told(Some(archive::Error::Changed { path: path.clone(), why: "it is shorter" }));
        assert!(changed.contains("ERROR") && !changed.contains("ada"), "{changed}");
        let gone = told(Some(archive::Error::Gone { path }));
        assert!(gone.contains("INFO") && !gone.contains("ERROR") && !gone.contains("ada"), "{gone}");
        assert_eq!(told(None::<vault::Error>), "", "the control: all of it came");
    }
}

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lettre::message::header::{ContentTransferEncoding, ContentType, Date, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::letters::Written;
use crate::base::{Kind, Secret, Timestamp};

/// No line of a mail is longer, in bytes (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

/// Why a letter did not go. Names no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An address is not one, or the message could not be put together.
    #[error("the letter could not be put together")]
    Unwritable,
    /// The mail server, or the outbox, did not take it. It may be tried again.
    #[error("the letter was not taken")]
    NotTaken,
    /// The settings make no transport.
    #[error("mail is not set up rightly")]
    Settings,
}

impl Error {
    /// What sort of error this is.
    pub fn kind(self) -> Kind {
        match self {
            Self::NotTaken => Kind::Unavailable,
            Self::Unwritable | Self::Settings => Kind::Internal,
        }
    }
}

/// How letters leave.
#[derive(Debug, Clone)]
pub enum Settings {
    /// Each as a file in a folder: for development, where a person reads them.
    Outbox(PathBuf),
    /// To a mail server.
    Smtp {
        /// Its name.
        host: String,
        /// Its port; 465 speaks TLS at once, any other must upgrade to it.
        port: u16,
        /// Name and password, if it wants them.
        login: Option<(String, Secret<String>)>,
    },
    /// Into memory: for tests.
    Recorded,
}

/// A letter as it was sent, in tests.
#[derive(Debug, Clone)]
pub struct Sent {
    /// To whom.
    pub to: String,
    /// What.
    pub letter: Written,
}

/// The way out for letters. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    from: String,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Outbox(PathBuf),
    Smtp(Arc<AsyncSmtpTransport<Tokio1Executor>>),
    Recorded(Arc<Mutex<Recorder>>),
}

/// What stands in for a mail server in tests.
#[derive(Default)]
struct Recorder {
    sent: Vec<Sent>,
    refuses: BTreeSet<String>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post(…)")
    }
}

impl Post {
    /// Sets up the way out. `from` is the sender's address.
    pub fn new(settings: &Settings, from: &str) -> Result<Self, Error> {
        let way = match settings {
            Settings::Outbox(folder) => Way::Outbox(outbox(folder)?),
            Settings::Smtp { host, port, login } => Way::Smtp(Arc::new(smtp(host, *port, login.as_ref())?)),
            Settings::Recorded => Way::Recorded(Arc::default()),
        };
        Ok(Self { from: from.to_owned(), way })
    }

    /// Sends a letter. `id` becomes its Message-ID, so that a letter sent twice for want of an answer is seen to be one.
    /// `of` is an id of whom it is for: an outbox keeps their letters apart, so that [`Post::forget`] finds them.
    pub async fn send(&self, to: &str, of: Option<&str>, id: &str, letter: &Written) -> Result<(), Error> {
        let mailbox = |a: &str| a.parse::<Mailbox>().map_err(|_| Error::Unwritable);
        let body = match &self.way {
            Way::Outbox(_) => MultiPart::alternative()
                .singlepart(plainly(ContentType::TEXT_PLAIN, &letter.text))
                .singlepart(plainly(ContentType::TEXT_HTML, &letter.html)),
            Way::Smtp(_) | Way::Recorded(_) => {
                MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone())
            }
        };
        let message = Message::builder()
            .from(mailbox(&self.from)?)
            .to(mailbox(to)?)
            .message_id(Some(format!("<{id}@{}>", self.from.rsplit('@').next().unwrap_or("localhost"))))
            .subject(letter.subject.clone())
            .raw_header(by_itself())
            .multipart(body)
            .map_err(|_| Error::Unwritable)?;
        match &self.way {
            Way::Outbox(folder) => {
                let folder = outbox(&folder.join(of.filter(|of| is_word(of)).unwrap_or("house")))?;
                let name = file_name(&message, &letter.subject, id);
                let file = AsyncFileTransport::<Tokio1Executor>::new(&folder);
                let sent = file.send(message).await.map_err(|_| Error::NotTaken)?;
                let there = folder.join(format!("{sent}.eml"));
                tokio::fs::rename(there, folder.join(name)).await.map_err(|_| Error::NotTaken)
            }
            Way::Smtp(t) => t.send(message).await.map(drop).map_err(|_| Error::NotTaken),
            Way::Recorded(recorder) => {
                let mut recorder = recorder.lock().unwrap_or_else(PoisonError::into_inner);
                if recorder.refuses.contains(to) {
                    return Err(Error::NotTaken);
                }
                recorder.sent.push(Sent { to: to.to_owned(), letter: letter.clone() });
                Ok(())
            }
        }
    }

    /// For whom an outbox holds letters.
    pub fn kept_for(&self) -> Vec<String> {
        let Way::Outbox(folder) = &self.way else { return Vec::new() };
        let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
        found.filter_map(|f| f.file_name().into_string().ok()).filter(|name| name != "house").collect()
    }

    /// Removes the letters that an outbox holds for someone. What went to a mail server is out of reach.
    pub fn forget(&self, of: &str) -> Result<(), Error> {
        match &self.way {
            Way::Outbox(folder) if is_word(of) => match std::fs::remove_dir_all(folder.join(of)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::NotTaken),
                _ => Ok(()),
            },
            Way::Outbox(_) | Way::Smtp(_) | Way::Recorded(_) => Ok(()),
        }
    }

    /// What was sent, where it is recorded.
    pub fn sent(&self) -> Vec<Sent> {
        match &self.way {
            Way::Recorded(recorder) => recorder.lock().unwrap_or_else(PoisonError::into_inner).sent.clone(),
            Way::Outbox(_) | Way::Smtp(_) => Vec::new(),
        }
    }

    /// Where letters are recorded: takes none in for this address from here on, or takes them in again.
    pub fn refuse(&self, to: &str, refuses: bool) {
        let Way::Recorded(recorder) = &self.way else { return };
        let mut recorder = recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if refuses {
            recorder.refuses.insert(to.to_owned());
        } else {
            recorder.refuses.remove(to);
        }
    }
}

/// Says that a program wrote the letter (RFC 3834), so that no other program answers it.
fn by_itself() -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned())
}

/// A part as a person reads it in a file: each link in one piece. For files alone, since a mail server may not take eight bits.
fn plainly(kind: ContentType, text: &str) -> SinglePart {
    let body = if text.lines().all(|line| line.len() < LONGEST_LINE) {
        let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::EightBit)
    } else {
        Body::new(text.to_owned())
    };
    SinglePart::builder().header(kind).body(body)
}

/// What a letter is called as a file: when it was written, what it is about, and its own name.
fn file_name(message: &Message, subject: &str, id: &str) -> String {
    let at = message.headers().get::<Date>().map(|date| Timestamp::from_utc(SystemTime::from(date).into()));
    let at = at.map(|at| at.to_utc().format("%Y%m%dT%H%M%SZ").to_string()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let word = |text: &str, most: usize| text.chars().take(most).map(plain).collect::<String>();
    let about = word(subject, 60).to_ascii_lowercase();
    let about: Vec<&str> = about.split('-').filter(|part| !part.is_empty()).collect();
    format!("{at}-{}-{}.eml", about.join("-"), word(id, 100))
}

fn outbox(folder: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(folder).map_err(|_| Error::Settings)?;
    Ok(folder.to_owned())
}

/// Ids and slugs only: a name that cannot lead out of the folder.
fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn smtp(
    host: &str,
    port: u16,
    login: Option<&(String, Secret<String>)>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let builder = if port == 465 {
        AsyncSmtpTransport::<Tokio1Executor>::relay(host)
    } else {
        AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host)
    };
    let mut builder = builder.map_err(|_| Error::Settings)?.port(port);
    if let Some((name, password)) = login {
        builder = builder.credentials(Credentials::new(name.clone(), password.expose().clone()));
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one letter of an outbox after this was sent: its name, and what lies in it.
    async fn sent(letter: &Written) -> (String, String) {
        let dir = tempfile::tempdir().unwrap();
        let post = Post::new(&Settings::Outbox(dir.path().to_owned()), "house@example.org").unwrap();
        post.send("ada@example.net", Some("sub_1"), "req_1.acknowledged", letter).await.unwrap();
        let mut files = std::fs::read_dir(dir.path().join("sub_1")).unwrap().map(Result::unwrap);
        let (file, none) = (files.next().unwrap(), files.next());
        assert!(none.is_none(), "{none:?}");
        (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())
    }

    #[tokio::test]
    async fn a_letter_in_a_file_can_be_read_and_its_link_copied() {
        let link = format!(
            "https://example.org/flux-kontext/sign-in/confirm?token={}&next=/images",
            "4f".repeat(64)
        );
        let letter = Written {
            subject: "Löschung: Your link, to sign in".to_owned(),
            text: format!("Guten Tag, wie gewünscht:\n\n{link}\n"),
            html: format!("<p>wie gewünscht: <a href=\"{link}\">hier</a></p>\n"),
        };
        let (name, file) = sent(&letter).await;
        assert!(file.contains(&format!("\r\n{link}\r\n")), "the link is in one piece:\n{file}");
        assert!(file.contains("wie gewünscht") && !file.contains("=3D"), "{file}");
        assert!(file.contains("Content-Transfer-Encoding: 8bit"), "{file}");
        let (time, rest) = name.split_once('-').unwrap();
        assert!(
            time.len() == 16 && time.ends_with('Z') && time.contains('T'),
            "it begins with its time: {name}"
        );
        assert_eq!(rest, "l-schung-your-link-to-sign-in-req_1-acknowledged.eml");
    }

    #[tokio::test]
    async fn a_line_that_no_mail_may_have_is_folded_all_the_same() {
        let long = "x".repeat(2_000);
        let letter = Written { subject: "Long".to_owned(), text: long.clone(), html: long };
        let (_, file) = sent(&letter).await;
        assert!(file.lines().all(|line| line.len() < LONGEST_LINE), "{file}");
    }
}

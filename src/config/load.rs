use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::{Config, Error};

const PREFIX: &str = "VOUCHSAFE_";
const FROM_FILE: &str = "_FILE";

impl Config {
    /// Reads a file, if one is named, and lays the variables over it: `VOUCHSAFE_SERVER__LISTEN` is `[server] listen`,
    /// `VOUCHSAFE_KEYS__SEAL_FILE` a file that holds `[keys] seal`.
    pub fn load(file: Option<&Path>, variables: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut read = Read::default();
        let mut table = match file {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|e| Error::Unreadable(path.to_owned(), e))?;
                let parsed = toml::from_str::<Table>(&text);
                read.file = Some((path, text));
                parsed.map_err(|e| read.malformed(&e))?
            }
            None => Table::new(),
        };
        for (name, value) in variables {
            if let Some(rest) = name.strip_prefix(PREFIX)
                && rest.contains("__")
            {
                let key = lay(&mut table, name, rest, value)?;
                read.laid.push((key, name.as_str()));
            }
        }
        let mut config: Self = Value::Table(table).try_into().map_err(|e| read.malformed(&e))?;
        // Links are put together by what follows it, which begins with a slash.
        let bare = config.server.public_url.trim_end_matches('/').len();
        config.server.public_url.truncate(bare);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
        let on_this_machine = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
            .iter()
            .any(|start| self.server.public_url.starts_with(start));
        if self.server.development && !on_this_machine {
            return Err(Error::Contradiction("server.development is for a public-url on this machine only"));
        }
        if !self.server.development && !self.server.public_url.starts_with("https://") {
            return Err(Error::NotPublic);
        }
        if self.server.development && self.server.tls.is_some() {
            return Err(Error::Contradiction("server.development is without TLS: leave server.tls out"));
        }
        if self.store.postgres.is_some() != self.store.keystore_postgres.is_some() {
            return Err(Error::Contradiction(
                "store.postgres and store.keystore-postgres go together: keys live in a database of their own",
            ));
        }
        if let Some(vault) = &self.keys.vault {
            let ways = [vault.token.is_some(), vault.token_path.is_some(), vault.role_id.is_some()];
            if ways.iter().filter(|way| **way).count() != 1
                || vault.role_id.is_some() != vault.secret_id.is_some()
            {
                return Err(Error::Contradiction(
                    "keys.vault needs one way to sign in: token, token-path, or role-id with secret-id",
                ));
            }
        }
        let dns = self.intake.dns.as_str();
        if !matches!(dns, "system" | "off") && dns.parse::<std::net::SocketAddr>().is_err() {
            return Err(Error::Contradiction(
                "intake.dns is system, off, or an address and port: 127.0.0.1:53",
            ));
        }
        self.check_staff()?;
        for issuer in &self.tokens {
            let ways = [issuer.hs256_secret.is_some(), issuer.jwks_file.is_some(), issuer.jwks_url.is_some()];
            if ways.into_iter().filter(|way| *way).count() != 1 {
                return Err(Error::Contradiction(
                    "each of tokens needs exactly one of hs256-secret, jwks-file and jwks-url",
                ));
            }
            if issuer.hs256_secret.as_ref().is_some_and(|s| s.expose().len() < 32) {
                return Err(Error::Contradiction("tokens.hs256-secret must be at least 32 bytes long"));
            }
        }
        Ok(())
    }
}

/// What was read, to say where something in it is wrong.
#[derive(Default)]
struct Read<'a> {
    file: Option<(&'a Path, String)>,
    /// The keys that variables set, and which.
    laid: Vec<(String, &'a str)>,
}

impl Read<'_> {
    /// Names the variable, or the file and the line, and the key. Shows nothing of the text itself: it holds secrets.
    fn malformed(&self, e: &toml::de::Error) -> Error {
        let (why, section) = (e.message(), key_of(e));
        let named = |key: &str| match why.strip_prefix("unknown field `").and_then(|f| f.split('`').next()) {
            Some(unknown) => key.strip_suffix(unknown).is_some_and(|k| k.trim_end_matches('.') == section),
            None => key == section,
        };
        if let Some((key, variable)) = self.laid.iter().find(|(key, _)| named(key)) {
            return Error::Malformed { place: format!("{variable} ({key})"), why: why.to_owned() };
        }
        let mut place = "the configuration".to_owned();
        if let Some((path, text)) = &self.file {
            place = path.display().to_string();
            // A value that was laid over the file's has no line in it: the file is read once more by itself.
            let span = e.span().or_else(|| toml::from_str::<Config>(text).err()?.span());
            if let Some(before) = span.and_then(|span| text.get(..span.start)) {
                place.push_str(&format!(", line {}", before.split('\n').count()));
            }
        }
        if !section.is_empty() {
            place.push_str(&format!(", {section}"));
        }
        Error::Malformed { place, why: why.to_owned() }
    }
}

/// The key that an error is about: `server.listen`. Empty where it is about none.
fn key_of(e: &toml::de::Error) -> String {
    if e.span().is_some() {
        return String::new();
    }
    let said = e.to_string();
    let key = said.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    key.unwrap_or_default().to_owned()
}

/// Lays a variable over the table, and gives the key that it sets.
fn lay(table: &mut Table, name: &str, rest: &str, value: &str) -> Result<String, Error> {
    let (path, value) = match rest.strip_suffix(FROM_FILE) {
        Some(path) => {
            let text = std::fs::read_to_string(value).map_err(|e| Error::Unreadable(value.into(), e))?;
            (path, Value::String(text.trim().to_owned()))
        }
        None => (rest, scalar(value)),
    };
    let keys: Vec<String> = path.split("__").map(|k| k.to_ascii_lowercase().replace('_', "-")).collect();
    let Some((last, sections)) = keys.split_last() else { return Ok(String::new()) };
    let mut at = table;
    for section in sections {
        let below = at.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        at = below.as_table_mut().ok_or_else(|| Error::Malformed {
            place: name.to_owned(),
            why: format!("{section} is not a section"),
        })?;
    }
    at.insert(last.clone(), value);
    Ok(keys.join("."))
}

/// `true`, `false` and whole numbers as such; everything else as text.
fn scalar(value: &str) -> Value {
    value
        .parse::<bool>()
        .map(Value::Boolean)
        .or_else(|_| value.parse::<i64>().map(Value::Integer))
        .unwrap_or_else(|_| Value::String(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_variable_lies_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("v.toml");
        std::fs::write(&file, "[server]\npublic-url = \"https://a.example\"\nlisten = \"127.0.0.1:1\"")
            .unwrap();
        let over = vars(&[("VOUCHSAFE_SERVER__LISTEN", "127.0.0.1:2"), ("PATH", "/bin")]);
        let config = Config::load(Some(&file), &over).unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert_eq!(config.server.public_url, "https://a.example");
    }

    #[test]
    fn what_ends_in_a_slash_makes_no_links_with_two() {
        let over = vars(&[("VOUCHSAFE_SERVER__PUBLIC_URL", "https://a.example/")]);
        assert_eq!(Config::load(None, &over).unwrap().server.public_url, "https://a.example");
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("seal");
        std::fs::write(&file, "abc\n").unwrap();
        let over = vars(&[
            ("VOUCHSAFE_KEYS__SEAL_FILE", file.to_str().unwrap()),
            ("VOUCHSAFE_SERVER__DEVELOPMENT", "true"),
        ]);
        let config = Config::load(None, &over).unwrap();
        assert_eq!(config.keys.seal.unwrap().expose(), "abc");
    }

    #[test]
    fn an_error_names_the_variable_or_the_line_and_the_key_and_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("v.toml");
        let path = file.display();
        let said = |text: &str, over: &[(&str, &str)]| {
            std::fs::write(&file, text).unwrap();
            Config::load(Some(&file), &vars(over)).unwrap_err().to_string()
        };
        let good = "[server]\npublic-url = \"https://a.example\"\n";
        for (text, over, place) in [
            (
                good,
                vec![("VOUCHSAFE_SERVER__LISTEN", "here")],
                "VOUCHSAFE_SERVER__LISTEN (server.listen): ".into(),
            ),
            (
                good,
                vec![("VOUCHSAFE_SERVER__LISTNE", "x")],
                "VOUCHSAFE_SERVER__LISTNE (server.listne): ".into(),
            ),
            (&*format!("{good}listen = \"s3cret\"\n"), vec![], format!("{path}, line 3, server.listen: ")),
            (
                &*format!("{good}\n[rights]\ngrace = \"s3cret\"\n"),
                vec![("VOUCHSAFE_SERVER__LISTEN", "127.0.0.1:2")],
                format!("{path}, line 5, rights.grace: "),
            ),
            (&*format!("{good}listne = \"s3cret\"\n"), vec![], format!("{path}, line 3, server: ")),
            (&*format!("{good}listen = \n"), vec![], format!("{path}, line 3: ")),
        ] {
            let why = said(text, &over);
            assert!(why.starts_with(place.as_str()) && !why.contains("s3cret"), "{place}: {why}");
        }
        let why = said(&format!("{good}[rights]\ngrace = \"soon\"\n"), &[]);
        assert!(why.contains("not a length of time"), "{why}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (pairs, why) in [
            (vec![("VOUCHSAFE_SERVER__LISTNE", "x")], "unknown field"),
            (vec![("VOUCHSAFE_SERVER__PUBLIC_URL", "http://a.example")], "https"),
            (
                vec![
                    ("VOUCHSAFE_SERVER__PUBLIC_URL", "https://a.example"),
                    ("VOUCHSAFE_SERVER__DEVELOPMENT", "true"),
                ],
                "on this machine",
            ),
            (
                vec![
                    ("VOUCHSAFE_SERVER__DEVELOPMENT", "true"),
                    ("VOUCHSAFE_STORE__POSTGRES", "postgres://h/d"),
                ],
                "go together",
            ),
            (
                vec![
                    ("VOUCHSAFE_SERVER__DEVELOPMENT", "true"),
                    ("VOUCHSAFE_KEYS__VAULT__ADDRESS", "https://vault.example"),
                    ("VOUCHSAFE_KEYS__VAULT__KEY", "vouchsafe"),
                    ("VOUCHSAFE_KEYS__VAULT__TOKEN", "t"),
                    ("VOUCHSAFE_KEYS__VAULT__ROLE_ID", "r"),
                ],
                "one way to sign in",
            ),
        ] {
            let e = Config::load(None, &vars(&pairs)).unwrap_err().to_string();
            assert!(e.contains(why), "{e}");
        }
    }
}

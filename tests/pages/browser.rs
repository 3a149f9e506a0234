//! A browser without script: it keeps cookies, follows where it is led, and sends the forms that a page has.

use std::collections::BTreeMap;

use vouchsafe::speech::Tongue;

use crate::support::TestApp;
use crate::support::call::{Answer, Call};

/// A page of the first tenant.
pub(super) const ROOT: &str = "/flux-kontext";

/// A browser.
#[derive(Debug, Default, Clone)]
pub(super) struct Browser {
    cookies: BTreeMap<String, String>,
    /// The language its owner likes best; English is not asked for.
    pub(super) tongue: Tongue,
}

/// A page that was opened.
#[derive(Debug)]
pub(super) struct Page {
    /// Where it is.
    pub(super) path: String,
    /// How it was answered.
    pub(super) status: u16,
    /// What came.
    pub(super) answer: Answer,
}

impl Browser {
    /// A browser whose owner likes a language best.
    pub(super) fn that_speaks(tongue: Tongue) -> Self {
        Self { tongue, ..Self::default() }
    }

    fn dress(&self, call: Call) -> Call {
        let line: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let call = call.header("accept", "text/html").header("sec-fetch-site", "same-origin");
        let call = if self.tongue == Tongue::English {
            call
        } else {
            call.header("accept-language", &format!("{},en;q=0.5", self.tongue.tag()))
        };
        if line.is_empty() { call } else { call.header("cookie", &line.join("; ")) }
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let (pair, rest) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    async fn led(&mut self, app: &TestApp, path: &str, mut answer: Answer) -> Page {
        let mut path = path.to_owned();
        self.keep(&answer);
        while (300..400).contains(&answer.status) {
            path = answer.header("location").split('#').next().unwrap().to_owned();
            answer = self.dress(app.get(&path)).send().await;
            self.keep(&answer);
        }
        Page { path, status: answer.status, answer }
    }

    /// Opens an address.
    pub(super) async fn go(&mut self, app: &TestApp, path: &str) -> Page {
        let answer = self.dress(app.get(path)).send().await;
        self.led(app, path, answer).await
    }

    /// Sends a form of a page: its hidden fields, and these.
    pub(super) async fn send(
        &mut self,
        app: &TestApp,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let (action, hidden) = page.form(action);
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(hidden.iter().chain(&owned(fields)));
        let call = self.dress(app.post(&action));
        let answer = call.body("application/x-www-form-urlencoded", body.finish()).send().await;
        self.led(app, &action, answer).await
    }

    /// Sends a form with a photograph.
    pub(super) async fn send_photograph(
        &mut self,
        app: &TestApp,
        page: &Page,
        photograph: &[u8],
        fields: &[(&str, &str)],
    ) -> Page {
        const LINE: &str = "----------a-line-that-no-picture-holds";
        let (action, hidden) = page.form("/edit");
        let mut body = Vec::new();
        for (name, value) in hidden.iter().chain(&owned(fields)) {
            let head =
                format!("--{LINE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        let head = format!(
            "--{LINE}\r\ncontent-disposition: form-data; name=\"photograph\"; filename=\"a.jpg\"\r\n\
             content-type: image/jpeg\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(photograph);
        body.extend_from_slice(format!("\r\n--{LINE}--\r\n").as_bytes());
        let call = self.dress(app.post(&action));
        let answer = call.body(&format!("multipart/form-data; boundary={LINE}"), body).send().await;
        self.led(app, &action, answer).await
    }

    /// The cookies it holds.
    pub(super) fn cookies(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// Opens the link of the newest letter, and presses its button.
    pub(super) async fn open_mailed_link(&mut self, app: &TestApp) -> Page {
        app.work().await;
        let page = self.go(app, &mailed_path(app)).await;
        assert_eq!(page.heading(), self.tongue.say("One more press"));
        self.send(app, &page, "/sign-in/confirm", &[]).await
    }

    /// Opens an account and signs in.
    pub(super) async fn open_account(&mut self, app: &TestApp, email: &str, consents: &[&str]) -> Page {
        let page = self.go(app, &format!("{ROOT}/sign-up")).await;
        let mut fields = vec![("email", email), ("name", "Ada")];
        fields.extend(consents.iter().map(|c| ("consent", *c)));
        let page = self.send(app, &page, "/sign-up", &fields).await;
        assert_eq!(page.heading(), self.tongue.say("Check your mail"));
        self.open_mailed_link(app).await
    }
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// The path of the link in the newest letter.
pub(super) fn mailed_path(app: &TestApp) -> String {
    let letter = app.mails().pop().unwrap().letter.text;
    let start = letter.find("https://vouchsafe.test/").unwrap();
    let link = letter[start..].split_whitespace().next().unwrap();
    link.strip_prefix("https://vouchsafe.test").unwrap().to_owned()
}

impl Page {
    /// Its markup.
    pub(super) fn html(&self) -> String {
        self.answer.text()
    }

    /// Its heading.
    pub(super) fn heading(&self) -> String {
        let html = self.html();
        let (_, rest) = html.split_once("<h1").unwrap_or_else(|| panic!("no page: {html}"));
        rest.split_once('>').unwrap().1.split_once("</h1>").unwrap().0.to_owned()
    }

    /// Whether it says this.
    #[track_caller]
    pub(super) fn says(&self, text: &str) {
        let html = self.html();
        assert!(html.contains(text), "{} does not say {text:?}:\n{html}", self.path);
    }

    /// The first link whose address holds this.
    #[track_caller]
    pub(super) fn link(&self, part: &str) -> String {
        self.links(part).into_iter().next().unwrap_or_else(|| panic!("no link {part:?}:\n{}", self.html()))
    }

    /// Every address of the page that holds this.
    pub(super) fn links(&self, part: &str) -> Vec<String> {
        let html = self.html();
        let addresses = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        // The same page in another language is no way to somewhere else.
        let other = |a: &&str| a.contains("lang=") && !part.contains("lang=");
        addresses.filter(|a| a.contains(part) && !other(a)).map(unescaped).collect()
    }

    /// The form that goes to an address: the whole address, and its hidden fields.
    fn form(&self, action: &str) -> (String, Vec<(String, String)>) {
        let html = self.html();
        let mut forms = html.split("<form ").skip(1);
        let form = forms
            .find(|f| attribute(f, "action").is_some_and(|a| a.contains(action)))
            .unwrap_or_else(|| panic!("no form to {action}:\n{html}"));
        let inside = form.split("</form>").next().unwrap();
        let hidden = inside.split("<input ").skip(1).filter(|i| i.starts_with("type=\"hidden\""));
        let fields = hidden.map(|i| (attribute(i, "name").unwrap(), attribute(i, "value").unwrap()));
        (attribute(form, "action").unwrap(), fields.collect())
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split('>').next()?.split_once(&format!("{name}=\""))?;
    rest.split('"').next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&").replace("&#39;", "'").replace("&#60;", "<")
}

//! Papers: single files to keep, send or print. A paper is never served, so it alone carries its stylesheet inside it; it
//! has no script and loads nothing from anywhere.

use askama::Template;

use super::assets::STYLE;
use crate::policy::outline::Outline;
use crate::policy::{Clause, Policy};

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
{{ style|safe }}
</style>
</head>
<body class="page">
<main class="wide">
<div class="document">
<header class="masthead">
<p class="eyebrow">{{ controller }}</p>
<h1>{{ title }}</h1>
<dl class="imprint">
<div><dt>In force from</dt><dd>{{ effective }}</dd></div>
<div><dt>Version</dt><dd>{{ version }}</dd></div>
<div><dt>Fingerprint</dt><dd><code class="hash">{{ hash }}</code></dd></div>
</dl>
</header>
{{ body|safe }}
</div>
</main>
</body>
</html>
"#
)]
struct Paper<'a> {
    language: &'a str,
    title: &'a str,
    controller: &'a str,
    effective: String,
    version: &'a str,
    hash: String,
    style: &'static str,
    body: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% if let Some(first) = preamble %}<div class="prose preamble">{{ first.html|safe }}</div>
{% endif %}<nav class="contents" aria-labelledby="paper-contents">
<h2 id="paper-contents">Contents</h2>
<ol>
{% for clause in clauses %}{% if clause.level <= 2 %}<li><a href="#{{ clause.id }}">{{ clause.title }}</a></li>
{% endif %}{% endfor %}</ol>
</nav>
{% for clause in clauses %}<section class="clause{% if clause.level > 2 %} sub{% endif %}" id="{{ clause.id }}" aria-labelledby="t-{{ clause.id }}">
<div class="text">
{% if clause.level > 2 %}<h3 id="t-{{ clause.id }}">{{ clause.title }}</h3>{% else %}<h2 id="t-{{ clause.id }}">{{ clause.title }}</h2>{% endif %}
<div class="prose">{{ clause.html|safe }}</div>
</div>
{% if !clause.rule_source.is_empty() %}<details class="rule"><summary>The rules that keep this</summary>
<pre><code>{{ clause.rule_source }}</code></pre></details>
{% endif %}</section>
{% endfor %}"##
)]
struct Body<'a> {
    preamble: Option<&'a Clause>,
    clauses: Vec<&'a Clause>,
}

fn paper(policy: &Policy, title: &str, body: String) -> Result<String, askama::Error> {
    let hash = hex::encode(policy.hash());
    Paper {
        language: policy.language(),
        title,
        controller: &policy.controller().name,
        effective: policy.effective().format("%-d %B %Y").to_string(),
        version: policy.version(),
        hash,
        style: STYLE,
        body,
    }
    .render()
}

/// A document as people read it. Prose is markup that was made safe when the document was compiled; all else is escaped.
pub fn document(policy: &Policy) -> Result<String, askama::Error> {
    let preamble = policy.clauses().first().filter(|clause| clause.level == 1);
    let clauses = policy.clauses().iter().filter(|clause| clause.level > 1).collect();
    let body = Body { preamble, clauses }.render()?;
    paper(policy, policy.title(), body)
}

/// A page that was computed from a document.
pub fn outline(policy: &Policy, page: &Outline) -> Result<String, askama::Error> {
    let body =
        page.html().replace("<table>", "<div class=\"table\"><table>").replace("</table>", "</table></div>");
    paper(policy, &page.title, body)
}

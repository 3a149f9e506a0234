//! Names that lead nowhere.

use super::Checked;
use crate::policy::diagnostic::Sink;
use crate::policy::law;
use crate::policy::reader::{closest, short};
use crate::policy::spec::{PROBES, Shape, fields};
use crate::policy::values::Scalar;
use crate::policy::words::RuleKind;

pub(super) fn check(all: &Checked<'_>, sink: &mut Sink) {
    for rule in &all.rules.list {
        for (key, items) in rule.fields.iter() {
            let Some(field) = fields(rule.kind).iter().find(|field| field.name == key) else { continue };
            for item in items {
                if let Scalar::Text(name) = &item.value {
                    name_of(all, field.shape, name, item.span.clone(), sink);
                }
            }
        }
    }
    for (_, name, span) in &all.rules.kept_by {
        let found = name.split_once('.').and_then(|(kind, id)| Some((kind.parse::<RuleKind>().ok()?, id)));
        if found.and_then(|(kind, id)| all.rules.get(kind, id)).is_none() {
            let names: Vec<String> = all.rules.list.iter().map(super::super::rules::Rule::name).collect();
            dangling(name, "rule", names.iter().map(String::as_str), span.clone(), sink);
        }
    }
}

fn name_of(all: &Checked<'_>, shape: Shape, name: &str, span: std::ops::Range<usize>, sink: &mut Sink) {
    match shape {
        Shape::Ref(kind) if all.rules.get(kind, name).is_none() => {
            dangling(name, kind.as_str(), all.rules.of(kind).map(|rule| rule.id.as_str()), span, sink);
        }
        Shape::Probe if !PROBES.iter().any(|(probe, _)| *probe == name) => {
            dangling(name, "probe", PROBES.iter().map(|(probe, _)| *probe), span, sink);
        }
        Shape::Pack if law::pack(name).is_none() => {
            dangling(name, "law pack", law::packs().iter().map(|pack| pack.id.as_str()), span, sink);
        }
        // Where the law packs themselves could not be read, nothing can be told of their periods.
        Shape::Statute if !all.front.law.is_empty() && all.front.statute(name).is_none() => {
            let known = all.front.law.iter().filter_map(|id| law::pack(id)).flat_map(|pack| &pack.statutes);
            dangling(
                name,
                "statutory period of this document's law packs",
                known.map(|s| s.id.as_str()),
                span,
                sink,
            );
        }
        _ => {}
    }
}

fn dangling<'a>(
    name: &str,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    span: std::ops::Range<usize>,
    sink: &mut Sink,
) {
    if sink.crowded() {
        // Nobody reads the two hundredth piece of advice, and each costs a look at every name.
        sink.error("dangling-name", span, format!("there is no {what} called `{}`", short(name)));
        return;
    }
    let help = if let Some(near) = closest(name, known.clone()) {
        sink.misnamed(what, near);
        format!("did you mean `{near}`?")
    } else {
        let list = known.take(30).collect::<Vec<_>>().join(", ");
        if list.is_empty() { format!("the document declares no {what}") } else { format!("there are {list}") }
    };
    sink.error("dangling-name", span, format!("there is no {what} called `{}`", short(name))).help(help);
}

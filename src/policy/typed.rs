//! Makes the nine kinds out of the tables that were read, every default filled in.

use super::document::RawClause;
use super::model::{
    Access, After, Attestation, Category, Life, Notice, Processor, Purpose, Retention, RightRule, Safeguard,
    Table,
};
use super::rules::{Rule, Rules};
use super::words::{
    Action, Answered, Audience, Basis, Form, Granularity, OnWithdrawal, Origin, RecipientRole, RuleKind,
    Sees, SubjectMay, Switch,
};

/// The rules of a document by kind. A rule with a broken key is left out: its error is already told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    pub(crate) categories: Table<Category>,
    pub(crate) purposes: Table<Purpose>,
    pub(crate) processors: Table<Processor>,
    pub(crate) retention_rules: Table<Retention>,
    pub(crate) access_rules: Table<Access>,
    pub(crate) rights: Table<RightRule>,
    pub(crate) safeguards: Table<Safeguard>,
    pub(crate) attestations: Table<Attestation>,
    pub(crate) notices: Table<Notice>,
}

/// The name people see: the title, or the id with spaces and a capital.
pub(crate) fn title(rule: &Rule) -> String {
    rule.fields.text("title").unwrap_or_else(|| {
        let spaced = rule.id.replace('-', " ");
        let mut letters = spaced.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    })
}

/// Makes the nine kinds out of the tables. `law` is the law pack of rights that name none.
pub(crate) fn typed(rules: &Rules, clauses: &[RawClause<'_>], law: &str) -> Typed {
    let mut all = Typed::default();
    for rule in rules.list.iter().filter(|rule| rule.whole) {
        let clause = clauses.get(rule.clause).map_or(String::new(), |clause| clause.id.clone());
        add(&mut all, rule, clause, law);
    }
    all
}

/// Adds a whole rule. It has every key it needs, so that none of its parts is `None`; if one were, the rule would be
/// left out, and what it allows with it.
fn add(all: &mut Typed, rule: &Rule, clause: String, law: &str) -> Option<()> {
    let id = rule.id.as_str();
    match rule.kind {
        RuleKind::Category => all.categories.add(id, category(rule, clause)?),
        RuleKind::Purpose => all.purposes.add(id, purpose(rule, clause)?),
        RuleKind::Processor => all.processors.add(id, processor(rule, clause)?),
        RuleKind::Retention => all.retention_rules.add(id, retention(rule, clause)),
        RuleKind::Access => all.access_rules.add(id, access(rule, clause)),
        RuleKind::Right => all.rights.add(id, right(rule, clause, law)?),
        RuleKind::Safeguard => all.safeguards.add(id, safeguard(rule, clause)?),
        RuleKind::Attestation => all.attestations.add(id, attestation(rule, clause)?),
        RuleKind::Notice => all.notices.add(id, notice(rule, clause)?),
    }
    Some(())
}

fn category(rule: &Rule, clause: String) -> Option<Category> {
    let f = &rule.fields;
    let subject_may = f.words("subject-may");
    Some(Category {
        id: rule.id.clone(),
        title: title(rule),
        holds: f.text("holds")?,
        source: f.word::<Origin>("source")?,
        from: f.text("from"),
        form: f.word("form").unwrap_or(Form::Record),
        fields: f.texts("fields"),
        purposes: f.texts("purposes"),
        subject_may: if subject_may.is_empty() {
            vec![SubjectMay::Read, SubjectMay::Export]
        } else {
            subject_may
        },
        minimise: f.words("minimise"),
        required: f.flag("required"),
        special: f.flag("special"),
        dpv: f.text("dpv"),
        clause,
    })
}

fn purpose(rule: &Rule, clause: String) -> Option<Purpose> {
    let f = &rule.fields;
    let basis: Basis = f.word("basis")?;
    Some(Purpose {
        id: rule.id.clone(),
        title: title(rule),
        means: f.text("means")?,
        basis,
        interest: f.text("interest"),
        obligation: f.text("obligation"),
        default_on: f.word("default").map_or(!basis.needs_consent(), |switch: Switch| switch == Switch::On),
        objectable: basis.objectable() || f.flag("may-object"),
        explicit: basis == Basis::ExplicitConsent,
        gates: f.texts("gates"),
        granularity: f.word("granularity").unwrap_or(Granularity::Purpose),
        on_withdrawal: f.word("on-withdrawal").unwrap_or(OnWithdrawal::Stop),
        valid_for: f.period("valid-for"),
        decides: f.text("decides"),
        trains_models: f.flag("trains-models") || rule.id == "training",
        dpv: f.text("dpv"),
        clause,
    })
}

fn processor(rule: &Rule, clause: String) -> Option<Processor> {
    let f = &rule.fields;
    Some(Processor {
        id: rule.id.clone(),
        name: f.text("name")?,
        does: f.text("does")?,
        role: f.word("role").unwrap_or(RecipientRole::Processor),
        receives: f.texts("receives"),
        purposes: f.texts("purposes"),
        countries: f.texts("countries"),
        transfer: f.word("transfer"),
        sees: f.word("sees").unwrap_or(Sees::Plain),
        longest_life: f.period("longest-life").map_or(Life::AsOurs, Life::AtMost),
        deletion_proof: f.words("deletion-proof"),
        hosts: f.texts("hosts"),
        policy: f.text("policy"),
        agreement: f.text("agreement"),
        clause,
    })
}

fn retention(rule: &Rule, clause: String) -> Retention {
    let f = &rule.fields;
    let after = |(period, fact)| After { period, fact };
    let mut warn = f.periods("warn");
    warn.sort_by_key(|period| std::cmp::Reverse(period.rough_seconds()));
    Retention {
        id: rule.id.clone(),
        categories: f.texts("category"),
        erase_when: f.words("erase-when"),
        at_most: f.afters("at-most").into_iter().map(after).collect(),
        keep: f.afters("keep").into_iter().map(after).next(),
        under: f.text("under"),
        statute: f.text("statute"),
        action: f.word("action").unwrap_or(Action::Erase),
        method: f.word("method"),
        assessment: f.text("assessment"),
        keep_fields: f.texts("keep-fields"),
        warn,
        may_be_held: f.maybe_flag("may-be-held").unwrap_or(true),
        clause,
    }
}

fn access(rule: &Rule, clause: String) -> Access {
    let f = &rule.fields;
    Access {
        id: rule.id.clone(),
        who: f.words("who"),
        categories: f.texts("categories"),
        purposes: f.texts("purposes"),
        needs: f.words("needs"),
        clause,
    }
}

fn right(rule: &Rule, clause: String, law: &str) -> Option<RightRule> {
    let f = &rule.fields;
    let mut proof: Vec<super::words::Proof> = f.words("proof");
    proof.sort_unstable();
    Some(RightRule {
        right: rule.id.parse().ok()?,
        how: f.words("how"),
        proof,
        answer_within: f.period("answer-within")?,
        counts_as_answered: f.word("counts-as-answered").unwrap_or(Answered::Result),
        law: f.text("law").unwrap_or_else(|| law.to_owned()),
        covers: f.texts("covers"),
        self_service: f.flag("self-service"),
        clause,
    })
}

fn safeguard(rule: &Rule, clause: String) -> Option<Safeguard> {
    let f = &rule.fields;
    Some(Safeguard {
        id: rule.id.clone(),
        promises: f.text("promises")?,
        probe: f.text("probe")?,
        every: f.period("every")?,
        clause,
    })
}

fn attestation(rule: &Rule, clause: String) -> Option<Attestation> {
    let f = &rule.fields;
    let within = f.period("within");
    // Whoever attests it sees what time the prose promises, and what must be shown of it.
    let evidence = f.text("evidence")?;
    let evidence = within.map_or(evidence.clone(), |within| format!("{evidence}; each done within {within}"));
    Some(Attestation {
        id: rule.id.clone(),
        what: f.text("what")?,
        owner: f.text("owner")?,
        every: f.period("every")?,
        evidence,
        within,
        remind: f.period("remind"),
        clause,
    })
}

fn notice(rule: &Rule, clause: String) -> Option<Notice> {
    let f = &rule.fields;
    Some(Notice {
        id: rule.id.clone(),
        when: f.word("when")?,
        by: f.words("by"),
        to: f.word("to").unwrap_or(Audience::Affected),
        ahead: f.period("ahead"),
        within: f.period("within"),
        says: f.text("says"),
        clause,
    })
}

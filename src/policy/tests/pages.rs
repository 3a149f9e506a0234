//! Pages and records made from the rules: whatever is declared is told, and nothing is interpreted.

use super::super::outline::{Block, Outline};
use super::super::pages::{article_13, summary};
use super::super::ropa::ropa;
use super::super::*;
use super::{FLUX, OPUS, flux};

#[test]
fn the_notice_of_article_13_names_every_category_recipient_and_period() {
    for source in [FLUX, OPUS] {
        let policy = Policy::compile(source).unwrap();
        for text in [article_13(&policy).text(), ropa(&policy).page().text()] {
            for category in policy.categories() {
                assert!(text.contains(&category.title), "{}", category.id);
            }
            for processor in policy.processors() {
                assert_eq!(text.contains(&processor.does), processor.is_recipient(), "{}", processor.id);
            }
            for rule in policy.retention_rules() {
                for after in rule.at_most.iter().chain(&rule.keep) {
                    assert!(text.contains(&after.to_string()), "{}", rule.id);
                }
            }
            for purpose in policy.purposes() {
                assert!(
                    text.contains(&purpose.means) && text.contains(purpose.basis.article()),
                    "{}",
                    purpose.id
                );
            }
        }
    }
}

#[test]
fn the_record_has_a_row_for_each_kind_of_data_of_each_purpose() {
    let policy = flux();
    let record = ropa(&policy);
    let rows: usize = policy.categories().map(|category| category.purposes.len()).sum();
    assert_eq!(record.csv().lines().count(), rows + 1);
    let ld = record.json_ld();
    assert_eq!(ld["dpv:hasProcess"].as_array().unwrap().len(), policy.purposes().count());
    assert_eq!(ld["dpv:hasProcess"][0]["dpv:hasLegalBasis"]["@type"], "eu-gdpr:A6-1-b");
    let edits = record.activities.iter().find(|activity| activity.id == "provide-edits").unwrap();
    let names: Vec<&str> = edits.recipients.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["FAL.AI", "Cloudflare R2"]);
}

#[test]
fn the_summary_says_what_can_be_chosen_and_asked() {
    let text = summary(&flux()).text();
    for words in [
        "Teaching models with my pictures: off until you turn it on",
        "Safety and stability: on until you turn it off",
        "within 72 hours",
        "sealed, so that it cannot read it",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn what_stands_in_a_text_is_shown_and_never_interpreted() {
    let hostile = "<script>alert(1)</script> & *stars*".to_owned();
    let page = Outline {
        title: String::new(),
        blocks: vec![
            Block::Heading(hostile.clone()),
            Block::Paragraph(hostile.clone()),
            Block::List(vec![hostile.clone()]),
            Block::Table(vec![hostile.clone()], vec![vec![hostile]]),
        ],
    };
    let html = page.html();
    assert_eq!(html.matches("&lt;script&gt;").count(), 5);
    assert!(!html.contains("<script") && !html.contains("<em>"), "{html}");
}

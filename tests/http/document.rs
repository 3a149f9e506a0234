//! The OpenAPI document: the same as in `exports/`, and the same as what is served.

use std::fs;

use crate::each_app;
use crate::support::{TestApp, source};

#[test]
fn the_exported_document_is_that_of_the_source() {
    let fresh = format!("{:#}\n", serde_json::to_value(vouchsafe::http::openapi()).unwrap());
    let path = source::root().join("exports/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "exports/openapi.json does not show the source as it is: run `make docs`");
}

#[test]
fn every_operation_says_what_it_does_who_may_call_it_and_how_it_fails() {
    let document = serde_json::to_value(vouchsafe::http::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            let name = call["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{at}: {name} is there twice");
            assert!(call["summary"].as_str().is_some_and(|s| !s.is_empty()), "{at} has no summary");
            assert_eq!(call["tags"].as_array().map(Vec::len), Some(1), "{at}");
            let tag = &call["tags"][0];
            assert!(document["tags"].as_array().unwrap().iter().any(|t| t["name"] == *tag), "{at}: {tag}");
            for way in call["security"].as_array().into_iter().flatten() {
                for name in way.as_object().unwrap().keys() {
                    assert!(schemes.contains_key(name), "{at}: {name}");
                }
            }
            let parameters = call["parameters"].as_array().cloned().unwrap_or_default();
            let named = |n: &str| parameters.iter().any(|p| p["in"] == "path" && p["name"] == n);
            for name in path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
                assert!(named(name), "{at} does not describe {name}");
            }
        }
    }
}

each_app! {
    async fn the_document_and_its_page_are_served(app: TestApp) {
        let served = app.get("/openapi.json").send().await;
        assert_eq!(served.header("content-type"), "application/json");
        assert_eq!(served.json(), serde_json::to_value(vouchsafe::http::openapi()).unwrap());
        let page = app.get("/docs/api").send().await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let text = page.text();
        for path in served.json()["paths"].as_object().unwrap().keys() {
            assert!(text.contains(&format!(" {path}</code>")), "{path} is not on the page");
        }
        // Nothing from elsewhere, nothing that runs, nothing that the page policy would stop.
        assert!(!text.contains("<script") && !text.contains("<style") && !text.contains("style="));
        for address in text.split("href=\"").skip(1).chain(text.split("src=\"").skip(1)) {
            assert!(address.starts_with('/') || address.starts_with('#'), "{}", &address[..40.min(address.len())]);
        }
        assert!(text.contains("Authorization: Bearer $KEY") && text.contains("https://vouchsafe.test/v1/edits"));
    }
}

//! What FAL.AI takes, and what it would keep.

use axum::http::HeaderMap;
use serde_json::Value;

const ASPECTS: &[&str] = &["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"];

/// The first thing wrong with an input object: the field's name.
pub(super) fn input(body: &Value, several: bool) -> Result<(), String> {
    let Some(fields) = body.as_object() else { return Err("body".to_owned()) };
    if body["prompt"].as_str().is_none_or(str::is_empty) {
        return Err("prompt".to_owned());
    }
    let picture = if several { "image_urls" } else { "image_url" };
    let link = |v: &Value| v.as_str().is_some_and(|s| s.starts_with("data:image/") || s.starts_with("http"));
    let there = match &body[picture] {
        Value::Array(many) if several => !many.is_empty() && many.iter().all(link),
        one => !several && link(one),
    };
    if !there {
        return Err(picture.to_owned());
    }
    for (name, value) in fields {
        let right = match name.as_str() {
            "prompt" => true,
            n if n == picture => true,
            "seed" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "guidance_scale" => value.as_f64().is_some_and(|n| (1.0..=20.0).contains(&n)),
            "sync_mode" | "enhance_prompt" => value.is_boolean(),
            "num_images" => value.as_i64().is_some_and(|n| (1..=4).contains(&n)),
            "output_format" => matches!(value.as_str(), Some("jpeg" | "png")),
            "safety_tolerance" => matches!(value.as_str(), Some("1" | "2" | "3" | "4" | "5" | "6")),
            "aspect_ratio" => value.as_str().is_some_and(|a| ASPECTS.contains(&a)),
            _ => false,
        };
        if !right {
            return Err(name.clone());
        }
    }
    Ok(())
}

/// The most bytes of a request's pictures as this stand-in takes them: nothing is published, and more is not sensible.
const MOST_INLINE: usize = 10 << 20;

fn sources(body: &Value) -> impl Iterator<Item = &str> {
    let several = body["image_urls"].as_array().into_iter().flatten();
    body["image_url"].as_str().into_iter().chain(several.filter_map(Value::as_str))
}

/// The links among a request's pictures.
pub(super) fn links(body: &Value) -> Vec<String> {
    sources(body).filter(|s| s.starts_with("http")).map(str::to_owned).collect()
}

/// Whether more is sent along than is sensible.
pub(super) fn weight(body: &Value) -> Option<&'static str> {
    let inline: usize = sources(body).filter(|s| s.starts_with("data:")).map(str::len).sum();
    (inline / 4 * 3 > MOST_INLINE).then_some("too much is sent along")
}

/// Whether a webhook's address is one that could be called: HTTPS, or this machine while testing.
pub(super) fn webhook(url: Option<&str>) -> Option<&'static str> {
    let called = |u: &str| u.starts_with("https://") || u.starts_with("http://127.0.0.1:");
    url.is_some_and(|u| !called(u)).then_some("a webhook that nobody can call")
}

/// Which headers are missing without which copies stay, or a job is run twice or elsewhere.
pub(super) fn privacy(headers: &HeaderMap) -> Vec<String> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut missing = Vec::new();
    if text("x-fal-store-io") != "0" {
        missing.push("payload would be stored for 30 days".to_owned());
    }
    if lifetime(headers).is_none() {
        missing.push("results would be public for ever".to_owned());
    }
    if !matches!(text("x-fal-no-retry"), "1" | "true" | "yes") {
        missing.push("the queue would retry by itself".to_owned());
    }
    let wait = text("x-fal-request-timeout");
    if !wait.is_empty() && wait.parse::<f64>().ok().is_none_or(|seconds| seconds <= 1.0) {
        missing.push("the time to start within is refused".to_owned());
    }
    if text("x-app-fal-disable-fallback") != "true" {
        missing.push("the job could be rerouted".to_owned());
    }
    missing
}

/// The lifetime asked for; zero and null mean for ever.
pub(super) fn lifetime(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get("x-fal-object-lifecycle-preference")?.to_str().ok()?;
    let value: Value = serde_json::from_str(text).ok()?;
    value["expiration_duration_seconds"].as_i64().filter(|n| *n > 0)
}

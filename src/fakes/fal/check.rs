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

//! What Replicate takes.

use axum::http::HeaderMap;
use chrono::TimeDelta;
use serde_json::Value;

const ASPECTS: &[&str] = &[
    "match_input_image",
    "1:1",
    "16:9",
    "9:16",
    "4:3",
    "3:4",
    "3:2",
    "2:3",
    "4:5",
    "5:4",
    "21:9",
    "9:21",
    "2:1",
    "1:2",
];

/// The first thing wrong with a create body: the field's name.
pub(super) fn body(body: &Value, several: bool) -> Result<(), String> {
    let Some(fields) = body.as_object() else { return Err("body".to_owned()) };
    let known = ["input", "webhook", "webhook_events_filter", "stream", "version"];
    if let Some(odd) = fields.keys().find(|k| !known.contains(&k.as_str())) {
        return Err(odd.clone());
    }
    let events = ["start", "output", "logs", "completed"];
    let event = |v: &Value| v.as_str().is_some_and(|e| events.contains(&e));
    let called = |u: &str| u.starts_with("https://") || u.starts_with("http://127.0.0.1:");
    if !body["webhook"].is_null() && !body["webhook"].as_str().is_some_and(called) {
        return Err("webhook".to_owned());
    }
    match &body["webhook_events_filter"] {
        Value::Null => {}
        Value::Array(many) if many.iter().all(event) => {}
        _ => return Err("webhook_events_filter".to_owned()),
    }
    input(&body["input"], several)
}

fn input(input: &Value, several: bool) -> Result<(), String> {
    let Some(fields) = input.as_object() else { return Err("input".to_owned()) };
    let link = |v: &Value| v.as_str().is_some_and(|s| s.starts_with("data:image/") || s.starts_with("http"));
    let pictures: &[&str] = if several { &["input_image_1", "input_image_2"] } else { &["input_image"] };
    for picture in pictures {
        let optional = !several && input[picture].is_null();
        if !optional && !link(&input[picture]) {
            return Err((*picture).to_owned());
        }
    }
    // "Under 1 MB" in one place, "256 KB" in another: what is larger belongs behind a link.
    for picture in pictures {
        if input[picture].as_str().is_some_and(|s| s.starts_with("data:") && s.len() > 1_000_000) {
            return Err(format!("{picture} (too large to be sent along)"));
        }
    }
    let most = if several || !input["input_image"].is_null() { 2 } else { 6 };
    for (name, value) in fields {
        let right = match name.as_str() {
            "prompt" => value.is_string(),
            n if pictures.contains(&n) => true,
            "aspect_ratio" => value.as_str().is_some_and(|a| ASPECTS.contains(&a)),
            "prompt_upsampling" => !several && value.is_boolean(),
            "seed" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "output_format" => matches!(value.as_str(), Some("jpg" | "png")),
            "safety_tolerance" => value.as_i64().is_some_and(|n| (0..=most).contains(&n)),
            _ => false,
        };
        if !right {
            return Err(format!("input.{name}"));
        }
    }
    if input["prompt"].is_string() { Ok(()) } else { Err("input.prompt".to_owned()) }
}

/// Seconds in a `Cancel-After` such as `30s`, `5m`, `1h30m45s` or `90`; `Err` if it is not one, or under five.
pub(super) fn cancel_after(headers: &HeaderMap) -> Result<Option<TimeDelta>, ()> {
    let Some(value) = headers.get("cancel-after") else { return Ok(None) };
    let text = value.to_str().map_err(|_| ())?;
    let (mut total, mut number) = (0_i64, String::new());
    for c in text.chars() {
        let scale = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(()),
        };
        total += number.parse::<i64>().map_err(|_| ())? * scale;
        number.clear();
    }
    if !number.is_empty() {
        total += number.parse::<i64>().map_err(|_| ())?;
    }
    if total >= 5 { Ok(Some(TimeDelta::seconds(total))) } else { Err(()) }
}

/// Seconds in a `Prefer: wait` or `wait=n`; `Err` for anything else.
pub(super) fn wait(headers: &HeaderMap) -> Result<u64, ()> {
    let Some(value) = headers.get("prefer") else { return Ok(0) };
    match value.to_str().map_err(|_| ())?.split_once('=') {
        None if value == "wait" => Ok(60),
        Some(("wait", n)) => n.parse().ok().filter(|n| (1..=60).contains(n)).ok_or(()),
        _ => Err(()),
    }
}

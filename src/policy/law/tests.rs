use super::*;

fn at(day: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap()
}

fn dates(received: &str, law: &str, country: &str) -> (String, String) {
    let place = Place::of(Some(country));
    let due = legal_due(at(received), pack(law).unwrap(), &place, &[]).unwrap();
    (place.date_of(due.due).to_string(), place.date_of(due.extended).to_string())
}

#[test]
fn every_law_pack_that_ships_can_be_read() {
    for text in pack::FILES {
        LawPack::parse(text).unwrap();
    }
    assert_eq!(packs().len(), pack::FILES.len());
    for country in ["DE", "GB", "US"] {
        assert!(Place::of(Some(country)).has_calendar(), "{country}");
    }
    assert!(!Place::of(Some("FR")).has_calendar());
}

#[test]
fn a_month_ends_on_its_day_or_its_last_and_rolls_off_holidays() {
    for (received, due) in [
        ("2026-01-15", "2026-02-16"),
        ("2026-01-31", "2026-03-02"),
        ("2028-01-31", "2028-02-29"),
        ("2026-03-05", "2026-04-07"),
        ("2026-08-31", "2026-09-30"),
        ("2026-11-25", "2026-12-28"),
        ("2026-12-31", "2027-02-01"),
    ] {
        assert_eq!(dates(received, "eu-gdpr", "DE").0, due, "received {received}");
    }
}

#[test]
fn an_extension_is_counted_from_receipt_and_not_from_the_rolled_date() {
    assert_eq!(dates("2026-01-31", "eu-gdpr", "DE").1, "2026-04-30");
    // 30 April 2028 is a Sunday and 1 May a holiday.
    assert_eq!(dates("2028-01-31", "eu-gdpr", "DE").1, "2028-05-02");
}

#[test]
fn california_counts_calendar_days_and_never_rolls() {
    assert_eq!(dates("2026-01-05", "us-ca-ccpa", "US"), ("2026-02-19".into(), "2026-04-05".into()));
}

#[test]
fn ten_working_days_skip_weekends_and_holidays() {
    let place = Place::of(Some("US"));
    // Independence Day 2025 is a Friday.
    assert_eq!(place.date_of(working_days_due(at("2025-07-01"), 10, &place)).to_string(), "2025-07-16");
}

#[test]
fn the_day_ends_in_the_zone_of_the_place_summer_and_winter() {
    let place = Place::of(Some("DE"));
    let day = |s: &str| s.parse().unwrap();
    assert_eq!(place.end_of(day("2026-01-15")).rfc3339(), "2026-01-15T22:59:59Z");
    assert_eq!(place.end_of(day("2026-07-15")).rfc3339(), "2026-07-15T21:59:59Z");
    // Half an hour before midnight UTC it is already tomorrow in Berlin.
    let late = Timestamp::parse_rfc3339("2026-01-14T23:30:00Z").unwrap();
    assert_eq!(place.date_of(late).to_string(), "2026-01-15");
}

#[test]
fn a_pause_adds_its_whole_days_and_the_date_without_it_stays_visible() {
    let place = Place::of(Some("GB"));
    let paused = [(at("2026-07-06"), at("2026-07-13"))];
    let due = legal_due(at("2026-07-01"), pack("uk-gdpr").unwrap(), &place, &paused).unwrap();
    assert_eq!(place.date_of(due.unpaused).to_string(), "2026-08-03", "1 August 2026 is a Saturday");
    assert_eq!(place.date_of(due.due).to_string(), "2026-08-10", "8 August is a Saturday too");
}

#[test]
fn easter_and_moved_holidays_fall_where_they_fell() {
    let has = |country: &str, day: &str| !Place::of(Some(country)).is_working_day(day.parse().unwrap());
    assert!(
        has("DE", "2026-04-03")
            && has("DE", "2026-04-06")
            && has("DE", "2026-05-14")
            && has("DE", "2026-05-25")
    );
    // In 2027 Christmas is a Saturday: Monday and Tuesday are holidays in England.
    assert!(has("GB", "2027-12-27") && has("GB", "2027-12-28") && !has("GB", "2027-12-29"));
    assert!(has("US", "2026-11-26") && !has("US", "2026-04-03"));
}

#[test]
fn a_law_without_a_clock_for_answers_gives_none() {
    assert_eq!(legal_due(at("2026-01-01"), pack("de-books").unwrap(), &Place::of(None), &[]), None);
}

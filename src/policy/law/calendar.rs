//! Working days: weekends, the public holidays of a country, and the zone in which its days begin and end.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::base::Timestamp;

/// The public holidays of a country as rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Holidays {
    /// ISO 3166, two capital letters.
    pub country: String,
    /// The IANA name of its time zone.
    pub zone: String,
    /// Month and day, `MM-DD`.
    fixed: Vec<String>,
    /// Days after Easter Sunday.
    easter: Vec<i8>,
    /// The nth of a weekday in a month; negative from its end.
    weekday: Vec<NthWeekday>,
    /// Whether a fixed holiday on a weekend moves to the next working day.
    #[serde(default)]
    moves: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NthWeekday {
    month: u32,
    #[serde(deserialize_with = "weekday")]
    weekday: Weekday,
    nth: i8,
}

fn weekday<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Weekday, D::Error> {
    String::deserialize(d)?.parse().map_err(|_| serde::de::Error::custom("not a weekday"))
}

impl Holidays {
    /// The holidays of a year, in no order.
    pub fn of(&self, year: i32) -> Vec<NaiveDate> {
        let mut days: Vec<NaiveDate> = Vec::new();
        days.extend(easter_sunday(year).into_iter().flat_map(|sunday| {
            self.easter
                .iter()
                .filter_map(move |&n| sunday.checked_add_signed(chrono::TimeDelta::days(n.into())))
        }));
        days.extend(self.weekday.iter().filter_map(|rule| rule.of(year)));
        for fixed in &self.fixed {
            let Ok(mut day) = format!("{year:04}-{fixed}").parse::<NaiveDate>() else { continue };
            while self.moves && (is_weekend(day) || days.contains(&day)) {
                day = day.succ_opt().unwrap_or(day);
            }
            days.push(day);
        }
        days
    }
}

impl NthWeekday {
    fn of(&self, year: i32) -> Option<NaiveDate> {
        if let Ok(nth) = u8::try_from(self.nth) {
            return NaiveDate::from_weekday_of_month_opt(year, self.month, self.weekday, nth);
        }
        (4..=5)
            .rev()
            .find_map(|nth| NaiveDate::from_weekday_of_month_opt(year, self.month, self.weekday, nth))
    }
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876), for the years 1583 to 9999.
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    if !(1583..=9999).contains(&year) {
        return None;
    }
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let leap = century - century / 4 - (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + leap + 15) % 30;
    let day = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 22 * day) / 451;
    let sum = moon + day - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31 + 1).ok()?)
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

const FILES: &[&str] = &[
    include_str!("../../../policies/law/calendar-de.toml"),
    include_str!("../../../policies/law/calendar-gb.toml"),
    include_str!("../../../policies/law/calendar-us.toml"),
];

static CALENDARS: LazyLock<Vec<Holidays>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| toml::from_str(text).ok()).collect());

/// Where a controller is established: whose days count.
#[derive(Debug, Clone)]
pub struct Place {
    holidays: Option<&'static Holidays>,
    zone: TimeZone,
}

impl Place {
    /// The place of a country. Of a country without a calendar in `policies/law`, the weekends count and the days are
    /// those of UTC; [`Place::has_calendar`] tells.
    pub fn of(country: Option<&str>) -> Self {
        let holidays = CALENDARS.iter().find(|holidays| Some(holidays.country.as_str()) == country);
        let zone = holidays.and_then(|holidays| TimeZone::get(&holidays.zone).ok()).unwrap_or(TimeZone::UTC);
        Self { holidays, zone }
    }

    /// Whether its public holidays are known.
    pub fn has_calendar(&self) -> bool {
        self.holidays.is_some()
    }

    /// The day on which an instant falls there.
    pub fn date_of(&self, at: Timestamp) -> NaiveDate {
        let local = jiff::Timestamp::from_microsecond(at.micros())
            .unwrap_or(jiff::Timestamp::MAX)
            .to_zoned(self.zone.clone());
        let (month, day) = (local.month().unsigned_abs(), local.day().unsigned_abs());
        NaiveDate::from_ymd_opt(local.year().into(), month.into(), day.into()).unwrap_or(NaiveDate::MAX)
    }

    /// The last second of a day there; the end of time for a day that the zone cannot express.
    pub fn end_of(&self, day: NaiveDate) -> Timestamp {
        let end = Timestamp::from_micros(i64::MAX);
        let Ok(year) = i16::try_from(day.year()) else { return end };
        let (Ok(month), Ok(date)) = (i8::try_from(day.month()), i8::try_from(day.day())) else { return end };
        jiff::civil::Date::new(year, month, date)
            .and_then(|date| date.at(23, 59, 59, 0).to_zoned(self.zone.clone()))
            .map_or(end, |at| Timestamp::from_micros(at.timestamp().as_microsecond()))
    }

    /// The last second of the calendar year of a day there: where the periods of tax law begin.
    pub fn year_end(&self, day: NaiveDate) -> Timestamp {
        self.end_of(NaiveDate::from_ymd_opt(day.year(), 12, 31).unwrap_or(NaiveDate::MAX))
    }

    /// Whether people work there on this day.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        !is_weekend(day) && self.holidays.is_none_or(|holidays| !holidays.of(day.year()).contains(&day))
    }

    /// This day, or the first working day after it.
    pub fn next_working_day(&self, day: NaiveDate) -> NaiveDate {
        let later = |n| day.checked_add_days(Days::new(n));
        // No calendar has three weeks without a working day.
        (0..21).filter_map(later).find(|&day| self.is_working_day(day)).unwrap_or(day)
    }
}

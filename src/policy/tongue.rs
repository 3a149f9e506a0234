//! Lengths of time and dates in the language of a document's prose. A language that is not here gets them in English, and
//! `policy check` says so.

use chrono::{Datelike as _, NaiveDate};

use crate::base::Period;

/// One language: its code, its units (one and many), its months, its word for "and".
struct Tongue {
    code: &'static str,
    units: [(&'static str, &'static str); 6],
    months: [&'static str; 12],
    and: &'static str,
}

const UNITS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

const TONGUES: &[Tongue] = &[
    Tongue {
        code: "de",
        units: [
            ("Jahr", "Jahre"),
            ("Monat", "Monate"),
            ("Tag", "Tage"),
            ("Stunde", "Stunden"),
            ("Minute", "Minuten"),
            ("Sekunde", "Sekunden"),
        ],
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        and: "und",
    },
    Tongue {
        code: "fr",
        units: [
            ("an", "ans"),
            ("mois", "mois"),
            ("jour", "jours"),
            ("heure", "heures"),
            ("minute", "minutes"),
            ("seconde", "secondes"),
        ],
        months: [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        and: "et",
    },
    Tongue {
        code: "es",
        units: [
            ("año", "años"),
            ("mes", "meses"),
            ("día", "días"),
            ("hora", "horas"),
            ("minuto", "minutos"),
            ("segundo", "segundos"),
        ],
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        and: "y",
    },
    Tongue {
        code: "it",
        units: [
            ("anno", "anni"),
            ("mese", "mesi"),
            ("giorno", "giorni"),
            ("ora", "ore"),
            ("minuto", "minuti"),
            ("secondo", "secondi"),
        ],
        months: [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
        and: "e",
    },
    Tongue {
        code: "nl",
        units: [
            ("jaar", "jaar"),
            ("maand", "maanden"),
            ("dag", "dagen"),
            ("uur", "uur"),
            ("minuut", "minuten"),
            ("seconde", "seconden"),
        ],
        months: [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
        and: "en",
    },
];

fn tongue(language: &str) -> Option<&'static Tongue> {
    let code = language.split('-').next().unwrap_or("");
    TONGUES.iter().find(|tongue| tongue.code == code)
}

/// Whether lengths and dates can be said in this language.
pub(crate) fn speaks(language: &str) -> bool {
    matches!(language.split('-').next(), Some("" | "en")) || tongue(language).is_some()
}

/// A length of time in words.
pub(crate) fn length(period: Period, language: &str) -> String {
    let english = period.to_string();
    let Some(tongue) = tongue(language) else { return english };
    let words = english.split(' ').map(|word| {
        let found =
            UNITS.iter().zip(tongue.units).find_map(|(unit, (one, many))| match word.strip_prefix(unit) {
                Some("") => Some(one),
                Some("s") => Some(many),
                _ => None,
            });
        found.unwrap_or(word)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A date in words.
pub(crate) fn date(date: NaiveDate, language: &str) -> String {
    let month = tongue(language).and_then(|tongue| tongue.months.get(date.month0() as usize));
    let Some(month) = month else { return date.format("%-d %B %Y").to_string() };
    let day = if language.starts_with("de") { format!("{}.", date.day()) } else { date.day().to_string() };
    let of = if language.starts_with("es") { "de " } else { "" };
    format!("{day} {of}{month} {of}{}", date.year())
}

/// The word between the last two of a list.
pub(crate) fn and(language: &str) -> &'static str {
    tongue(language).map_or("and", |tongue| tongue.and)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_said_in_the_language_of_the_document() {
        let said = |text: &str, language: &str| length(Period::parse(text).unwrap(), language);
        assert_eq!(said("1 year 6 months", "de"), "1 Jahr 6 Monate");
        assert_eq!(said("30 days", "fr"), "30 jours");
        assert_eq!(said("2 years", "es-mx"), "2 años");
        assert_eq!(said("48 hours", "pl"), "48 hours");
        assert!(speaks("en") && speaks("de-at") && !speaks("pl"));
        let day = NaiveDate::from_ymd_opt(2027, 3, 1).unwrap();
        assert_eq!(date(day, "de"), "1. März 2027");
        assert_eq!(date(day, "es"), "1 de marzo de 2027");
        assert_eq!(date(day, "en"), "1 March 2027");
    }
}

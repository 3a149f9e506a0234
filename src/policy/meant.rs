//! What was probably meant: a length of time in words, a fact by another name, a country by its name. Only ever shown as
//! advice; a document says a thing in one way.

use super::words::Fact;

/// Words that stand for a whole number.
pub(crate) const NUMBERS: &[(&str, u32)] = &[
    ("a", 1),
    ("an", 1),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("eighteen", 18),
    ("twenty", 20),
    ("twenty-one", 21),
    ("twenty-four", 24),
    ("twenty-eight", 28),
    ("thirty", 30),
    ("thirty-six", 36),
    ("forty", 40),
    ("forty-five", 45),
    ("forty-eight", 48),
    ("sixty", 60),
    ("seventy-two", 72),
    ("ninety", 90),
    ("hundred", 100),
    ("couple", 2),
];

const UNITS: &[&str] = &["second", "minute", "hour", "day", "week", "month", "year"];

/// Lengths that have a name of their own.
const NAMED: &[(&str, &str)] = &[
    ("half an hour", "30 minutes"),
    ("half a day", "12 hours"),
    ("half a year", "6 months"),
    ("a fortnight", "2 weeks"),
    ("fortnight", "2 weeks"),
    ("a quarter", "3 months"),
    ("a decade", "10 years"),
];

/// A length of time out of words: `thirty days`, `thirty (30) days`, `up to 30 days`, `a fortnight`, `30-day`.
pub(crate) fn length(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    if let Some((_, named)) = NAMED.iter().find(|(said, _)| lower.contains(said)) {
        return Some((*named).to_owned());
    }
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect();
    let mut number = None;
    for word in words {
        if let Some(found) = whole(word) {
            number = Some(found);
        } else if let Some(unit) = unit(word) {
            return Some(told(number?, unit));
        } else if let Some((count, tail)) = word.split_once('-').or_else(|| cut(word))
            && let (Some(count), Some(unit)) = (whole(count), unit(tail))
        {
            return Some(told(count, unit));
        }
    }
    None
}

fn cut(word: &str) -> Option<(&str, &str)> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && digits < word.len()).then(|| word.split_at(digits))
}

fn told(count: u32, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn whole(word: &str) -> Option<u32> {
    NUMBERS
        .iter()
        .find(|(said, _)| *said == word)
        .map(|(_, n)| *n)
        .or_else(|| word.parse().ok().filter(|n| *n > 0))
}

fn unit(word: &str) -> Option<&'static str> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    UNITS.iter().copied().find(|unit| *unit == singular).or(match word {
        "h" | "hr" | "hrs" => Some("hour"),
        "min" | "mins" => Some("minute"),
        "d" => Some("day"),
        "wk" | "wks" => Some("week"),
        "mo" | "mos" => Some("month"),
        "yr" | "yrs" | "y" => Some("year"),
        _ => None,
    })
}

/// Words by which people call a fact.
const FACTS: &[(&str, Fact)] = &[
    ("succe", Fact::EditSucceeded),
    ("edit", Fact::EditEnded),
    ("upload", Fact::Uploaded),
    ("withdr", Fact::Withdrawn),
    ("revo", Fact::Withdrawn),
    ("unsubscri", Fact::Withdrawn),
    ("opt", Fact::Withdrawn),
    ("invoice", Fact::InvoiceYearEnd),
    ("financial year", Fact::InvoiceYearEnd),
    ("calendar year", Fact::InvoiceYearEnd),
    ("request", Fact::RequestClosed),
    ("last", Fact::LastActive),
    ("inactiv", Fact::LastActive),
    ("login", Fact::LastActive),
    ("use", Fact::LastActive),
    ("account", Fact::AccountClosed),
    ("clos", Fact::AccountClosed),
    ("terminat", Fact::AccountClosed),
    ("delet", Fact::AccountClosed),
    ("collect", Fact::Created),
    ("creat", Fact::Created),
    ("receiv", Fact::Created),
    ("record", Fact::Created),
    ("made", Fact::Created),
];

/// The fact that was probably meant by other words.
pub(crate) fn fact(text: &str) -> Option<Fact> {
    let lower = text.to_lowercase();
    FACTS.iter().find(|(part, _)| lower.contains(part)).map(|(_, fact)| *fact)
}

/// `24 hours after uploaded`, out of `24 hours from the upload`.
pub(crate) fn after(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let (length_said, rest) = [" after ", " from ", " of ", " since ", " following ", " upon "]
        .iter()
        .find_map(|between| lower.split_once(between))
        .unwrap_or((&lower, ""));
    Some(format!("{} after {}", length(length_said)?, fact(rest)?))
}

/// The countries of ISO 3166 in capital letters, two by two.
const ISO: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW \
    KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL \
    NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST \
    SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK";

/// Whether two capital letters are a country of ISO 3166 (or Kosovo).
pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2 && ISO.split_ascii_whitespace().any(|code| code == text)
}

const COUNTRIES: &[(&str, &str)] = &[
    ("uk", "GB"),
    ("united kingdom", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("usa", "US"),
    ("united states", "US"),
    ("united states of america", "US"),
    ("america", "US"),
    ("germany", "DE"),
    ("deutschland", "DE"),
    ("france", "FR"),
    ("ireland", "IE"),
    ("netherlands", "NL"),
    ("the netherlands", "NL"),
    ("spain", "ES"),
    ("italy", "IT"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("austria", "AT"),
    ("belgium", "BE"),
    ("denmark", "DK"),
    ("finland", "FI"),
    ("norway", "NO"),
    ("poland", "PL"),
    ("portugal", "PT"),
    ("canada", "CA"),
    ("australia", "AU"),
    ("japan", "JP"),
    ("india", "IN"),
    ("singapore", "SG"),
    ("brazil", "BR"),
    ("china", "CN"),
    ("israel", "IL"),
    ("south korea", "KR"),
    ("mexico", "MX"),
    ("czech republic", "CZ"),
    ("czechia", "CZ"),
    ("greece", "GR"),
    ("hungary", "HU"),
    ("romania", "RO"),
    ("luxembourg", "LU"),
    ("philippines", "PH"),
    ("new zealand", "NZ"),
    ("ukraine", "UA"),
    ("turkey", "TR"),
    ("iceland", "IS"),
    ("estonia", "EE"),
];

/// The two letters of a country that was named, or advice for a union that is none.
pub(crate) fn country(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    if matches!(lower.as_str(), "eu" | "eea" | "ewr" | "europe" | "european union" | "european economic area")
    {
        return Some(
            "that is no country: name the countries where the recipient works, such as `[\"IE\", \"DE\"]`"
                .to_owned(),
        );
    }
    let found = COUNTRIES.iter().find(|(name, _)| *name == lower).map(|(_, code)| (*code).to_owned());
    let found = found.or_else(|| Some(lower.to_uppercase()).filter(|upper| is_country(upper)));
    found.map(|code| format!("did you mean `{code}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_words_become_numbers() {
        for (said, meant) in [
            ("thirty days", "30 days"),
            ("thirty (30) days", "30 days"),
            ("up to 30 minutes", "30 minutes"),
            ("a fortnight", "2 weeks"),
            ("half an hour", "30 minutes"),
            ("within a month", "1 month"),
            ("30-day", "30 days"),
            ("72hrs", "72 hours"),
            ("twenty-four hours", "24 hours"),
        ] {
            assert_eq!(length(said).as_deref(), Some(meant), "{said}");
        }
        for said in ["as long as necessary", "soon", "", "days", "0 days", "99999999999999 days"] {
            assert_eq!(length(said), None, "{said}");
        }
    }

    #[test]
    fn facts_and_countries_have_other_names() {
        assert_eq!(after("24 hours from upload").as_deref(), Some("24 hours after uploaded"));
        assert_eq!(after("2 years of inactivity").as_deref(), Some("2 years after last-active"));
        assert_eq!(
            after("30 days after you delete your account").as_deref(),
            Some("30 days after account.closed")
        );
        assert_eq!(after("30 days"), None);
        assert_eq!(country("Germany").as_deref(), Some("did you mean `DE`?"));
        assert_eq!(country("de").as_deref(), Some("did you mean `DE`?"));
        assert_eq!(country("UK").as_deref(), Some("did you mean `GB`?"));
        assert!(country("EU").unwrap().contains("no country"));
    }
}

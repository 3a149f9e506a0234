//! What each check looks at, and how far, for whoever reads the board.

const LOOKS_AT: [(&str, &str); 25] = [
    (
        "ai-marked",
        "Where the document lets the program open results to look after safety: up to 32 results, the newest and \
         some from anywhere. Otherwise test photographs that are nobody\u{2019}s, sent through the same edit.",
    ),
    (
        "backups-erased",
        "The key epochs: two alive at most, the newest begun in time, no key under one that is over, and nobody \
         who was erased with a key again.",
    ),
    (
        "consent-gates",
        "Every record and disclosure of 30 days that was made for a choice alone, against the word that its owner \
         had given at that moment.",
    ),
    (
        "deadlines-kept",
        "Every open request against its promised time, and every answer of 30 days against the time it was \
         promised for. An acknowledgement is no answer.",
    ),
    (
        "egress-named-only",
        "Every disclosure of 90 days against the document of its day: recipient, categories, purpose. And whether \
         the bucket that is set up belongs to a recipient that the document names.",
    ),
    (
        "https-only",
        "The public pages as a browser gets them: the address, HSTS for a year on each, and the attributes of \
         every cookie.",
    ),
    (
        "ledger-consistent",
        "The whole ledger, computed again from its entries and compared with every tile and every signed head.",
    ),
    (
        "logs-clean",
        "Every line that this process has logged since its start, for addresses, pictures and fields that are \
         named for something personal.",
    ),
    (
        "metadata-stripped",
        "Where the document lets the program open pictures to look after safety: up to 32 pictures, the newest and \
         some from anywhere. Otherwise test photographs with a position and a caption, sent through the intake.",
    ),
    (
        "no-disclosure-unrecorded",
        "90 days of three accounts that are written apart: the register, the ledger, and the edits that went to a \
         provider.",
    ),
    (
        "no-tracking",
        "The public pages as a browser gets them: their cookies, every address of others that a page would call, \
         and the policy that keeps the browser from calling.",
    ),
    (
        "no-training-unconsented",
        "A year of disclosures for a purpose that trains models, against each owner\u{2019}s word at that moment; \
         and whether such a purpose is off unless turned on.",
    ),
    (
        "notices-sent",
        "What had to be told, against the record of what was sent: each step of the requests of 45 days, accounts \
         near their end, and the days between a version\u{2019}s publication and the day it counts from.",
    ),
    (
        "nothing-undeclared",
        "Everything stored, by category, against the categories that the document in force declares.",
    ),
    (
        "outbound-tls",
        "Every connection that the configuration opens, and whether the client refuses to speak without TLS or to a \
         host nobody named.",
    ),
    (
        "own-images-only",
        "Every read by staff in 30 days: was any of a picture, and did the document of that day allow it.",
    ),
    (
        "payment-data-outside",
        "The fields that a record of payments may have, and, where the document lets the program look, the newest \
         64 records, searched for card numbers.",
    ),
    (
        "provider-copies-removed",
        "Every copy at a recipient that is not known to be gone, against the longest time it may live there.",
    ),
    (
        "retention-kept",
        "Everything stored against its time, by rule; what belongs to nobody who still has an account; and accounts \
         that were left unused for longer than the document allows. What a legal hold keeps is left out.",
    ),
    (
        "sealed-at-rest",
        "Up to 64 pictures and 64 records, the newest and some from anywhere: the first bytes, the length, and \
         whether the key lies under its owner\u{2019}s.",
    ),
    (
        "self-audit",
        "Every other check of the document: passed and fresh; the ledger; and whether the stores hold what they are \
         given.",
    ),
    (
        "staff-reads-recorded",
        "Every read by staff in 30 days: by somebody known, in their role, for what the document allowed. And a \
         rehearsal: the entry of a read, written and then undone.",
    ),
    (
        "temporaries-removed",
        "Uploads that never arrived, pictures whose edit is over, bytes whose key is gone, and files older than a \
         day where uploads come in.",
    ),
    (
        "tokens-verified",
        "Each identity provider that is set up: whether there are keys to verify its tokens by, and every one of \
         them public.",
    ),
    (
        "webhooks-verified",
        "Callbacks that nobody signed, that somebody else signed, that are old or altered, on the check that stands \
         before every callback; and one that is right.",
    ),
];

/// What a check looks at, in words. Empty for one that the program does not have.
pub(in crate::audit) fn looks_at(probe: &str) -> &'static str {
    LOOKS_AT.iter().find(|(name, _)| *name == probe).map_or("", |(_, words)| words)
}

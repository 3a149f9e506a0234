//! The files a page links to, compiled in. Each is served under [`PREFIX`] and nowhere else.

/// Where the files are served.
pub const PREFIX: &str = "/assets/";

/// One file: its name under [`PREFIX`], its media type and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// The last part of its address.
    pub name: &'static str,
    /// The value of `content-type`.
    pub media_type: &'static str,
    /// The text of the file.
    pub body: &'static str,
}

/// The one stylesheet.
pub const STYLE: &str = concat!(
    include_str!("assets/paper.css"),
    include_str!("assets/parts.css"),
    include_str!("assets/policy.css"),
    include_str!("assets/person.css"),
    include_str!("assets/desk.css"),
    include_str!("assets/print.css"),
);

/// Every file there is.
pub const ALL: &[Asset] = &[
    Asset { name: "vouchsafe.css", media_type: "text/css; charset=utf-8", body: STYLE },
    Asset {
        name: "progress.js",
        media_type: "text/javascript; charset=utf-8",
        body: include_str!("assets/progress.js"),
    },
    Asset { name: "favicon.svg", media_type: "image/svg+xml", body: include_str!("assets/favicon.svg") },
];

/// The file of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.name == name)
}

//! The few small drawings that stand beside words. Each is decoration: the word carries the meaning.

use super::words::Markup;

/// A small drawing, sixteen units square, in the colour of the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The product's own: a disc with a tick inside a ring.
    Seal,
    /// Something locked under a key.
    Key,
    /// A time by which something goes or is answered.
    Clock,
    /// A legal hold: kept by a duty.
    Hold,
    /// Something to carry away.
    Download,
    /// Something that will be destroyed.
    Erase,
}

impl Mark {
    /// The drawing, hidden from those who hear the page.
    pub fn draw(self) -> Markup {
        let inside = match self {
            Self::Seal => {
                r#"<circle cx="8" cy="8" r="7.2"/><circle cx="8" cy="8" r="4.9" fill="currentColor" stroke="none"/><path class="cut" d="M5.9 8.1l1.5 1.5 2.8-3.2"/>"#
            }
            Self::Key => r#"<circle cx="5" cy="11" r="3.2"/><path d="M7.3 8.7l6.2-6.2M11 5l2.2 2.2"/>"#,
            Self::Clock => r#"<circle cx="8" cy="8" r="6.4"/><path d="M8 4.4V8l2.5 1.7"/>"#,
            Self::Hold => {
                r#"<path d="M8 1.4v13.2M3.4 4.4h9.2M3.4 4.4L1.4 9.2h4zM12.6 4.4l-2 4.8h4zM5.4 14.6h5.2"/>"#
            }
            Self::Download => r#"<path d="M8 1.8v8.4M4.6 7L8 10.4 11.4 7M2.2 13.8h11.6"/>"#,
            Self::Erase => {
                r#"<path d="M2.4 4h11.2M6 4V2.2h4V4M3.8 4l.8 10h6.8l.8-10M6.6 6.8v4.6M9.4 6.8v4.6"/>"#
            }
        };
        Markup::trusted(format!(
            "<svg class=\"mark\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\" fill=\"none\" stroke=\"currentColor\" \
             stroke-width=\"1.3\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{inside}</svg>"
        ))
    }
}

//! The statement about a picture's source: the IPTC Digital Source Type in an XMP packet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the terms live. IPTC `NewsCodes`, scheme `digitalsourcetype`.
const SCHEME: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

/// A term of the IPTC Digital Source Type scheme, those that an editing service meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DigitalSourceType {
    /// Taken by a camera.
    DigitalCapture,
    /// Taken by a camera that merges several frames.
    ComputationalCapture,
    /// Changed by a person with tools that generate nothing.
    HumanEdits,
    /// Corrected by an algorithm that leaves the main content as it was.
    AlgorithmicallyEnhanced,
    /// Changed with a generative model: what a Kontext edit is.
    CompositeWithTrainedAlgorithmicMedia,
    /// Made by a generative model entirely.
    TrainedAlgorithmicMedia,
    /// Put together from parts of which one is generated.
    CompositeSynthetic,
    /// Made by an algorithm without a trained model.
    AlgorithmicMedia,
}

impl DigitalSourceType {
    const ALL: [Self; 8] = [
        Self::DigitalCapture,
        Self::ComputationalCapture,
        Self::HumanEdits,
        Self::AlgorithmicallyEnhanced,
        Self::CompositeWithTrainedAlgorithmicMedia,
        Self::TrainedAlgorithmicMedia,
        Self::CompositeSynthetic,
        Self::AlgorithmicMedia,
    ];

    /// The term, as it stands at the end of its URI.
    pub fn term(self) -> &'static str {
        match self {
            Self::DigitalCapture => "digitalCapture",
            Self::ComputationalCapture => "computationalCapture",
            Self::HumanEdits => "humanEdits",
            Self::AlgorithmicallyEnhanced => "algorithmicallyEnhanced",
            Self::CompositeWithTrainedAlgorithmicMedia => "compositeWithTrainedAlgorithmicMedia",
            Self::TrainedAlgorithmicMedia => "trainedAlgorithmicMedia",
            Self::CompositeSynthetic => "compositeSynthetic",
            Self::AlgorithmicMedia => "algorithmicMedia",
        }
    }

    /// The whole URI.
    pub fn uri(self) -> String {
        format!("{SCHEME}{}", self.term())
    }

    /// Whether a generative model had a part in it, so that later edits may not say less.
    pub fn is_generated(self) -> bool {
        matches!(
            self,
            Self::CompositeWithTrainedAlgorithmicMedia
                | Self::TrainedAlgorithmicMedia
                | Self::CompositeSynthetic
        )
    }

    /// The first term of the scheme in a packet, as element, attribute or resource alike. `http` and `https` are both
    /// met in the wild.
    pub(super) fn find(packet: &[u8]) -> Option<Self> {
        const TAIL: &[u8] = b"cv.iptc.org/newscodes/digitalsourcetype/";
        let start = packet.windows(TAIL.len()).position(|w| w == TAIL)? + TAIL.len();
        let rest = packet.get(start..)?;
        let end = rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(rest.len());
        let term = rest.get(..end)?;
        Self::ALL.into_iter().find(|t| t.term().as_bytes() == term)
    }
}

impl fmt::Display for DigitalSourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.term())
    }
}

/// An XMP packet (ISO 16684-1) with the one property `Iptc4xmpExt:DigitalSourceType`.
pub(super) fn packet(source: DigitalSourceType) -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">\
         <Iptc4xmpExt:DigitalSourceType>{SCHEME}{}</Iptc4xmpExt:DigitalSourceType>\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>",
        source.term()
    )
}

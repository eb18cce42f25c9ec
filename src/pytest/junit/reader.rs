//! Reads JUnit reports of unknown origin: nothing is expanded, everything has a limit.
//!
//! Stricter than XML where a report has no need of it (no DOCTYPE, no entities but the predefined ones), and laxer where
//! other tools are sloppy: control characters that XML forbids are taken as they are, so nothing read here may go to a
//! terminal or a file without being made visible.

mod build;

use std::io::{self, Read};
use std::path::Path;

use fs_err as fs;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use build::Builder;

/// The largest report that is read, in bytes.
pub const FILE_LIMIT: usize = 64 << 20;
/// The deepest element.
pub const DEPTH_LIMIT: usize = 32;
/// The most test cases in one report.
pub const CASE_LIMIT: usize = 1_000_000;
/// The longest attribute, in bytes as it is written.
pub const ATTRIBUTE_LIMIT: usize = 64 << 10;
/// The most attributes of one element.
pub const ATTRIBUTES_LIMIT: usize = 64;
/// How much is kept of the text of a failure, in bytes.
pub const TEXT_LIMIT: usize = 16 << 10;

/// Why a report cannot be read. Offsets count bytes from the start.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file.
    #[error("cannot read the report: {0}")]
    Io(#[from] io::Error),
    /// Over [`FILE_LIMIT`].
    #[error("the report is larger than {} MiB", FILE_LIMIT >> 20)]
    TooLarge,
    /// Over [`DEPTH_LIMIT`].
    #[error("the report nests its elements deeper than {DEPTH_LIMIT}, at byte {0}")]
    TooDeep(usize),
    /// Over [`CASE_LIMIT`].
    #[error("the report holds more than {CASE_LIMIT} test cases")]
    TooManyCases,
    /// Over [`ATTRIBUTE_LIMIT`] or [`ATTRIBUTES_LIMIT`].
    #[error("an element of the report has too many or too long attributes, before byte {0}")]
    Attributes(usize),
    /// A document type could define entities.
    #[error("the report has a DOCTYPE, which no JUnit report needs")]
    Doctype,
    /// An entity that XML does not define.
    #[error("the report uses the undefined entity &{name}; before byte {at}")]
    Entity {
        /// The name between `&` and `;`, shortened.
        name: String,
        /// Where it ends.
        at: usize,
    },
    /// Invalid UTF-8.
    #[error("the report is not UTF-8, at byte {0}")]
    NotUtf8(usize),
    /// Not well-formed.
    #[error("the report is not well-formed XML, at byte {at}: {what}")]
    Syntax {
        /// What is wrong.
        what: String,
        /// Where.
        at: usize,
    },
    /// It ends too early.
    #[error("the report ends before it is complete: <{0}> is not closed")]
    Unclosed(String),
    /// Something after the root element.
    #[error("the report goes on after its end, at byte {0}")]
    Trailing(usize),
    /// Some other XML.
    #[error("not a JUnit report: the root element is <{0}>, not <testsuites> or <testsuite>")]
    NotJunit(String),
    /// No element at all.
    #[error("the report is empty")]
    Empty,
}

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Every `<testsuite>`, in document order.
    pub suites: Vec<SuiteInfo>,
    /// Every `<testcase>`, in document order.
    pub cases: Vec<Case>,
}

/// The attributes of a `<testsuite>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuiteInfo {
    /// Its name.
    pub name: String,
    /// When it began, as it is written.
    pub timestamp: Option<String>,
    /// Where it ran.
    pub hostname: Option<String>,
}

/// A `<testcase>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The innermost `<testsuite>` it stands in.
    pub suite: Option<u32>,
    /// Its attribute.
    pub classname: String,
    /// Its attribute.
    pub name: String,
    /// Its attribute (`xunit1`).
    pub file: Option<String>,
    /// Its attribute (`xunit1`); pytest counts from 0.
    pub line: Option<u32>,
    /// Its attribute `time`.
    pub seconds: Option<f64>,
    /// Its `<failure>`, `<error>` and `<skipped>` children.
    pub details: Vec<Detail>,
    /// The property `fh_nodeid`.
    pub node_id: Option<String>,
    /// The property `fh_n`.
    pub position: Option<u64>,
    /// How many `<flakyFailure>` and `<flakyError>` it has: failed tries of a test that passed in the end.
    pub flaky: u32,
    /// How many `<rerunFailure>`, `<rerunError>` and `<rerun>` it has: failed tries besides the one reported.
    pub reruns: u32,
}

/// What kind of child a test case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `<skipped>`
    Skipped,
    /// `<failure>`
    Failure,
    /// `<error>`
    Error,
}

/// A child of a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Which element.
    pub kind: Kind,
    /// Its attribute `message`.
    pub message: Option<String>,
    /// Its attribute `type`.
    pub r#type: Option<String>,
    /// Its text, [`TEXT_LIMIT`] bytes at most.
    pub text: String,
}

impl Case {
    /// The worst child; `None` is a test that passed.
    pub fn worst(&self) -> Option<Kind> {
        self.details.iter().map(|detail| detail.kind).max()
    }

    /// Whether it has a failure or an error.
    pub fn failed(&self) -> bool {
        self.worst() >= Some(Kind::Failure)
    }

    /// How many children of a kind it has.
    pub fn count(&self, kind: Kind) -> usize {
        self.details.iter().filter(|detail| detail.kind == kind).count()
    }
}

/// Reads the report in a file.
pub fn read_file(path: &Path) -> Result<Report, ReadError> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    read(&bytes)
}

/// Reads a report.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    if bytes.len() > FILE_LIMIT {
        return Err(ReadError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::NotUtf8(error.valid_up_to()))?;
    let mut source = Source { xml: Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) };
    let mut builder = Builder::default();
    let mut closed = false;
    loop {
        let event = source.next()?;
        match event {
            Event::Start(tag) => {
                source.enter(&builder, closed)?;
                builder.start(&tag, &source)?;
            }
            Event::Empty(tag) => {
                source.enter(&builder, closed)?;
                builder.start(&tag, &source)?;
                builder.end();
                closed = builder.depth() == 0;
            }
            Event::End(_) => {
                builder.end();
                closed = builder.depth() == 0;
            }
            Event::Text(text) if builder.depth() == 0 => {
                if !text.iter().all(u8::is_ascii_whitespace) {
                    return Err(source.outside(closed));
                }
            }
            Event::Text(text) => {
                builder.text(&text.xml10_content().map_err(|error| source.syntax(&error))?);
            }
            Event::CData(_) | Event::GeneralRef(_) if builder.depth() == 0 => {
                return Err(source.outside(closed));
            }
            Event::CData(text) => {
                builder.text(&text.xml10_content().map_err(|error| source.syntax(&error))?);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| source.syntax(&error))?;
                let resolved = reference.resolve_char_ref().map_err(|error| source.syntax(&error))?;
                match (resolved, quick_xml::escape::resolve_predefined_entity(&name)) {
                    (Some(c), _) => builder.text(c.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => builder.text(text),
                    (None, None) => return Err(source.entity(&name)),
                }
            }
            Event::DocType(_) => return Err(ReadError::Doctype),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match builder.open() {
        Some(element) => Err(ReadError::Unclosed(element)),
        None if closed => Ok(builder.report),
        None => Err(ReadError::Empty),
    }
}

/// The pull reader, with errors of ours.
struct Source<'a> {
    xml: Reader<&'a [u8]>,
}

impl<'a> Source<'a> {
    fn next(&mut self) -> Result<Event<'a>, ReadError> {
        self.xml
            .read_event()
            .map_err(|error| ReadError::Syntax { what: error.to_string(), at: self.error_at() })
    }

    fn at(&self) -> usize {
        usize::try_from(self.xml.buffer_position()).unwrap_or(usize::MAX)
    }

    fn error_at(&self) -> usize {
        usize::try_from(self.xml.error_position()).unwrap_or(usize::MAX)
    }

    fn syntax(&self, error: &dyn std::fmt::Display) -> ReadError {
        ReadError::Syntax { what: error.to_string(), at: self.at() }
    }

    fn entity(&self, name: &str) -> ReadError {
        ReadError::Entity {
            name: crate::core::fingerprint::shorten(super::chars::head(name, 100)),
            at: self.at(),
        }
    }

    /// Text where no text may stand.
    fn outside(&self, closed: bool) -> ReadError {
        if closed { ReadError::Trailing(self.at()) } else { self.syntax(&"text before the first element") }
    }

    /// Whether another element may begin here.
    fn enter(&self, builder: &Builder, closed: bool) -> Result<(), ReadError> {
        if closed {
            return Err(ReadError::Trailing(self.at()));
        }
        if builder.depth() >= DEPTH_LIMIT {
            return Err(ReadError::TooDeep(self.at()));
        }
        Ok(())
    }

    /// Gives each attribute of a tag, resolved.
    fn attributes(&self, tag: &BytesStart<'_>, mut each: impl FnMut(&[u8], &str)) -> Result<(), ReadError> {
        for (count, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| self.syntax(&error))?;
            if count >= ATTRIBUTES_LIMIT || attribute.value.len() > ATTRIBUTE_LIMIT {
                return Err(ReadError::Attributes(self.at()));
            }
            let value = attribute.decoded_and_normalized_value(XmlVersion::Implicit1_0, self.xml.decoder());
            match value {
                Ok(value) => each(attribute.key.local_name().as_ref(), &value),
                Err(quick_xml::Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(
                    _,
                    name,
                ))) => {
                    return Err(self.entity(&name));
                }
                Err(error) => return Err(self.syntax(&error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

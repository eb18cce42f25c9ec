//! Builds a report from the elements as they open and close.

use quick_xml::events::BytesStart;

use super::super::chars::head;
use super::super::{NODE_ID, POSITION};
use super::{CASE_LIMIT, Case, Detail, Kind, ReadError, Report, Source, SuiteInfo, TEXT_LIMIT};

/// An element that is open.
#[derive(Debug)]
enum Element {
    /// `<testsuites>`
    Root,
    Suite,
    Case,
    /// A child of the case whose text is kept.
    Detail,
    /// Anything else, by name.
    Other(String),
}

#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) report: Report,
    open: Vec<Element>,
    /// The suites that are open.
    suites: Vec<u32>,
    case: Option<Case>,
}

impl Builder {
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the innermost open element.
    pub(super) fn open(&self) -> Option<String> {
        Some(match self.open.last()? {
            Element::Root => "testsuites".to_owned(),
            Element::Suite => "testsuite".to_owned(),
            Element::Case => "testcase".to_owned(),
            Element::Detail => "failure, error or skipped".to_owned(),
            Element::Other(name) => name.clone(),
        })
    }

    pub(super) fn start(&mut self, tag: &BytesStart<'_>, source: &Source<'_>) -> Result<(), ReadError> {
        let local = tag.local_name();
        let name = local.as_ref();
        let in_case = matches!(self.open.last(), Some(Element::Case));
        let element = match name {
            b"testsuites" if self.open.is_empty() => Element::Root,
            b"testsuite" if matches!(self.open.last(), None | Some(Element::Root | Element::Suite)) => {
                self.suite(tag, source)?;
                Element::Suite
            }
            _ if self.open.is_empty() => return Err(ReadError::NotJunit(shown(name))),
            b"testcase" if matches!(self.open.last(), Some(Element::Root | Element::Suite)) => {
                self.case(tag, source)?;
                Element::Case
            }
            b"failure" if in_case => self.detail(Kind::Failure, tag, source)?,
            b"error" if in_case => self.detail(Kind::Error, tag, source)?,
            b"skipped" if in_case => self.detail(Kind::Skipped, tag, source)?,
            _ => {
                if let Some(case) = &mut self.case {
                    match name {
                        b"property" => property(case, tag, source)?,
                        b"flakyFailure" | b"flakyError" => case.flaky += 1,
                        b"rerunFailure" | b"rerunError" | b"rerun" => case.reruns += 1,
                        _ => {}
                    }
                }
                Element::Other(shown(name))
            }
        };
        self.open.push(element);
        Ok(())
    }

    pub(super) fn end(&mut self) {
        match self.open.pop() {
            Some(Element::Suite) => drop(self.suites.pop()),
            Some(Element::Case) => self.report.cases.extend(self.case.take()),
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if let (Some(Element::Detail), Some(case)) = (self.open.last(), &mut self.case)
            && let Some(detail) = case.details.last_mut()
        {
            detail.text.push_str(head(text, TEXT_LIMIT.saturating_sub(detail.text.len())));
        }
    }

    fn suite(&mut self, tag: &BytesStart<'_>, source: &Source<'_>) -> Result<(), ReadError> {
        let mut suite = SuiteInfo::default();
        source.attributes(tag, |key, value| match key {
            b"name" => suite.name = value.to_owned(),
            b"timestamp" => suite.timestamp = Some(value.to_owned()),
            b"hostname" => suite.hostname = Some(value.to_owned()),
            _ => {}
        })?;
        self.suites.push(self.report.suites.len() as u32);
        self.report.suites.push(suite);
        Ok(())
    }

    fn case(&mut self, tag: &BytesStart<'_>, source: &Source<'_>) -> Result<(), ReadError> {
        if self.report.cases.len() >= CASE_LIMIT {
            return Err(ReadError::TooManyCases);
        }
        let mut case = Case { suite: self.suites.last().copied(), ..Case::default() };
        source.attributes(tag, |key, value| match key {
            b"classname" => case.classname = value.to_owned(),
            b"name" => case.name = value.to_owned(),
            b"file" => case.file = Some(value.to_owned()),
            b"line" => case.line = value.trim().parse().ok(),
            b"time" => case.seconds = seconds(value),
            _ => {}
        })?;
        self.case = Some(case);
        Ok(())
    }

    fn detail(
        &mut self,
        kind: Kind,
        tag: &BytesStart<'_>,
        source: &Source<'_>,
    ) -> Result<Element, ReadError> {
        let mut detail = Detail { kind, message: None, r#type: None, text: String::new() };
        source.attributes(tag, |key, value| match key {
            b"message" => detail.message = Some(value.to_owned()),
            b"type" => detail.r#type = Some(value.to_owned()),
            _ => {}
        })?;
        if let Some(case) = &mut self.case {
            case.details.push(detail);
        }
        Ok(Element::Detail)
    }
}

fn property(case: &mut Case, tag: &BytesStart<'_>, source: &Source<'_>) -> Result<(), ReadError> {
    let (mut name, mut text) = (String::new(), String::new());
    source.attributes(tag, |key, value| match key {
        b"name" => name = value.to_owned(),
        b"value" => text = value.to_owned(),
        _ => {}
    })?;
    match name.as_str() {
        NODE_ID => case.node_id = Some(text),
        POSITION => case.position = text.parse().ok(),
        _ => {}
    }
    Ok(())
}

/// Seconds as tools write them; Surefire groups thousands with commas.
fn seconds(text: &str) -> Option<f64> {
    let seconds: f64 = text.trim().replace(',', "").parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// The name of an element for a message.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]);
    crate::core::fingerprint::shorten(&name)
}

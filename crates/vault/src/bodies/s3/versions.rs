//! Old versions of objects: whether a bucket keeps them, which there are, and their end.

use std::io::ErrorKind;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use ureq::http::{Method, Response};

use super::requests::{Ask, Bucket};
use crate::error::BodyError;
use crate::ids::PackId;

/// Whether a bucket keeps what is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    /// It never did.
    None,
    /// It does, or did and may hold some.
    Kept,
}

/// One version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// The object's name within the vault's place.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) size: u64,
    /// Whether it is what a reader finds now.
    pub(super) is_current: bool,
}

/// What a place holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Versions first, then marks of deletion, each page by page.
    pub(super) versions: Vec<Version>,
    /// How many names lie deeper than the place.
    pub(super) folders: usize,
}

impl Found {
    pub(super) fn versions_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Version> {
        self.versions.iter().filter(move |version| version.name == name)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersioningConfiguration {
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListVersionsResult {
    /// Without it nobody could tell whether there is more.
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_version_id_marker: Option<String>,
    #[serde(default)]
    version: Vec<Entry>,
    #[serde(default)]
    delete_marker: Vec<Entry>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    version_id: String,
    is_latest: bool,
    size: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct CommonPrefix {}

/// Asks whether the bucket keeps old versions, or ever did.
pub(super) fn history(bucket: &Bucket, runtime: &Runtime) -> Result<History, BodyError> {
    const OPERATION: &str = "ask whether the bucket keeps old versions";
    let answer = bucket.ask(OPERATION, runtime, &Ask { query: &[("versioning", "")], ..Ask::default() })?;
    let configuration: VersioningConfiguration = read(OPERATION, "VersioningConfiguration", &answer)?;
    // A state that is not known here is not one that keeps nothing.
    Ok(if configuration.status.is_none() { History::None } else { History::Kept })
}

/// Every version and mark of deletion whose name begins so, page after page.
pub(super) fn list(bucket: &Bucket, runtime: &Runtime, beginning: &str) -> Result<Found, BodyError> {
    const OPERATION: &str = "list the versions of packs";
    let (prefix, place) = (bucket.key(beginning), bucket.key(""));
    let mut found = Found::default();
    let mut marks: Vec<Version> = Vec::new();
    let mut after: Option<(String, String)> = None;
    loop {
        let mut query = vec![("versions", ""), ("prefix", prefix.as_str()), ("delimiter", "/")];
        if let Some((key, version)) = &after {
            query.extend([("key-marker", key.as_str()), ("version-id-marker", version.as_str())]);
            query.retain(|(name, value)| *name != "version-id-marker" || !value.is_empty());
        }
        let answer = bucket.ask(OPERATION, runtime, &Ask { query: &query, ..Ask::default() })?;
        let page: ListVersionsResult = read(OPERATION, "ListVersionsResult", &answer)?;
        found.folders += page.common_prefixes.len();
        let within = |entry: Entry, is_mark: bool| {
            let name = entry.key.strip_prefix(&place).ok_or_else(|| malformed(OPERATION))?.to_owned();
            let is_current = entry.is_latest && !is_mark;
            Ok(Version { name, id: entry.version_id, size: entry.size.unwrap_or(0), is_current })
        };
        for entry in page.version {
            found.versions.push(within(entry, false)?);
        }
        for entry in page.delete_marker {
            marks.push(within(entry, true)?);
        }
        if !page.is_truncated {
            found.versions.append(&mut marks);
            return Ok(found);
        }
        let next =
            (page.next_key_marker.unwrap_or_default(), page.next_version_id_marker.unwrap_or_default());
        // A page that leads nowhere would be read for ever.
        if next.0.is_empty() || after.as_ref() == Some(&next) {
            return Err(malformed(OPERATION));
        }
        after = Some(next);
    }
}

/// Deletes one version of a pack; none deletes the object of a bucket that keeps no versions.
pub(super) fn delete(
    bucket: &Bucket,
    runtime: &Runtime,
    pack: PackId,
    version: Option<&str>,
) -> Result<(), BodyError> {
    const OPERATION: &str = "remove a pack";
    let name = pack.to_string();
    let of_version: Vec<_> = version.map(|version| ("versionId", version)).into_iter().collect();
    let ask = Ask { method: Method::DELETE, name: Some(&name), query: &of_version, ..Ask::default() };
    let answer = bucket.ask(OPERATION, runtime, &ask)?;
    match answer.status().as_u16() {
        200 | 202 | 204 => Ok(()),
        404 if said(&answer).contains("NoSuchKey") || said(&answer).contains("NoSuchVersion") => Ok(()),
        _ if version.is_some() && is_locked(bucket, runtime, &ask)? => Err(BodyError::Locked(pack)),
        _ => Err(refused(OPERATION, &answer)),
    }
}

/// Whether a retention period or a legal hold lies on a version that was not deleted.
fn is_locked(bucket: &Bucket, runtime: &Runtime, refused: &Ask<'_>) -> Result<bool, BodyError> {
    const OPERATION: &str = "ask what keeps a pack from being removed";
    let answer = bucket.ask(OPERATION, runtime, &Ask { method: Method::HEAD, ..refused.clone() })?;
    let says = |name: &str| answer.headers().get(name).is_some_and(|value| value != "OFF");
    Ok(says("x-amz-object-lock-legal-hold") || says("x-amz-object-lock-mode"))
}

/// What an answer says, if it is the document that was asked for.
///
/// A proxy's page with nothing in it that is known here must not pass for an empty answer.
fn read<T: DeserializeOwned>(
    operation: &'static str,
    root: &str,
    answer: &Response<Bytes>,
) -> Result<T, BodyError> {
    if answer.status() != 200 {
        return Err(refused(operation, answer));
    }
    let text = std::str::from_utf8(answer.body()).map_err(|_| malformed(operation))?;
    let text_of_root = text.split_once("?>").map_or(text, |(_, rest)| rest).trim_start();
    let begins = text_of_root.strip_prefix('<').and_then(|text| text.strip_prefix(root));
    if !begins.is_some_and(|rest| rest.starts_with([' ', '>', '/'])) {
        return Err(malformed(operation));
    }
    quick_xml::de::from_str(text).map_err(|_| malformed(operation))
}

fn said(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).unwrap_or_default()
}

/// What a status means that is not that of success. Nothing of the answer's text is passed on.
fn refused(operation: &'static str, answer: &Response<Bytes>) -> BodyError {
    let kind = match answer.status().as_u16() {
        401 | 403 => return BodyError::Denied { operation },
        404 if said(answer).contains("NoSuchBucket") => return BodyError::NoBucket,
        501 | 405 => ErrorKind::Unsupported,
        429 | 500..=599 => ErrorKind::ConnectionAborted,
        _ => ErrorKind::Other,
    };
    BodyError::Unreachable { operation, kind }
}

const fn malformed(operation: &'static str) -> BodyError {
    BodyError::Unreachable { operation, kind: ErrorKind::InvalidData }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    fn history_of(body: &str) -> Result<VersioningConfiguration, BodyError> {
        read("ask", "VersioningConfiguration", &answer(200, body))
    }

    fn listing_of(body: &str) -> Result<ListVersionsResult, BodyError> {
        read("ask", "ListVersionsResult", &answer(200, body))
    }

    #[test]
    fn a_document_of_another_kind_never_passes_for_an_empty_answer() {
        assert_eq!(history_of("<VersioningConfiguration/>").unwrap().status, None);
        let kept = "<?xml version=\"1.0\"?>\n<VersioningConfiguration xmlns=\"x\"><Status>Suspended</Status></VersioningConfiguration>";
        assert_eq!(history_of(kept).unwrap().status.as_deref(), Some("Suspended"));
        for other in
            ["", "<html></html>", "<Error><Code>x</Code></Error>", "<VersioningConfigurations/>", "{}"]
        {
            assert_eq!(history_of(other).unwrap_err(), malformed("ask"), "{other}");
        }
    }

    #[test]
    fn a_listing_that_does_not_say_whether_there_is_more_is_not_understood() {
        let cut = "<ListVersionsResult><IsTruncated>false</IsTruncated>";
        for other in ["<ListVersionsResult></ListVersionsResult>", "<html></html>", cut] {
            assert_eq!(listing_of(other).unwrap_err(), malformed("ask"), "{other}");
        }
        let entry = "<Key>a</Key><VersionId>1</VersionId><IsLatest>true</IsLatest>";
        let mixed = format!(
            "<ListVersionsResult><Version>{entry}<Size>3</Size></Version><DeleteMarker>{entry}</DeleteMarker>\
             <Version>{entry}</Version><IsTruncated>true</IsTruncated></ListVersionsResult>"
        );
        let read = listing_of(&mixed).unwrap();
        assert_eq!((read.version.len(), read.delete_marker.len(), read.is_truncated), (2, 1, true));
    }

    #[test]
    fn a_refusal_says_what_to_do_and_repeats_nothing_of_the_answer() {
        let of = |status, body: &str| refused("ask", &answer(status, body));
        assert_eq!(
            of(403, "<Error><Code>AccessDenied</Code></Error>"),
            BodyError::Denied { operation: "ask" }
        );
        assert_eq!(of(404, "<Error><Code>NoSuchBucket</Code></Error>"), BodyError::NoBucket);
        assert!(matches!(of(404, ""), BodyError::Unreachable { .. }));
        let unknown = of(418, "StringToSign: secret");
        assert!(!format!("{unknown} {unknown:?}").contains("StringToSign"));
    }
}

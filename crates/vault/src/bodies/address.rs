//! Where a bucket is, and who may use it.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::BodyError;

const REGION_DEFAULT: &str = "us-east-1";

/// A place in a bucket of an S3-compatible store. It holds no secret.
///
/// Names are kept to letters, digits, `-`, `_`, `.` and the prefix's `/`, so that they are written in
/// one way only, whatever stands between here and the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address {
    bucket: String,
    prefix: String,
    endpoint: String,
    region: String,
}

impl S3Address {
    /// Reads `s3://BUCKET/PREFIX`, the address of a server that is not Amazon's, and a region.
    pub fn parse(place: &str, endpoint: Option<&str>, region: Option<&str>) -> Result<Self, BodyError> {
        let wrong = || BodyError::Address("`s3://BUCKET/PREFIX`, of letters, digits, `-`, `_` and `.`");
        let path = place.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let prefix = prefix.trim_end_matches('/');
        let parts_are_names = prefix.is_empty() || prefix.split('/').all(is_name);
        if !is_name(bucket) || !parts_are_names {
            return Err(wrong());
        }
        let region = region.unwrap_or(REGION_DEFAULT);
        if !is_name(region) {
            return Err(BodyError::Address("a region such as `eu-central-1`"));
        }
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{region}.amazonaws.com"),
        };
        if !is_endpoint(&endpoint) {
            return Err(BodyError::Address("an endpoint such as `https://s3.example.com`, without a path"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), endpoint, region: region.to_owned() })
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What stands before the name of every object, without a `/` at its end. It may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The server.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// `s3://BUCKET/PREFIX`, as it is read.
impl fmt::Display for S3Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(out, "/{}", self.prefix) }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(plain) && text.bytes().any(|byte| byte != b'.')
}

/// A scheme, a host and perhaps a port: no path, nobody's name and no secret.
fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']');
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
}

/// What proves to the store who asks, taken from the usual variables of the environment. It is never
/// written anywhere.
#[derive(Clone, Default)]
pub struct S3Credentials {
    variables: Vec<(String, Zeroizing<String>)>,
}

impl S3Credentials {
    /// The variables that say who asks. Others, such as one that would turn off conditional writes,
    /// are left alone.
    const NAMES: [&str; 9] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ];

    /// Keeps those of the variables that say who asks.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables
            .into_iter()
            .filter(|(name, value)| Self::NAMES.contains(&name.as_str()) && !value.is_empty());
        Self { variables: variables.map(|(name, value)| (name, Zeroizing::new(value))).collect() }
    }

    /// Each variable, if they suffice to sign with.
    #[cfg_attr(
        not(any(test, feature = "s3")),
        expect(dead_code, reason = "nobody asks where no store can be asked")
    )]
    pub(super) fn sufficient(&self) -> Result<impl Iterator<Item = (&str, &str)>, BodyError> {
        let has = |wanted: &str| self.variables.iter().any(|(name, _)| name == wanted);
        let suffice = has("AWS_ACCESS_KEY_ID") && has("AWS_SECRET_ACCESS_KEY")
            || has("AWS_WEB_IDENTITY_TOKEN_FILE")
            || has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
            || has("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if suffice {
            Ok(self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        } else {
            Err(BodyError::NoCredentials)
        }
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.iter().map(|(name, _)| name);
        out.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let at = S3Address::parse("s3://b.u-1/a/b_c/", Some("http://127.0.0.1:8333/"), None).unwrap();
        assert_eq!((at.bucket(), at.prefix()), ("b.u-1", "a/b_c"));
        assert_eq!((at.endpoint(), at.region()), ("http://127.0.0.1:8333", "us-east-1"));
        assert_eq!(S3Address::parse(&at.to_string(), Some(at.endpoint()), Some(at.region())), Ok(at));
        let whole = S3Address::parse("s3://bucket", None, Some("eu-central-1")).unwrap();
        assert_eq!(whole.endpoint(), "https://s3.eu-central-1.amazonaws.com");
        assert_eq!(whole.to_string(), "s3://bucket");
    }

    #[test]
    fn an_address_that_could_be_read_in_two_ways_is_refused() {
        for place in [
            "bucket",
            "s3://",
            "s3:///a",
            "s3://b/a//b",
            "s3://b/..",
            "s3://b/a b",
            "s3://b/a?c",
            "s3://b/%61",
        ] {
            assert!(matches!(S3Address::parse(place, None, None), Err(BodyError::Address(_))), "{place}");
        }
        for endpoint in ["s3.example.com", "https://", "https://u:p@host", "https://host/path", "ftp://host"]
        {
            let read = S3Address::parse("s3://b", Some(endpoint), None);
            assert!(matches!(read, Err(BodyError::Address(_))), "{endpoint}");
        }
        assert!(matches!(S3Address::parse("s3://b", None, Some("a/b")), Err(BodyError::Address(_))));
    }

    #[test]
    fn only_variables_that_say_who_asks_are_kept_and_none_is_shown() {
        let of = |variables: &[(&str, &str)]| {
            S3Credentials::from_variables(
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
            )
        };
        let (id, secret) = (("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hidden"));
        let credentials = of(&[id, secret, ("AWS_CONDITIONAL_PUT", "disabled"), ("HOME", "/")]);
        assert_eq!(credentials.sufficient().unwrap().collect::<Vec<_>>(), [id, secret]);
        assert!(!format!("{credentials:?}").contains("hidden"));
        for too_few in [&[][..], &[id], &[id, (secret.0, "")]] {
            assert!(matches!(of(too_few).sufficient().map(drop), Err(BodyError::NoCredentials)));
        }
    }
}

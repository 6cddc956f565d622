//! The forms that settings have: each is written in one way, and says how where it is written wrongly.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tenure_model::Span;

/// What a setting may be.
pub(super) trait Form: Sized {
    /// What to write, for the document and for whoever wrote something else.
    const WRITE: &'static str;

    fn parse(text: &str) -> Option<Self>;

    /// As it would be written.
    fn show(&self) -> String;
}

impl Form for SocketAddr {
    const WRITE: &'static str = "an address with a port, such as `127.0.0.1:8080` or `[::]:8080`";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// An address, or none.
impl Form for Option<SocketAddr> {
    const WRITE: &'static str = "an address with a port, such as `127.0.0.1:8081`, or `off`";

    fn parse(text: &str) -> Option<Self> {
        if text == "off" { Some(None) } else { SocketAddr::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

impl Form for PathBuf {
    const WRITE: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

/// A file, or none.
impl Form for Option<PathBuf> {
    const WRITE: &'static str = "the path of a file, or nothing";

    fn parse(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| PathBuf::from(text)))
    }

    fn show(&self) -> String {
        self.as_ref().map(Form::show).unwrap_or_default()
    }
}

impl Form for Duration {
    const WRITE: &'static str =
        "a whole number with `ms`, `s`, `m` or `h` behind it, such as `10s`, and at most `168h`";

    fn parse(text: &str) -> Option<Self> {
        let unit = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(unit)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let time = Self::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?);
        (!time.is_zero() && time <= Self::from_hours(7 * 24)).then_some(time)
    }

    fn show(&self) -> String {
        let millis = self.as_millis();
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if millis.is_multiple_of(size) {
                return format!("{}{unit}", millis / size);
            }
        }
        format!("{millis}ms")
    }
}

/// A time, or never.
impl Form for Option<Duration> {
    const WRITE: &'static str =
        "a whole number with `ms`, `s`, `m` or `h` behind it, such as `1h`, and at most `168h`; or `never`";

    fn parse(text: &str) -> Option<Self> {
        if text == "never" { Some(None) } else { Duration::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "never".to_owned(), Form::show)
    }
}

impl Form for Span {
    const WRITE: &'static str = "a whole number and `hours` or `days`, such as `2 hours`";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Form for u32 {
    const WRITE: &'static str = "a whole number from 1 on";

    fn parse(text: &str) -> Option<Self> {
        text.replace('_', "").parse().ok().filter(|number| *number > 0)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A number, or no bound.
impl Form for Option<u32> {
    const WRITE: &'static str = "a whole number from 1 on, or `unlimited`";

    fn parse(text: &str) -> Option<Self> {
        if text == "unlimited" { Some(None) } else { u32::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "unlimited".to_owned(), |number| number.to_string())
    }
}

/// The address of a page, or none.
impl Form for Option<String> {
    const WRITE: &'static str = "an address that begins with `http://` or `https://`, or `off`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(None),
            _ if text.starts_with("http://") || text.starts_with("https://") => Some(Some(text.to_owned())),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.clone().unwrap_or_else(|| "off".to_owned())
    }
}

/// Several, such as addresses of witnesses.
impl Form for Vec<String> {
    const WRITE: &'static str = "a list; in a flag or a variable with commas between";

    fn parse(text: &str) -> Option<Self> {
        let several = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        Some(several.map(str::to_owned).collect())
    }

    fn show(&self) -> String {
        self.join(",")
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident: $write:literal { $($word:literal => $variant:ident),* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($variant),*
        }

        impl Form for $name {
            const WRITE: &'static str = $write;

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn show(&self) -> String {
                match self {
                    $(Self::$variant => $word,)*
                }
                .to_owned()
            }
        }
    };
}

words! {
    /// How the log is written.
    LogForm: "`json` or `text`" { "json" => Json, "text" => Text }
}
words! {
    /// What of the log is written.
    Level: "`error`, `warn`, `info` or `debug`" {
        "error" => Error, "warn" => Warn, "info" => Info, "debug" => Debug
    }
}
words! {
    /// Which requests have a line in the log.
    Told: "`all` or `failed`" { "all" => All, "failed" => Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in ["250ms", "10s", "90s", "5m", "2h"] {
            let time = Duration::parse(text).unwrap();
            assert_eq!(Duration::parse(&time.show()), Some(time), "{text}");
        }
        for wrong in ["", "10", "s", "0s", "-1s", "1.5s", "169h", "1d", "99999999999999999999s"] {
            assert_eq!(Duration::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Option::<Duration>::parse("never"), Some(None));
        assert_eq!(Option::<SocketAddr>::parse("off"), Some(None));
        assert_eq!(u32::parse("10_240"), Some(10_240));
        assert_eq!(u32::parse("0"), None);
        assert_eq!(Vec::parse("a, b,"), Some(vec!["a".to_owned(), "b".to_owned()]));
    }
}

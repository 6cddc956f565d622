//! RFC 3339, read strictly and written shortly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::civil::{civil_from_days, days_from_civil, days_in_month};
use super::instant::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::{Instant, TimeError};

impl Instant {
    /// Reads an RFC 3339 instant with any offset; digits beyond microseconds are cut.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let malformed = || TimeError::Malformed(text.chars().take(40).collect());
        let impossible = || TimeError::Impossible(text.chars().take(40).collect());
        let form = Rfc3339::read(text.as_bytes()).ok_or_else(malformed)?;
        let date_exists = (1..=12).contains(&form.month)
            && form.day >= 1
            && form.day <= days_in_month(form.year, form.month);
        // A leap second ends a day in UTC, and is read as the second before it, since POSIX time has no
        // room for it.
        let time_exists = form.hour <= 23 && form.minute <= 59 && form.second <= 60;
        if !date_exists || !time_exists || form.offset_minutes.is_none() {
            return Err(impossible());
        }
        let minutes = form.hour * 60 + form.minute - form.offset_minutes.unwrap_or(0);
        if form.second == 60 && minutes.rem_euclid(24 * 60) != 24 * 60 - 1 {
            return Err(impossible());
        }
        let seconds = days_from_civil(form.year, form.month, form.day) * 86_400
            + form.hour * 3_600
            + form.minute * 60
            + form.second.min(59)
            - form.offset_minutes.unwrap_or(0) * 60;
        Self::from_micros(seconds * MICROS_PER_SECOND + form.micros).map_err(|_| impossible())
    }

    /// Writes the instant as RFC 3339 in UTC, without trailing zeros of a fraction, into a buffer.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let days = self.micros().div_euclid(MICROS_PER_DAY);
        let micros = self.micros().rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let seconds = micros / MICROS_PER_SECOND;
        push_digits(out, year, 4);
        out.push(b'-');
        push_digits(out, month, 2);
        out.push(b'-');
        push_digits(out, day, 2);
        out.push(b'T');
        push_digits(out, seconds / 3_600, 2);
        out.push(b':');
        push_digits(out, seconds / 60 % 60, 2);
        out.push(b':');
        push_digits(out, seconds % 60, 2);
        let mut fraction = micros % MICROS_PER_SECOND;
        if fraction != 0 {
            let mut width = 6;
            while fraction % 10 == 0 {
                fraction /= 10;
                width -= 1;
            }
            out.push(b'.');
            push_digits(out, fraction, width);
        }
        out.push(b'Z');
    }
}

/// The parts of an RFC 3339 instant whose form is right but whose values are not yet checked.
struct Rfc3339 {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// None where the offset has the right form but no such offset exists.
    offset_minutes: Option<i64>,
}

impl Rfc3339 {
    fn read(text: &[u8]) -> Option<Self> {
        let (head, tail) = text.split_at_checked(19)?;
        let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T' | b't', h1, h2, b':', mi1, mi2, b':', s1, s2] =
            *<&[u8; 19]>::try_from(head).ok()?
        else {
            return None;
        };
        let (micros, zone) = match tail {
            [b'.', rest @ ..] => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (fraction, zone) = rest.split_at_checked(digits)?;
                if fraction.is_empty() {
                    return None;
                }
                let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
                (padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), zone)
            }
            _ => (0, tail),
        };
        let offset_minutes = match *zone {
            [b'Z' | b'z'] => Some(0),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
                let sign = if sign == b'-' { -1 } else { 1 };
                (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
            }
            _ => return None,
        };
        Some(Self {
            year: number(&[y1, y2, y3, y4])?,
            month: number(&[mo1, mo2])?,
            day: number(&[d1, d2])?,
            hour: number(&[h1, h2])?,
            minute: number(&[mi1, mi2])?,
            second: number(&[s1, s2])?,
            micros,
            offset_minutes,
        })
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn push_digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(27);
        self.write_rfc3339(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Instant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 instant")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                Instant::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

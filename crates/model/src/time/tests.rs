//! The calendar held to the calendar library, and every text form to itself.

use jiff::civil as calendar;

use super::civil::{civil_from_days, days_from_civil};
use super::instant::MICROS_PER_DAY;
use super::{Instant, MonthLength, Span, Term, TimeError};

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn plus(start: &str, span: &str) -> String {
    at(start).plus(span.parse().unwrap(), MonthLength::Calendar).to_string()
}

#[test]
fn calendar_terms_clamp_to_the_end_of_the_month() {
    assert_eq!(plus("2024-02-29T00:00:00Z", "5 years"), "2029-02-28T00:00:00Z");
    assert_eq!(plus("2025-10-08T00:00:00Z", "5 years"), "2030-10-08T00:00:00Z");
    assert_eq!(plus("2025-08-31T12:00:00Z", "18 months"), "2027-02-28T12:00:00Z");
    let days = (at("2030-10-08T00:00:00Z").micros() - at("2025-10-08T00:00:00Z").micros()) / MICROS_PER_DAY;
    assert_eq!(days, 1_826);
}

#[test]
fn months_of_thirty_days_leave_years_alone() {
    let start = at("2025-08-31T00:00:00Z");
    let end = |span: &str| start.plus(span.parse().unwrap(), MonthLength::ThirtyDays).to_string();
    assert_eq!(end("18 months"), "2027-02-22T00:00:00Z");
    assert_eq!(end("1 year"), "2026-08-31T00:00:00Z");
}

#[test]
fn every_day_of_ten_thousand_years_agrees_with_the_calendar_library() {
    let mut date = calendar::date(0, 1, 1);
    for day in days_from_civil(0, 1, 1)..=days_from_civil(9_999, 12, 31) {
        let expected = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
        assert_eq!(civil_from_days(day), expected);
        assert_eq!(days_from_civil(expected.0, expected.1, expected.2), day);
        date = date.tomorrow().unwrap_or(date);
    }
}

#[test]
fn instants_are_read_with_any_offset_and_written_in_utc() {
    for (text, written) in [
        ("2025-11-01T00:00:00Z", "2025-11-01T00:00:00Z"),
        ("2025-11-01t02:30:00+02:30", "2025-11-01T00:00:00Z"),
        ("2025-11-01T00:00:00.120000Z", "2025-11-01T00:00:00.12Z"),
        ("2025-11-01T00:00:00.1234569Z", "2025-11-01T00:00:00.123456Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
    ] {
        assert_eq!(at(text).to_string(), written);
    }
}

#[test]
fn what_is_no_instant_is_refused() {
    for text in [
        "",
        "2025-11-01",
        "2025-11-01T00:00:00",
        "2025-11-01 00:00:00Z",
        "2025-11-01T00:00:00.Z",
        "20251101T000000Z",
    ] {
        assert!(matches!(Instant::parse(text), Err(TimeError::Malformed(_))), "{text}");
    }
    for text in [
        "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-11-01T24:00:00Z",
        "2025-11-01T00:00:00+24:00",
        "2025-11-01T12:34:60Z",
    ] {
        assert!(matches!(Instant::parse(text), Err(TimeError::Impossible(_))), "{text}");
    }
}

#[test]
fn spans_are_read_strictly_and_saturate() {
    assert_eq!("1 year".parse::<Span>().unwrap().to_string(), "1 year");
    assert_eq!("indefinite".parse::<Term>().unwrap(), Term::Indefinite);
    for text in ["30", "30days", "-1 days", "+1 days", "30  days", "1.5 years", "100001 days", "3 fortnights"]
    {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    let end = at("2025-01-01T00:00:00Z").plus(Span::years(100_000), MonthLength::Calendar);
    assert_eq!(end, Instant::MAX);
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(micros in Instant::MIN.micros()..=Instant::MAX.micros()) {
        let instant = Instant::from_micros(micros).unwrap();
        proptest::prop_assert_eq!(Instant::parse(&instant.to_string()).unwrap(), instant);
    }
}

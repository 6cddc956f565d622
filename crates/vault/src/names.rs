//! What a ciphertext is bound to: names, each written with its length before it.
//!
//! Without the lengths, account `ab` with record `c` would bind the same bytes as account `a` with
//! record `bc`, and one person's ciphertext could be passed off as another's.

use crate::cipher::Algorithm;
use crate::ids::PageId;

/// An account, within its organisation if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountName<'a> {
    /// The organisation that the account belongs to.
    pub organisation: Option<&'a str>,
    /// The account's id.
    pub account: &'a str,
}

/// A copy: the right to a record's body under one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyName<'a> {
    /// The organisation that the account belongs to.
    pub organisation: Option<&'a str>,
    /// The account's id.
    pub account: &'a str,
    /// The record whose body key is wrapped.
    pub record: &'a str,
    /// The class of the copy, such as `history`.
    pub class: &'a str,
}

/// A segment of a record's body: what one import appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentName<'a> {
    /// The organisation that the account belongs to.
    pub organisation: Option<&'a str>,
    /// The account's id.
    pub account: &'a str,
    /// The record that the segment is part of.
    pub record: &'a str,
    /// The segment's place within the record, counted from 0.
    pub number: u64,
}

/// Additional authenticated data under construction.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    /// The label says what kind of thing is bound, so that no two kinds can be exchanged.
    pub(crate) fn new(label: &str, algorithm: Algorithm) -> Self {
        let mut fields = Self(Vec::with_capacity(192));
        fields.restart(label, algorithm);
        fields
    }

    /// Begins anew in the same memory.
    pub(crate) fn restart(&mut self, label: &str, algorithm: Algorithm) {
        self.0.clear();
        self.add(label.as_bytes()).add(&[algorithm.id()]);
    }

    pub(crate) fn add(&mut self, field: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&length_prefix(field));
        self.0.extend_from_slice(field);
        self
    }

    pub(crate) fn add_optional(&mut self, field: Option<&[u8]>) -> &mut Self {
        match field {
            Some(field) => self.add(&[1]).add(field),
            None => self.add(&[0]),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The length of a field as it stands before it, in eight bytes.
pub(crate) fn length_prefix(field: &[u8]) -> [u8; 8] {
    (field.len() as u64).to_be_bytes()
}

impl AccountName<'_> {
    pub(crate) fn bind(&self, label: &str, algorithm: Algorithm, page: PageId) -> Fields {
        let mut fields = Fields::new(label, algorithm);
        fields
            .add_optional(self.organisation.map(str::as_bytes))
            .add(self.account.as_bytes())
            .add(page.as_bytes());
        fields
    }
}

impl CopyName<'_> {
    pub(crate) fn bind(&self, label: &str, algorithm: Algorithm, page: PageId) -> Fields {
        let mut fields = Fields::new(label, algorithm);
        fields
            .add_optional(self.organisation.map(str::as_bytes))
            .add(self.account.as_bytes())
            .add(self.record.as_bytes())
            .add(self.class.as_bytes())
            .add(page.as_bytes());
        fields
    }
}

impl SegmentName<'_> {
    pub(crate) fn bind(&self, fields: &mut Fields, algorithm: Algorithm) {
        fields.restart("tenure/segment/v1", algorithm);
        fields
            .add_optional(self.organisation.map(str::as_bytes))
            .add(self.account.as_bytes())
            .add(self.record.as_bytes())
            .add(&self.number.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field() -> impl Strategy<Value = Option<Vec<u8>>> {
        // A tiny alphabet that includes the bytes of a length prefix, so that a collision, were one
        // possible, would be found.
        prop::option::of(prop::collection::vec(0..3_u8, 0..12))
    }

    type Names = (Option<String>, String, String, String);

    fn names() -> impl Strategy<Value = Names> {
        (prop::option::of("[ab]{0,3}"), "[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}")
    }

    fn written(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut out = Fields::new("test", Algorithm::GcmSiv);
        for field in fields {
            match field {
                Some(field) => out.add(field),
                None => out.add_optional(None),
            };
        }
        out.0
    }

    /// Reads what [`Fields`] wrote: that it can be read back is why no two lists are written alike.
    fn read_back(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut fields = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            let length = usize::try_from(u64::from_be_bytes(*length)).unwrap();
            fields.push(rest[..length].to_vec());
            bytes = &rest[length..];
        }
        fields
    }

    proptest! {
        #[test]
        fn the_fields_can_be_read_back(
            fields in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        ) {
            let some: Vec<_> = fields.iter().cloned().map(Some).collect();
            let read = read_back(&written(&some));
            prop_assert_eq!(&read[2..], &fields[..]);
        }

        #[test]
        fn no_two_lists_of_fields_are_written_alike(
            a in prop::collection::vec(field(), 0..5),
            b in prop::collection::vec(field(), 0..5),
        ) {
            let plain = |fields: &[Option<Vec<u8>>]| -> Vec<Vec<u8>> {
                fields.iter().map(|f| f.clone().unwrap_or_else(|| vec![0])).collect()
            };
            prop_assert_eq!(plain(&a) == plain(&b), written(&a) == written(&b));
        }

        #[test]
        fn a_field_never_slides_into_its_neighbour(one in names(), two in names()) {
            let bind = |(organisation, account, record, class): &Names| {
                let organisation = organisation.as_deref();
                let name = CopyName { organisation, account, record, class };
                name.bind("x", Algorithm::GcmSiv, PageId::from_bytes([7; 16])).0
            };
            prop_assert_eq!(one == two, bind(&one) == bind(&two));
        }
    }

    #[test]
    fn no_organisation_is_not_an_empty_one() {
        let name = |organisation| AccountName { organisation, account: "a" };
        let bind = |n: AccountName<'_>| n.bind("x", Algorithm::GcmSiv, PageId::from_bytes([0; 16])).0;
        assert_ne!(bind(name(None)), bind(name(Some(""))));
    }
}

//! What a request takes and gives, said by the very types that read and write it.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

/// The schemas that a document names, by their names.
#[derive(Default)]
pub(crate) struct Shapes(pub(crate) BTreeMap<String, RefOr<Schema>>);

impl Shapes {
    /// Takes a type up, and gives the reference to it.
    pub(crate) fn of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut found = vec![(T::name().into_owned(), closed(T::schema()))];
        T::schemas(&mut found);
        self.0.extend(found);
        Ref::from_schema_name(T::name()).into()
    }
}

/// A body of several forms refuses in each of them what it does not know.
fn closed(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::OneOf(forms)) = &mut schema {
        for form in &mut forms.items {
            if let RefOr::T(Schema::Object(form)) = form {
                form.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
    schema
}

/// What one endpoint takes.
#[derive(Default)]
pub(crate) struct Takes {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
}

impl Takes {
    pub(crate) fn query(&mut self, name: &str, says: &str, schema: impl Into<RefOr<Schema>>) {
        self.parameters.push(parameter(ParameterIn::Query, name, says, Required::False, schema));
    }

    pub(crate) fn body(&mut self, kind: &str, schema: RefOr<Schema>) {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content(kind, content).required(Some(Required::True));
        self.body = Some(body.build());
    }
}

pub(crate) fn parameter(
    place: ParameterIn,
    name: &str,
    says: &str,
    required: Required,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    let builder = ParameterBuilder::new().name(name).parameter_in(place).description(Some(says));
    builder.required(required).schema(Some(schema)).build()
}

/// A text of at most so many characters.
pub(crate) fn text(longest: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(longest))
}

/// A text of this form.
pub(crate) fn pattern(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// One of these words.
pub(crate) fn one_of(words: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied()))
}

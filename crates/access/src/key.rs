//! API keys: the text that a caller keeps, and what is stored of it.

mod scope;
mod stored;
mod text;

pub use scope::Scope;
pub use stored::{KeyHolder, KeyState, KeyTerms, StoredKey};
pub use text::{ApiKey, Environment, KeyId, SecretHash};

//! The closed vocabularies: each value has exactly one spelling, on every face the same.

/// A word that is not in the vocabulary that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {vocabulary} `{word}`: use one of {}", .allowed.join(", "))]
pub struct UnknownWord {
    /// What kind of word was expected, such as `regime`.
    pub vocabulary: &'static str,
    /// The word that was given.
    pub word: String,
    /// The words that would have been understood.
    pub allowed: &'static [&'static str],
}

/// Makes an enum whose values have exactly one spelling each.
#[macro_export]
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The spelling of every value, in the same order as [`Self::ALL`].
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The one spelling of this value.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord { vocabulary: $what, word: word.to_owned(), allowed: Self::WORDS }),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

vocabulary!(
    /// Under which kind of contract a surface is offered.
    Regime, "regime", {
        /// A person's own account.
        Consumer = "consumer",
        /// A customer's account, used by its people.
        Commercial = "commercial",
        /// Zero data retention: no body is ever kept.
        Zero = "zero",
    }
);

vocabulary!(
    /// What a conversation is.
    Kind, "kind", {
        /// A chat.
        Chat = "chat",
        /// A coding session.
        Code = "code",
    }
);

vocabulary!(
    /// How a message was sent.
    Mode, "mode", {
        /// The ordinary mode.
        Normal = "normal",
        /// A temporary or incognito chat.
        Incognito = "incognito",
    }
);

vocabulary!(
    /// A person's answer for one purpose.
    Choice, "choice", {
        /// The purpose is allowed.
        On = "on",
        /// The purpose is refused.
        Off = "off",
    }
);

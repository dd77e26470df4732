//! Serde for values that have one spelling as text: `#[serde(with = "text")]` writes with `Display` and reads with
//! `FromStr`. Imports nothing of ours.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize as _, Deserializer, Serializer, de};

pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &"its one spelling"))
}

/// The same for a list.
pub mod list {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<T: Display, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        let wrong = |text: &str| de::Error::invalid_value(de::Unexpected::Str(text), &"its one spelling");
        texts.iter().map(|text| text.parse().map_err(|_| wrong(text))).collect()
    }
}

/// The same for a value that may be absent.
pub mod option {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        let wrong = |text: &str| de::Error::invalid_value(de::Unexpected::Str(text), &"its one spelling");
        text.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }
}

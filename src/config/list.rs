//! Settings that are lists, and may be written as a single value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Reads a list, or a single value as the list of it.
pub(super) fn one_or_many<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    from.deserialize_any(OneOrMany(PhantomData))
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value, or a list of them as [\"one\", \"another\"]")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let one = T::deserialize(StrDeserializer::<E>::new(text)).map_err(|error| {
            E::custom(format!(
                "{error}: {text:?}; several are written as [\"one\", \"another\"]"
            ))
        })?;
        Ok(vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use super::*;

    fn addresses(value: Value) -> Result<Vec<IpAddr>, String> {
        one_or_many(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_single_value_is_the_list_of_it() {
        let one: IpAddr = "127.0.0.1".parse().unwrap();
        let other: IpAddr = "::1".parse().unwrap();
        assert_eq!(addresses(json!("127.0.0.1")), Ok(vec![one]));
        assert_eq!(addresses(json!(["127.0.0.1", "::1"])), Ok(vec![one, other]));
        assert_eq!(addresses(json!([])), Ok(Vec::new()));
    }

    #[test]
    fn what_is_neither_is_refused_with_words_for_how_it_is_written() {
        for wrong in [
            json!("127.0.0.1, ::1"),
            json!("localhost"),
            json!(5),
            json!(""),
        ] {
            let words = addresses(wrong.clone()).unwrap_err();
            assert!(words.contains("[\"one\", \"another\"]"), "{wrong}: {words}");
        }
        assert!(addresses(json!(["localhost"])).is_err());
    }
}

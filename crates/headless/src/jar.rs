//! A cookie jar for one origin.

use std::collections::BTreeMap;

/// Cookies by name; paths and domains do not matter for a single origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Takes one `Set-Cookie` header in.
    pub(crate) fn take(&mut self, header: &str) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        let gone = value.is_empty()
            || parts.any(|attribute| {
                let attribute = attribute.trim().to_ascii_lowercase();
                attribute == "max-age=0" || attribute == "max-age=-1"
            });
        if gone {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The `Cookie` header, if there is any cookie.
    pub(crate) fn header(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let pairs: Vec<String> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        Some(pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::Jar;

    #[test]
    fn a_cookie_is_kept_replaced_and_removed() {
        let mut jar = Jar::default();
        jar.take("sid=one; Path=/; HttpOnly");
        assert_eq!(jar.header().as_deref(), Some("sid=one"));
        jar.take("sid=two; Path=/");
        assert_eq!(jar.header().as_deref(), Some("sid=two"));
        jar.take("sid=; Max-Age=0");
        assert_eq!(jar.header(), None);
    }
}

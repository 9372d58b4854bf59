//! API keys: kept as digests, compared in constant time.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The shortest key that can't be guessed: 16 bytes are 128 bits when drawn at random.
const SHORTEST_KEY: usize = 16;

/// Names of clients and the digests of their keys.
#[derive(Clone)]
pub struct ApiKeys(Arc<[(String, [u8; 32])]>);

impl std::fmt::Debug for ApiKeys {
    /// Names only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl ApiKeys {
    /// Reads `name=key` entries separated by line breaks or commas; `#` starts a comment line.
    ///
    /// # Errors
    /// A sentence that names the entry by its position and never shows it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split(['\n', ',']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty() && !entry.starts_with('#'));
        let keys = entries
            .enumerate()
            .map(|(index, entry)| parse_entry(index, entry))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(
                "holds no key; write `name=key`, or leave the setting out to let everyone in".to_owned()
            );
        }
        for (index, (name, _)) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(format!("entry {}: the name `{name}` is taken", index + 1));
            }
        }
        Ok(Self(keys.into()))
    }

    /// The name of the client that holds `key`. Takes the same time whichever key it is, or none.
    pub fn client(&self, key: &[u8]) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let mut found = 0_u32;
        let mut is_known = Choice::from(0);
        for (index, (_, known)) in (0_u32..).zip(self.0.iter()) {
            let equal = known.ct_eq(&digest);
            found = u32::conditional_select(&found, &index, equal);
            is_known |= equal;
        }
        let index = usize::try_from(found).ok().filter(|_| bool::from(is_known))?;
        self.0.get(index).map(|(name, _)| name.as_str())
    }
}

fn parse_entry(index: usize, entry: &str) -> Result<(String, [u8; 32]), String> {
    let place = index + 1;
    let (name, key) = entry.split_once('=').ok_or_else(|| format!("entry {place} is no `name=key`"))?;
    let (name, key) = (name.trim(), key.trim());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(format!("entry {place}: the name must be 1 to 64 of `A-Z`, `a-z`, `0-9`, `-`, `_`"));
    }
    if key.len() < SHORTEST_KEY {
        return Err(format!(
            "entry {place} (`{name}`): the key has {} bytes; use {SHORTEST_KEY} or more",
            key.len()
        ));
    }
    Ok((name.to_owned(), Sha256::digest(key.as_bytes()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_client_and_a_wrong_one_finds_none() {
        let keys = ApiKeys::parse("# ours\nbot=0123456789abcdef\n\napp = fedcba9876543210").unwrap();
        assert_eq!(keys.client(b"0123456789abcdef"), Some("bot"));
        assert_eq!(keys.client(b"fedcba9876543210"), Some("app"));
        assert_eq!(keys.client(b"0123456789abcdeg"), None);
        assert_eq!(keys.client(b""), None);
        assert!(!format!("{keys:?}").contains("0123"));
    }

    #[test]
    fn bad_entries_are_told_without_showing_them() {
        for (text, expected) in [
            ("", "holds no key"),
            ("secretwithoutname", "entry 1 is no `name=key`"),
            ("bot=short", "has 5 bytes"),
            ("b t=0123456789abcdef", "the name must be"),
            ("a=0123456789abcdef,a=0123456789abcdeg", "entry 2: the name `a` is taken"),
        ] {
            let error = ApiKeys::parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("secret") && !error.contains("0123"), "{error}");
        }
    }
}
